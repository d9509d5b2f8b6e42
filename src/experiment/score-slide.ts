// Scores one predicted slide against one measured one: metrics, the constant predictor's floor, interval coverage.
import { DataError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { sampleRange } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf, createRaster } from '../core/raster.ts';
import type { TissueMask } from '../dataset/tissue-mask.ts';
import { compareSlide, type SlideComparison } from '../evaluation/compare-slide.ts';
import type { Coverage } from '../evaluation/coverage.ts';
import { type RadialSpectrum, radialSpectrum } from '../evaluation/radial-spectrum.ts';
import { bandsOf, rowsPerBand } from '../spatial/bands.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { DistanceMap } from '../spatial/distance-map.ts';
import { segmentVessels } from '../spatial/segment-vessels.ts';
import { type ComparedSpace, compareSpace } from './evaluate-space.ts';
import { tissueBits } from './slide-layers.ts';

export interface SlidePair {
  readonly name: string;
  /** Animal; the slide's own name unless given. */
  readonly group?: string;
  /** What the prediction is scored against. */
  readonly measured: PixelSource;
  readonly measuredChannel: number;
  readonly predicted: PixelSource;
  readonly predictedChannel: number;
  /** Where the vessels are to be found; undefined where the slide has none: all tissue is then extravascular. */
  readonly vessel: { readonly source: PixelSource; readonly channel: number } | undefined;
  /** Input channels of the slide, which its tissue was found on. */
  readonly inputs: { readonly source: PixelSource; readonly channels: readonly number[] };
  readonly tissue: TissueMask;
  readonly pixelSizeUm: number;
  /** Range of the target's values, for PSNR and SSIM. */
  readonly peak: number;
  /** What the constant predictor says; the slide's own mean unless given. */
  readonly constant?: number;
  /** Channels of the prediction that hold the ends of an interval, and where to count. */
  readonly coverage?: { readonly tally: Coverage; readonly ends: readonly [number, number] };
}

export interface SlideScore {
  readonly name: string;
  readonly group: string;
  readonly derived: ComparedSpace['derived'];
  readonly profile: ComparedSpace['profile'];
  readonly spectrum: RadialSpectrum;
  readonly comparison: SlideComparison;
  readonly floor: SlideComparison;
}

/** Memory: masks of one bit a pixel, and bands of rows. @throws DataError when the two differ in size, CancelledError */
export async function scoreSlide(pair: SlidePair, work: WorkOptions = {}): Promise<SlideScore> {
  const { measured, predicted, pixelSizeUm, name } = pair;
  if (measured.width !== predicted.width || measured.height !== predicted.height) {
    throw new DataError(
      `the prediction must have the size of the slide, ${measured.width} x ${measured.height} px (${measured.path}), ` +
        `but ${predicted.path} has ${predicted.width} x ${predicted.height} px. Predict on this very slide, at its own pixel size.`,
    );
  }
  const { width, height } = measured;
  const signal = work.signal;
  const at = (stage: string): WorkOptions => ({
    signal,
    onProgress: (progress) => work.onProgress?.({ ...progress, stage: `${name}: ${stage}` }),
  });
  const tissue = tissueBits(pair.tissue, width, height);
  const vessels = pair.vessel
    ? (await segmentVessels({ ...pair.vessel, pixelSizeUm }, at('finding vessels'))).mask
    : new BitMask(width, height);
  const shared = {
    measured,
    measuredChannel: pair.measuredChannel,
    tissue,
    vessels,
    pixelSizeUm,
    dataRange: pair.peak,
  };
  const comparison = await compareSlide(
    { ...shared, predicted, predictedChannel: pair.predictedChannel },
    at('comparing'),
  );
  const constant = pair.constant ?? comparison.pooled.moments.meanMeasured;
  const floor = await compareSlide(
    { ...shared, predicted: constantSource(constant, width, height), predictedChannel: 0 },
    at('comparing a constant'),
  );
  if (pair.coverage) await addCoverage(pair, pair.coverage, tissue, vessels, signal);
  const space = await compareSpace(
    {
      measured: [measured, pair.measuredChannel],
      predicted: [predicted, pair.predictedChannel],
      inputs: pair.inputs,
    },
    pair.tissue,
    tissue,
    vessels,
    pixelSizeUm,
    at('distances'),
  );
  const spectrum = await radialSpectrum({ ...pair, tissue }, signal);
  return { name, group: pair.group ?? name, comparison, floor, ...space, spectrum };
}

/**
 * The largest value that the channels scored against can take, for PSNR and SSIM, of all slides together; where a file's
 * samples are floating point, the largest that they have.
 */
export async function peakOf(
  targets: readonly { readonly source: PixelSource; readonly channel: number }[],
  work: WorkOptions = {},
): Promise<number> {
  let peak = 0;
  for (const { source, channel } of targets) {
    const { sampleType, storedAs = sampleType } = source.channels[channel];
    const range = sampleRange(storedAs);
    if (range) {
      peak = Math.max(peak, range.max);
      continue;
    }
    for await (const { raster } of bandsOf(source, [channel], { signal: work.signal })) {
      for (const value of raster.data) if (value > peak && Number.isFinite(value)) peak = value;
    }
  }
  return peak > 0 ? peak : 1;
}

function constantSource(value: number, width: number, height: number): PixelSource {
  return {
    path: 'constant',
    format: 'constant',
    width,
    height,
    channels: [{ name: 'constant', sampleType: 'float32' }],
    pixelSizeUm: undefined,
    levels: [{ width, height }],
    async read(region) {
      const raster = createRaster(1, region.height, region.width);
      raster.data.fill(value);
      return raster;
    },
    async close() {},
  };
}

async function addCoverage(
  pair: SlidePair,
  { tally, ends }: NonNullable<SlidePair['coverage']>,
  tissue: BitMask,
  vessels: BitMask,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { width } = pair.measured;
  const rows = rowsPerBand(width, 8);
  const distances = new DistanceMap(vessels);
  const inside = new Uint8Array(width);
  const predictedBands = bandsOf(pair.predicted, [pair.predictedChannel, ...ends], { rows, signal });
  for await (const band of bandsOf(pair.measured, [pair.measuredChannel], { rows, signal })) {
    const other = (await predictedBands.next()).value;
    const measured = channelOf(band.raster, 0);
    const [predicted, lower, upper] = [0, 1, 2].map((c) => channelOf(other.raster, c));
    const distanceUm = distances.wallUm(band.y, band.height, pair.pixelSizeUm);
    for (let r = 0; r < band.height; r++) {
      tissue.readRow(band.y + r, inside);
      const row = (values: Float32Array): Float32Array =>
        values.subarray(r * width, (r + 1) * width).filter((_, x) => inside[x] === 1);
      tally.add(pair.name, row(measured), row(predicted), row(distanceUm), row(lower), row(upper));
    }
  }
}
