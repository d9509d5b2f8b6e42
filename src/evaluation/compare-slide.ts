// Compares a predicted slide with the measured one, pixel by pixel, streaming bands of rows.
import { DataError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf } from '../core/raster.ts';
import { bandsOf, rowsPerBand } from '../spatial/bands.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import { DistanceMap, wallDistanceUm } from '../spatial/distance-map.ts';
import { emptyRegion, type RegionSums } from './metric-block.ts';
import { SsimRows } from './metrics/ssim.ts';
import { addRow } from './pair-moments.ts';

export interface CompareInput {
  readonly measured: PixelSource;
  readonly measuredChannel: number;
  readonly predicted: PixelSource;
  readonly predictedChannel: number;
  /** Only these pixels count. */
  readonly tissue: BitMask;
  /** For `extravascular`; an empty mask makes all tissue extravascular. */
  readonly vessels: BitMask;
  readonly pixelSizeUm: number;
  /** Tissue farther than this from a vessel's wall counts as extravascular, um; 3 unless given. */
  readonly beyondUm?: number;
  /** Range of the target, for SSIM: 255 for 8 bits. */
  readonly dataRange: number;
  /** Rows a band; for tests, the result does not depend on it. */
  readonly bandRows?: number;
}

/** Sums over the regions of one slide; those of several slides can be merged. */
export interface SlideComparison {
  readonly pooled: RegionSums;
  readonly extravascular: RegionSums;
}

/**
 * Sums over all tissue and over extravascular tissue (away from the nearest vessel's wall). Reads both
 * slides once; memory is a band of rows and the masks.
 * @throws DataError when the two slides differ in size
 */
export async function compareSlide(input: CompareInput, work: WorkOptions = {}): Promise<SlideComparison> {
  const { measured, predicted, tissue, pixelSizeUm, beyondUm = 3 } = input;
  const { width, height } = measured;
  requireSameSize(measured, predicted);
  const pooled = emptyRegion();
  const extravascular = emptyRegion();
  const rows = input.bandRows ?? rowsPerBand(width, 6);
  const distances = new DistanceMap(input.vessels);
  const squared = new Float64Array(rows * width);
  const inside = new Uint8Array(width);
  const outside = new Uint8Array(width);
  // The SSIM map lags behind the rows read, so its regions wait in bit rows until it comes.
  const sampleStep = Math.max(1, Math.ceil(Math.sqrt((width * height) / wantedSamples)));
  const waiting = new Map<number, { inside: Uint8Array; outside: Uint8Array }>();
  const ssim = new SsimRows(width, height, input.dataRange, (y, row) => {
    const masks = waiting.get(y);
    waiting.delete(y);
    if (!masks) return;
    addSsim(pooled, row, masks.inside);
    addSsim(extravascular, row, masks.outside);
  });

  const options = { rows, signal: work.signal };
  const predictedBands = bandsOf(predicted, [input.predictedChannel], options);
  for await (const band of bandsOf(measured, [input.measuredChannel], options)) {
    const other = (await predictedBands.next()).value;
    const y = channelOf(band.raster, 0);
    const p = channelOf(other.raster, 0);
    distances.squared(band.y, band.height, squared);
    for (let r = 0; r < band.height; r++) {
      const from = r * width;
      tissue.readRow(band.y + r, inside);
      for (let x = 0; x < width; x++) {
        const isOutside = inside[x] === 1 && wallDistanceUm(squared[from + x], pixelSizeUm) > beyondUm;
        outside[x] = isOutside ? 1 : 0;
      }
      const measuredRow = y.subarray(from, from + width);
      const predictedRow = p.subarray(from, from + width);
      addRow(pooled.moments, measuredRow, predictedRow, inside);
      addRow(extravascular.moments, measuredRow, predictedRow, outside);
      if ((band.y + r) % sampleStep === 0) {
        samplePairs(pooled, measuredRow, predictedRow, inside, sampleStep);
        samplePairs(extravascular, measuredRow, predictedRow, outside, sampleStep);
      }
      if (inside.includes(1)) waiting.set(band.y + r, { inside: inside.slice(), outside: outside.slice() });
      ssim.push(measuredRow, predictedRow);
    }
    work.onProgress?.({ stage: 'comparing', done: band.y + band.height, total: height });
  }
  return { pooled, extravascular };
}

/** Pairs whose ranks are compared lie on a regular grid of about so many pixels of a slide; up to that, all are. */
const wantedSamples = 2 ** 20;

function samplePairs(
  region: RegionSums,
  measured: Float32Array,
  predicted: Float32Array,
  mask: Uint8Array,
  step: number,
): void {
  const pairs: number[] = [];
  for (let x = 0; x < mask.length; x += step)
    if (mask[x] === 1 && Math.abs(measured[x] - predicted[x]) < Infinity) pairs.push(x);
  if (pairs.length === 0) return;
  region.sampled.push({
    measured: Float32Array.from(pairs, (x) => measured[x]),
    predicted: Float32Array.from(pairs, (x) => predicted[x]),
    weight: step * step,
  });
}

/** Pixels whose window holds a NaN are left out; they are counted by the moments where they are NaN themselves. */
function addSsim(region: RegionSums, row: Float64Array, mask: Uint8Array): void {
  let sum = 0;
  let count = 0;
  for (let x = 0; x < row.length; x++) {
    if (mask[x] === 0 || Number.isNaN(row[x])) continue;
    sum += row[x];
    count++;
  }
  region.ssimSum += sum;
  region.ssimCount += count;
}

/** @throws DataError when a prediction is not one of this slide */
export function requireSameSize(measured: PixelSource, predicted: PixelSource): void {
  if (measured.width === predicted.width && measured.height === predicted.height) return;
  throw new DataError(
    `the prediction must have the size of the slide, ${measured.width} x ${measured.height} px (${measured.path}), ` +
      `but ${predicted.path} has ${predicted.width} x ${predicted.height} px. Predict on this very slide.`,
  );
}
