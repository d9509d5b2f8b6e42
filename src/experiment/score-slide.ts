// Scores one predicted slide against one measured one: metrics and interval coverage, as evaluate and benchmark have them.
import type { PixelSource } from '../core/pixel-source.ts';
import { sampleRange, storedType } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf } from '../core/raster.ts';
import type { TissueMask } from '../dataset/tissue-mask.ts';
import { compareSlide, requireSameSize, type SlideComparison } from '../evaluation/compare-slide.ts';
import type { Coverage } from '../evaluation/coverage.ts';
import { bandsOf, rowsPerBand } from '../spatial/bands.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { DistanceMap } from '../spatial/distance-map.ts';
import { segmentVessels } from '../spatial/segment-vessels.ts';
import { tissueBits } from './slide-layers.ts';

export interface SlidePair {
  readonly name: string;
  /** What the prediction is scored against. */
  readonly measured: PixelSource;
  readonly measuredChannel: number;
  readonly predicted: PixelSource;
  readonly predictedChannel: number;
  /** Where the vessels are to be found; undefined where the slide has none: all tissue is then extravascular. */
  readonly vessel: { readonly source: PixelSource; readonly channel: number } | undefined;
  readonly tissue: TissueMask;
  readonly pixelSizeUm: number;
  /** Range of the target's values, for PSNR and SSIM. */
  readonly peak: number;
  /** Channels of the prediction that hold the ends of an interval, and where to count. */
  readonly coverage?: { readonly tally: Coverage; readonly ends: readonly [number, number] };
}

/** Where the pixels of a pair are. */
export interface PairMasks {
  readonly tissue: BitMask;
  readonly vessels: BitMask;
}

/** Memory: masks of one bit a pixel, and bands of rows. @throws DataError when the two differ in size, CancelledError */
export async function comparePair(
  pair: SlidePair,
  work: WorkOptions = {},
): Promise<PairMasks & { readonly comparison: SlideComparison }> {
  const { measured, predicted, pixelSizeUm, peak } = pair;
  requireSameSize(measured, predicted);
  const { width, height } = measured;
  const tissue = tissueBits(pair.tissue, width, height);
  const vessels = pair.vessel
    ? (await segmentVessels({ ...pair.vessel, pixelSizeUm, tissue }, stageOf(pair, 'finding vessels', work)))
        .mask
    : new BitMask(width, height);
  const comparison = await compareSlide(
    { ...pair, tissue, vessels, dataRange: peak },
    stageOf(pair, 'comparing', work),
  );
  if (pair.coverage) await addCoverage(pair, pair.coverage, { tissue, vessels }, work.signal);
  return { comparison, tissue, vessels };
}

/** The same work, reported as a stage of a pair's. */
export function stageOf({ name }: SlidePair, stage: string, work: WorkOptions): WorkOptions {
  return {
    signal: work.signal,
    onProgress: (progress) => work.onProgress?.({ ...progress, stage: `${name}: ${stage}` }),
  };
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
    const range = sampleRange(storedType(source.channels[channel]));
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

/** A row of a pair; its arrays are used again for the next one. */
export interface PairRow {
  readonly y: number;
  readonly measured: Float32Array;
  /** One a channel asked for. */
  readonly predicted: readonly Float32Array[];
  /** To the nearest vessel's wall, 0 in vessels; Infinity without any. */
  readonly distanceUm: Float32Array;
  /** 1 for tissue. */
  readonly inTissue: Uint8Array;
}

/** Reads both slides once, from top to bottom. */
export async function* rowsOf(
  { measured, measuredChannel, predicted, pixelSizeUm }: SlidePair,
  channels: readonly number[],
  { tissue, vessels }: PairMasks,
  signal: AbortSignal | undefined,
): AsyncGenerator<PairRow> {
  const { width } = measured;
  const rows = rowsPerBand(width, channels.length + 5);
  const distances = new DistanceMap(vessels);
  const inTissue = new Uint8Array(width);
  const predictedBands = bandsOf(predicted, channels, { rows, signal });
  for await (const band of bandsOf(measured, [measuredChannel], { rows, signal })) {
    const other = (await predictedBands.next()).value.raster;
    const distanceUm = distances.wallUm(band.y, band.height, pixelSizeUm);
    const planes = channels.map((_, c) => channelOf(other, c));
    for (let r = 0; r < band.height; r++) {
      tissue.readRow(band.y + r, inTissue);
      const row = (values: Float32Array): Float32Array => values.subarray(r * width, (r + 1) * width);
      yield {
        y: band.y + r,
        measured: row(band.raster.data),
        predicted: planes.map(row),
        distanceUm: row(distanceUm),
        inTissue,
      };
    }
  }
}

async function addCoverage(
  pair: SlidePair,
  { tally, ends }: NonNullable<SlidePair['coverage']>,
  masks: PairMasks,
  signal: AbortSignal | undefined,
): Promise<void> {
  const channels = [pair.predictedChannel, ...ends];
  for await (const { measured, predicted, distanceUm, inTissue } of rowsOf(pair, channels, masks, signal)) {
    const kept = (values: Float32Array): Float32Array => values.filter((_, x) => inTissue[x] === 1);
    const [probe, lower, upper] = predicted.map(kept);
    tally.add(pair.name, kept(measured), probe, kept(distanceUm), lower, upper);
  }
}
