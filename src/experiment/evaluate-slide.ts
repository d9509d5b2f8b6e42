// All that evaluate says of one slide: the metrics, the constant predictor's floor, space and spectrum.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { compareSlide, type SlideComparison } from '../evaluation/compare-slide.ts';
import { type RadialSpectrum, radialSpectrum } from '../evaluation/radial-spectrum.ts';
import { type ComparedSpace, compareSpace } from './evaluate-space.ts';
import { comparePair, type SlidePair, stageOf } from './score-slide.ts';

export interface EvaluatedPair extends SlidePair {
  /** Animal; the slide's own name unless given. */
  readonly group?: string;
  /** Input channels of the slide, which its tissue was found on. */
  readonly inputs: { readonly source: PixelSource; readonly channels: readonly number[] };
  /** What the constant predictor says; the slide's own mean unless given. */
  readonly constant?: number;
}

export interface SlideEvaluation {
  readonly name: string;
  readonly group: string;
  readonly derived: ComparedSpace['derived'];
  readonly profile: ComparedSpace['profile'];
  readonly spectrum: RadialSpectrum;
  readonly comparison: SlideComparison;
  readonly floor: SlideComparison;
}

/** @throws as `comparePair` */
export async function evaluateSlide(pair: EvaluatedPair, work: WorkOptions = {}): Promise<SlideEvaluation> {
  const { measured, measuredChannel, predicted, predictedChannel, pixelSizeUm, name } = pair;
  const { comparison, tissue, vessels } = await comparePair(pair, work);
  const { count, meanMeasured } = comparison.pooled.moments;
  const constant = pair.constant ?? (count > 0 ? meanMeasured : Number.NaN);
  const floor = await compareSlide(
    {
      ...{ measured, measuredChannel, tissue, vessels, pixelSizeUm, dataRange: pair.peak },
      predicted: constantLike(predicted, predictedChannel, constant),
      predictedChannel: 0,
    },
    stageOf(pair, 'comparing a constant', work),
  );
  const space = await compareSpace(
    {
      measured: [measured, measuredChannel],
      predicted: [predicted, predictedChannel],
      inputs: pair.inputs,
    },
    pair.tissue,
    tissue,
    vessels,
    pixelSizeUm,
    stageOf(pair, 'distances', work),
  );
  const spectrum = await radialSpectrum({ ...pair, tissue }, work.signal);
  return { name, group: pair.group ?? name, comparison, floor, ...space, spectrum };
}

/** The value wherever the prediction has one, so that both are scored on the same pixels. */
function constantLike(predicted: PixelSource, channel: number, value: number): PixelSource {
  const { width, height } = predicted;
  return {
    path: 'constant',
    format: 'constant',
    width,
    height,
    channels: [{ name: 'constant', sampleType: 'float32' }],
    pixelSizeUm: undefined,
    levels: [{ width, height }],
    async read(region, _, options) {
      const raster = await predicted.read(region, [channel], options);
      const { data } = raster;
      for (let i = 0; i < data.length; i++) data[i] = Number.isFinite(data[i]) ? value : Number.NaN;
      return raster;
    },
    async close() {},
  };
}
