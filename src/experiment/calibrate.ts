// Calibrates a model's prediction intervals on the calibration slides of its dataset and writes them into its file.
import { UsageError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf } from '../core/raster.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { type CalibrationSlide, calibrateInterval, slidesNeeded } from '../evaluation/conformal.ts';
import { type Interval, scaledError } from '../model/interval.ts';
import { type ModelFile, type ModelManifest, withManifest } from '../model/model-file.ts';
import { segmentVessels } from '../spatial/segment-vessels.ts';
import { type DerivedPair, derivedIntervals } from './derived-intervals.ts';
import { compareSpace } from './evaluate-space.ts';
import { trainedLook } from './input-look.ts';
import { tissueBits } from './slide-layers.ts';
import { firstChannel, visitPredictions } from './visit-predictions.ts';

/** Levels that a model file carries intervals for. */
const levels = [0.5, 0.8, 0.9, 0.95];
/** Pixels of a slide that speak for it; its errors are alike over a cell and more, so further ones add little. */
const pixelsPerSlide = 20_000;

/**
 * Completes a model with what its dataset says of its limits: intervals, and how the training slides looked.
 * Without calibration slides there are no intervals. Slides of one animal count as one, for the next slide
 * will be another animal's; fields of one slide never count as slides.
 * @returns the bytes of its file
 */
export async function calibratedModel(
  model: ModelFile,
  dataset: Dataset,
  threads: number,
  work: WorkOptions = {},
): Promise<Uint8Array> {
  const { manifest } = dataset;
  let intervals: Interval[] = [];
  let ofDerived: ModelManifest['derivedIntervals'];
  if (manifest.windows.calibration.length > 0) {
    const { groups, derived } = await calibrationSlides(dataset, model, threads, work);
    intervals = levels.map((level): Interval => {
      const interval: Interval = {
        ...calibrateInterval(groups, level),
        ...(model.manifest.spread && { scaled: true }),
      };
      return manifest.splitBy === 'field' ? { ...interval, basis: 'within-cohort' } : interval;
    });
    ofDerived = derivedIntervals(derived, levels, manifest.splitBy === 'field');
  }
  // Only what is normalised slide by slide can be compared with slides of other stain strength.
  const trainedOn = 'reaches' in model.manifest.inputMaps ? trainedLook(dataset) : undefined;
  const manifestNow = {
    ...model.manifest,
    ...(trainedOn && { trainedOn }),
    ...(intervals.length > 0 && { intervals }),
    ...(ofDerived && { derivedIntervals: ofDerived, calibrationTissueMm2: leastTissue(dataset) }),
  };
  return withManifest(model, manifestNow);
}

function leastTissue({ manifest }: Dataset): number {
  const areas = manifest.slides.flatMap(({ split, tissueAreaMm2 }) =>
    split === 'calibration' ? [tissueAreaMm2] : [],
  );
  return Math.min(...areas);
}

async function calibrationSlides(
  dataset: Dataset,
  model: ModelFile,
  threads: number,
  work: WorkOptions,
): Promise<{ groups: CalibrationSlide[]; derived: Record<string, DerivedPair>[] }> {
  const samples = new Map<string, { predicted: number[]; errors: number[] }>();
  // Of the first slide of each animal.
  const derived = new Map<string, Record<string, DerivedPair>>();
  await visitPredictions(
    dataset,
    'calibration',
    model,
    threads,
    ['probe'],
    ({ slide, predicted, measured, counts }) => {
      const { group, width, height } = dataset.slides[slide].entry;
      const probe = channelOf(predicted, 0);
      const sample = samples.get(group) ?? { predicted: [], errors: [] };
      samples.set(group, sample);
      const every = Math.max(1, Math.floor((width * height) / pixelsPerSlide)) | 1;
      const spread = model.manifest.spread && [1, 2].map((c) => channelOf(predicted, c));
      for (let i = 0; i < counts.length; i += every) {
        if (counts[i] === 0) continue;
        const error = measured[i] - probe[i];
        sample.predicted.push(probe[i]);
        sample.errors.push(spread ? scaledError(error, spread[0][i], spread[1][i]) : error);
      }
      return firstChannel(predicted);
    },
    async (slide, predicted) => {
      const { group } = dataset.slides[slide].entry;
      if (!derived.has(group)) derived.set(group, await derivedPairs(dataset, slide, predicted, work));
    },
    work,
  );
  const groups = [...samples.values()].map(({ predicted, errors }) => ({
    predicted: Float32Array.from(predicted),
    errors: Float32Array.from(errors),
  }));
  return { groups, derived: [...derived.values()] };
}

/** What a predicted slide says of space beside what the measured one says; empty where no vessels are known. */
async function derivedPairs(
  { manifest, slides }: Dataset,
  index: number,
  predicted: PixelSource,
  work: WorkOptions,
): Promise<Record<string, DerivedPair>> {
  const { source, mask, inputChannels, targetChannel } = slides[index];
  const vesselRole = manifest.inputRoles.indexOf('vessel');
  if (vesselRole < 0) return {};
  const { pixelSizeUm } = manifest;
  const channel = inputChannels[vesselRole];
  const tissue = tissueBits(mask, source.width, source.height);
  const { mask: vessels } = await segmentVessels(
    { source, channel, pixelSizeUm, tissue },
    { signal: work.signal },
  );
  const { derived } = await compareSpace(
    {
      measured: [source, targetChannel],
      predicted: [predicted, 0],
      inputs: { source, channels: inputChannels },
    },
    mask,
    tissue,
    vessels,
    pixelSizeUm,
    { signal: work.signal },
  );
  return derived;
}

/**
 * The interval of a level from a model file.
 * @throws UsageError when the model has none, or none of that level
 */
export function findInterval({ path, manifest }: ModelFile, level: number): Interval {
  const { intervals = [] } = manifest;
  if (intervals.length === 0) {
    throw new UsageError(
      `${path} has no prediction intervals: its dataset had no calibration slides, or its training was stopped before its end and wants --resume. Run \`hrpn prepare\` with --calibration SLIDE (${slidesNeeded(level)} or more for ${level}, each of another animal) and train again, or leave out --interval.`,
    );
  }
  const found = intervals.find((interval) => Math.abs(interval.level - level) < 1e-9);
  if (found) return found;
  throw new UsageError(
    `--interval ${level}: ${path} has intervals of ${intervals.map((interval) => interval.level).join(', ')}.`,
  );
}

/** What a person must know who uses an interval; undefined where it is what it seems. */
export function intervalCaveat({ level, slides, basis }: Interval, splitBy: string): string | undefined {
  if (basis === 'slides') return undefined;
  const share = `${Math.round(level * 100)}%`;
  if (splitBy === 'field') {
    return `The ${share} interval is calibrated on ${slides} field${slides === 1 ? '' : 's'} of one slide: it is within-slide and promises nothing for another slide.`;
  }
  const what = splitBy === 'animal' ? 'animal' : 'slide';
  return `The ${share} interval is within-cohort: it is calibrated on ${slides} ${what}${slides === 1 ? '' : 's'}, and at least ${slidesNeeded(level)} are needed to promise ${share} on a further one.`;
}
