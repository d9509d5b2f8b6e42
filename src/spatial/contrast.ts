// A stain's contrast over its own local background, streamed row by row: what the segmentations threshold.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { bandsOf, rowsPerBand } from './bands.ts';
import type { BitMask } from './bit-mask.ts';
import { gaussianKernel, RowSmoother } from './gaussian.ts';
import type { LocalBackground } from './local-background.ts';
import { localMaximum } from './local-maximum.ts';

/** A stain to be segmented. */
export interface StainInput {
  readonly source: PixelSource;
  readonly channel: number;
  readonly pixelSizeUm: number;
  /** Where thresholds are fitted: glass is so even that it would pass for the noise. Objects are looked for everywhere. */
  readonly tissue: BitMask;
  /** Rows a band; for tests, the result does not depend on it. */
  readonly bandRows?: number;
}

export interface ContrastRow {
  readonly y: number;
  /** Smoothed channel minus background, in stored units. */
  readonly contrast: Float32Array;
  /** The largest contrast within the radius asked for. */
  readonly peak: Float32Array;
}

/** All rows from top to bottom. Arrays are reused: do not keep them. */
export async function* contrastRows(
  input: StainInput,
  background: LocalBackground,
  smoothingUm: number,
  peakRadiusUm: number,
  stage: string,
  work: WorkOptions,
): AsyncGenerator<ContrastRow> {
  const { source, channel, bandRows, pixelSizeUm } = input;
  const { width } = source;
  const radius = Math.round(peakRadiusUm / pixelSizeUm);
  const smoother = new RowSmoother(width, gaussianKernel(smoothingUm / pixelSizeUm));
  const base = new Float32Array(width);
  const bands = bandsOf(source, [channel], {
    rows: bandRows ?? rowsPerBand(width, 4),
    halo: smoother.radius + radius,
    signal: work.signal,
    onRows: (done, total) => work.onProgress?.({ stage, done, total }),
  });
  for await (const { y, height, above, raster } of bands) {
    const contrast = new Float32Array(raster.data.length);
    for (let r = 0; r < raster.height; r++) {
      smoother.smooth(raster.data, raster.height, r, contrast, r * width);
      background.row(y - above + r, base);
      for (let x = 0; x < width; x++) contrast[r * width + x] -= base[x];
    }
    const peaks = radius > 0 ? localMaximum(contrast, width, raster.height, radius) : contrast;
    for (let r = above; r < above + height; r++) {
      const [from, to] = [r * width, (r + 1) * width];
      yield { y: y - above + r, contrast: contrast.subarray(from, to), peak: peaks.subarray(from, to) };
    }
  }
}

// Thresholds are fitted on about this many pixels, which lie on a regular grid over the slide.
const wantedSamples = 1_000_000;

export interface SampledContrasts {
  /** Of tissue pixels on a regular grid, sorted. */
  readonly sorted: Float32Array;
  /** Share of those pixels that hold the stain's lowest value: more than a few where a background was cut off at it. */
  readonly lowestShare: number;
}

/** Where thresholds are fitted on: a regular grid over the slide. */
export async function sampleContrasts(
  input: StainInput,
  background: LocalBackground,
  smoothingUm: number,
  stage: string,
  work: WorkOptions,
): Promise<SampledContrasts> {
  const { source, channel, bandRows, pixelSizeUm, tissue } = input;
  const { width, height } = source;
  const step = Math.max(1, Math.ceil(Math.sqrt((width * height) / wantedSamples)));
  const smoother = new RowSmoother(width, gaussianKernel(smoothingUm / pixelSizeUm));
  const samples: number[] = [];
  let [lowest, atLowest] = [Infinity, 0];
  const tissueRow = new Uint8Array(width);
  const row = new Float32Array(width);
  const base = new Float32Array(width);
  const bands = bandsOf(source, [channel], {
    rows: bandRows ?? rowsPerBand(width, 2),
    halo: smoother.radius,
    signal: work.signal,
    onRows: (done, total) => work.onProgress?.({ stage, done, total }),
  });
  for await (const band of bands) {
    for (let y = Math.ceil(band.y / step) * step; y < band.y + band.height; y += step) {
      smoother.smooth(band.raster.data, band.raster.height, band.above + y - band.y, row, 0);
      background.row(y, base);
      tissue.readRow(y, tissueRow);
      for (let x = 0; x < width; x += step) {
        const contrast = row[x] - base[x];
        if (tissueRow[x] === 0 || !Number.isFinite(contrast)) continue;
        samples.push(contrast);
        const value = band.raster.data[(band.above + y - band.y) * width + x];
        if (value > lowest) continue;
        atLowest = value < lowest ? 1 : atLowest + 1;
        lowest = value;
      }
    }
  }
  return { sorted: Float32Array.from(samples).sort(), lowestShare: atLowest / samples.length };
}
