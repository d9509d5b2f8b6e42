// Scores a model on the slides of a split without keeping the predictions: sums that can be merged over slides.
import { assert } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import type { Dataset, OpenDatasetSlide } from '../dataset/open-dataset.ts';
import { scanSlide } from '../dataset/scan-slide.ts';
import type { Split } from '../dataset/split.ts';
import { solidCells, type TissueMask } from '../dataset/tissue-mask.ts';
import type { SlideComparison } from '../evaluation/compare-slide.ts';
import { Coverage, type CoverageTable } from '../evaluation/coverage.ts';
import type { ModelFile } from '../model/model-file.ts';
import { withInterval } from '../prediction/with-interval.ts';
import { coverageLevel, isScored } from './evaluation.ts';
import { comparePair, type PairMasks, type PairRow, peakOf, rowsOf, type SlidePair } from './score-slide.ts';
import { findVesselChannel } from './slide-layers.ts';
import { type Gradient, GradientTally } from './vessel-gradient.ts';
import { firstChannel, visitPredictions } from './visit-predictions.ts';

export interface ScoredSlide {
  readonly slide: string;
  readonly comparison: SlideComparison;
  /** See `ImageLook`. */
  readonly range: {
    readonly predicted: readonly [number, number];
    readonly measured: readonly [number, number];
  };
  readonly gradient: { readonly predicted: Gradient; readonly measured: Gradient };
}

export interface ModelScore {
  /** Of the model's 90% interval; absent where it has none. */
  readonly coverage?: CoverageTable;
  readonly slides: readonly ScoredSlide[];
  /** See `peakOf`. */
  readonly peak: number;
  readonly networkSeconds: number;
  readonly pixels: number;
}

/** Pixels of a slide that its percentiles are taken from. */
const wantedSamples = 500_000;

/**
 * Memory: bands of rows and masks; the prediction of one slide at a time is in a temporary file, 4 bytes a pixel, 12 with
 * an interval.
 * @param reference the same slides in the same order with the role `vessel`, where the dataset lacks it: without vessels
 * all tissue counts as extravascular
 */
export async function scoreModel(
  dataset: Dataset,
  split: Split,
  model: ModelFile,
  threads: number,
  work: WorkOptions = {},
  reference: Dataset = dataset,
): Promise<ModelScore> {
  assert(
    dataset.slides.every(({ entry }, i) => entry.name === reference.slides[i]?.entry.name),
    'the reference has other slides',
  );
  const slides: ScoredSlide[] = [];
  const interval = model.manifest.intervals?.find(isScored);
  const coverage = interval && new Coverage(coverageLevel);
  const scored = dataset.slides.filter(({ entry }) => entry.split === split);
  const peak = await peakOf(
    scored.map(({ source, targetChannel }) => ({ source, channel: targetChannel })),
    work,
  );
  // A model that sees fewer inputs may find less tissue, but is scored on the same as all others.
  const seen = dataset.slides.map((slide, i) => ({ ...slide, mask: reference.slides[i].mask }));
  const { networkSeconds, pixels } = await visitPredictions(
    { ...dataset, slides: seen },
    split,
    model,
    threads,
    interval ? ['probe', 'lower', 'upper'] : ['probe'],
    ({ predicted }) => (interval ? withInterval(predicted, interval) : firstChannel(predicted)),
    async (index, predicted) => {
      const slide = reference.slides[index];
      slides.push(
        await scoreForBenchmark(slide, predicted, dataset.manifest.pixelSizeUm, peak, coverage, work),
      );
    },
    work,
  );
  return { slides, peak, networkSeconds, pixels, ...(coverage && { coverage: coverage.table() }) };
}

/** @param slide with the role `vessel` where it is known */
async function scoreForBenchmark(
  { source, inputChannels, targetChannel, entry, mask }: OpenDatasetSlide,
  predicted: PixelSource,
  pixelSizeUm: number,
  peak: number,
  tally: Coverage | undefined,
  work: WorkOptions,
): Promise<ScoredSlide> {
  const vessel = findVesselChannel(source, entry.channels);
  const scan = await scanSlide(source, { inputs: inputChannels }, pixelSizeUm, { signal: work.signal });
  const solid = { ...mask, cells: solidCells(scan, inputChannels.length, mask) };
  const pair: SlidePair = {
    name: entry.name,
    measured: source,
    measuredChannel: targetChannel,
    predicted,
    predictedChannel: 0,
    vessel: vessel === undefined ? undefined : { source, channel: vessel },
    tissue: mask,
    pixelSizeUm,
    peak,
    coverage: tally && { tally, ends: [1, 2] },
  };
  const { comparison, ...masks } = await comparePair(pair, { signal: work.signal });
  const { measured, predicted: found } = await looksOf(pair, solid, masks, work.signal);
  return {
    slide: entry.name,
    comparison,
    range: { predicted: found.range(), measured: measured.range() },
    gradient: { predicted: found.gradient.gradient(), measured: measured.gradient.gradient() },
  };
}

/** What the table says of an image besides its errors. */
async function looksOf(
  pair: SlidePair,
  solid: TissueMask,
  masks: PairMasks,
  signal: AbortSignal | undefined,
): Promise<{ measured: ImageLook; predicted: ImageLook }> {
  const { width, height } = pair.measured;
  const every = Math.max(1, Math.floor((width * height) / wantedSamples)) | 1;
  const [measured, predicted] = [0, 1].map(() => new ImageLook(new GradientTally(solid, pair.pixelSizeUm)));
  for await (const row of rowsOf(pair, [pair.predictedChannel], masks, signal)) {
    const first = (every - ((row.y * width) % every)) % every;
    measured.add(row.measured, row, first, every);
    predicted.add(row.predicted[0], row, first, every);
  }
  return { measured, predicted };
}

class ImageLook {
  readonly #samples: number[] = [];
  readonly gradient: GradientTally;

  constructor(gradient: GradientTally) {
    this.gradient = gradient;
  }

  /** A row of the image; of its tissue, pixels `first`, `first + every`, ... are samples. */
  add(values: Float32Array, row: PairRow, first: number, every: number): void {
    for (let x = first; x < values.length; x += every)
      if (row.inTissue[x] === 1 && Number.isFinite(values[x])) this.#samples.push(values[x]);
    this.gradient.add(values, row);
  }

  /** 0.1st and 99.9th percentiles over tissue. */
  range(): [number, number] {
    const sorted = Float32Array.from(this.#samples).sort();
    const last = sorted.length - 1;
    return [sorted[Math.floor(0.001 * last)], sorted[Math.ceil(0.999 * last)]];
  }
}
