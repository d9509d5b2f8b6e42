// Evaluates a model on the slides of a dataset's split: predicts each as `predict` does, and scores it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { type Dataset, openDataset } from '../dataset/open-dataset.ts';
import { needsResampling } from '../dataset/resampled-source.ts';
import { Coverage } from '../evaluation/coverage.ts';
import { type ModelFile, readModelFile } from '../model/model-file.ts';
import { openSlide } from '../slide/open-slide.ts';
import { datasetFingerprint } from '../training/run-folder.ts';
import { DerivedCoverage, unlikeCalibration } from './derived-intervals.ts';
import { drawComparison } from './evaluate-picture.ts';
import { type EvaluatedPair, evaluateSlide, type SlideEvaluation } from './evaluate-slide.ts';
import { findTruth, findVessels, openTarget } from './evaluate-target.ts';
import {
  coverageLevel,
  type EvaluateSettings,
  type Evaluation,
  intervalsAreForMeasured,
  isScored,
} from './evaluation.ts';
import { writePrediction } from './predict.ts';
import { peakOf } from './score-slide.ts';

const calibratedHere =
  'The intervals were calibrated on these very slides: how often they hold here is no test of them.';
const anotherDataset =
  'The model was trained on another dataset than this one. The slides scored here may be among those that it was trained on, and then this is no test.';

/** @param out folder for what is to be kept; undefined where nothing is */
export async function evaluateModel(
  options: EvaluateSettings,
  out: string | undefined,
  work: WorkOptions,
): Promise<Evaluation> {
  const model = await readModelFile(options.model as string);
  const dataset = await openDataset(options.dataset as string);
  const folder = out ?? (await mkdtemp(join(tmpdir(), 'hrpn-evaluate-')));
  try {
    const { manifest } = dataset;
    requireSameTask(model, dataset);
    const { split = 'test' } = options;
    const chosen = dataset.slides.filter(({ entry }) => entry.split === split);
    if (chosen.length === 0) {
      throw new DataError(
        `the dataset ${options.dataset} has no ${split} slides. Run \`hrpn prepare\` with --${split} SLIDE, or choose another with --split.`,
      );
    }
    const isMeasured = options.target === 'measured';
    const found: string[] = [];
    const vessels = chosen.map(({ entry, source }) =>
      findVessels(source, { ...entry.channels, ...options.roles }, found),
    );
    const notes = new Set(found);
    if (!isMeasured) for (const { source } of chosen) await findTruth(source.path);
    const { training } = model.manifest;
    const isOwn = training.dataset === datasetFingerprint(manifest);
    if (split !== 'train' && !isOwn) notes.add(anotherDataset);
    if (split === 'calibration' && isOwn && isMeasured && model.manifest.intervals) notes.add(calibratedHere);
    const interval = isMeasured ? model.manifest.intervals?.find(isScored) : undefined;
    const tally = interval && new Coverage(coverageLevel);
    const { derivedIntervals, calibrationTissueMm2 } = model.manifest;
    const ofDerived =
      isMeasured && derivedIntervals ? new DerivedCoverage(derivedIntervals, coverageLevel) : undefined;
    const scores: SlideEvaluation[] = [];
    const files: string[] = [];
    if (!isMeasured && model.manifest.intervals) notes.add(intervalsAreForMeasured);
    const peak = await peakOf(
      chosen.map(({ source, targetChannel }) => ({ source, channel: targetChannel })),
      work,
    );
    for (const [i, slide] of chosen.entries()) {
      const { entry, source } = slide;
      const stage = `slide ${i + 1} of ${chosen.length}, ${entry.name}`;
      const slideWork: WorkOptions = {
        signal: work.signal,
        onProgress: (progress) => work.onProgress?.({ ...progress, stage: `${stage}: ${progress.stage}` }),
      };
      const file = join('predictions', `${entry.name}.ome.tif`);
      const path = join(folder, file);
      const made = await writePrediction(
        {
          model: options.model as string,
          slide: source.path,
          out: path,
          roles: Object.fromEntries(
            [...model.manifest.roles, ...(model.manifest.derived ? ['nuclei'] : [])].flatMap((role) =>
              entry.channels[role] ? [[role, entry.channels[role]]] : [],
            ),
          ),
          pixelSizeUm: entry.givenPixelSizeUm,
          ...entry.plane,
          interval: interval && coverageLevel,
          threads: options.threads,
        },
        slideWork,
      );
      for (const note of made.notes) notes.add(note);
      if (out !== undefined) files.push(file);
      const opened: PixelSource[] = [];
      try {
        const stored = await openSlide(path);
        opened.push(stored);
        const target = await openTarget(source, source.path, options, opened, slide.targetChannel);
        const pair: EvaluatedPair = {
          name: entry.name,
          group: entry.group,
          measured: target.source,
          measuredChannel: target.channel,
          predicted: stored,
          predictedChannel: 0,
          vessel: vessels[i],
          inputs: { source, channels: slide.inputChannels },
          tissue: slide.mask,
          pixelSizeUm: manifest.pixelSizeUm,
          peak,
          constant: manifest.targetMap.offset,
          coverage: tally && { tally, ends: [1, 2] },
        };
        const score = await evaluateSlide(pair, slideWork);
        // Calibration slides were of this dataset and resampled as its others.
        const unlike = ofDerived && unlikeCalibration({ calibrationTissueMm2 }, entry.tissueAreaMm2);
        if (unlike !== undefined) notes.add(`${entry.name}: no intervals of distances and shares: ${unlike}`);
        const isTold = ofDerived && unlike === undefined;
        scores.push(isTold ? { ...score, derived: ofDerived.add(score.derived) } : score);
        if (out !== undefined) files.push(await drawComparison(pair, score, out));
      } finally {
        await Promise.all(opened.map((each) => each.close()));
        // A gigapixel's takes gigabytes.
        if (out === undefined) await rm(path, { force: true });
      }
    }
    return {
      scores,
      slidePaths: chosen.map(({ source }) => source.path),
      isResampled: chosen.some(({ entry, source }) =>
        needsResampling(source.path, entry.pixelSizeUm, manifest.pixelSizeUm),
      ),
      peak,
      floorIs: 'the mean of the training slides',
      withinSlide: manifest.splitBy === 'field' || training.splitBy === 'field',
      coverage: tally ? tally.table() : null,
      derivedCoverage: ofDerived ? ofDerived.table() : null,
      notes: [...notes],
      files,
    };
  } finally {
    await dataset.close();
    if (out === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** What would otherwise show only after a whole slide was predicted, or not at all. */
function requireSameTask({ path, manifest: of }: ModelFile, { folder, manifest }: Dataset): void {
  if (needsResampling(folder, manifest.pixelSizeUm, of.pixelSizeUm)) {
    throw new DataError(
      `the model ${path} works at ${of.pixelSizeUm} um a pixel, and the dataset ${folder} is at ${manifest.pixelSizeUm}. Prepare the dataset with --dataset-pixel-size-um ${of.pixelSizeUm}.`,
    );
  }
  if (of.targetRole !== manifest.targetRole) {
    throw new DataError(
      `the model ${path} predicts ${of.targetRole}, and the target of the dataset ${folder} is ${manifest.targetRole}. Prepare the dataset with --target ${of.targetRole}.`,
    );
  }
}
