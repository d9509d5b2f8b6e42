// Use case `benchmark`: the published comparison, every model on the same slides, resumable run by run.

import { access } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  type BenchmarkOptions,
  type BenchmarkResult,
  type BenchmarkRow,
  type BenchmarkSettings,
  benchmarkCommand,
} from '../contract/benchmark.ts';
import { parseOptions } from '../contract/command.ts';
import { commandArguments, shellText } from '../contract/command-line.ts';
import { DivergenceError, throwIfCancelled, UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { type DatasetManifest, readManifest } from '../dataset/manifest.ts';
import { locateSlide, openDataset } from '../dataset/open-dataset.ts';
import { needsResampling } from '../dataset/resampled-source.ts';
import { type ModelFile, modelSha256, readModelFile } from '../model/model-file.ts';
import { findBaseline } from '../model/registry.ts';
import { presetOf } from '../tissue/presets.ts';
import { datasetFingerprint } from '../training/run-folder.ts';
import { type Contestant, contestantsOf } from './benchmark-contestants.ts';
import { type Fold, planFolds, randomFold, rowName } from './benchmark-folds.ts';
import {
  caveatNotes,
  cutNotes,
  differenceNotes,
  gradientNotes,
  lackNotes,
  leakageNotes,
  rateNotes,
  spareNotes,
} from './benchmark-notes.ts';
import { writeBenchmark } from './benchmark-report.ts';
import { machineName, type PlannedRun, type RunRecord, runContestant } from './benchmark-runs.ts';
import { keepSettings, readSettings } from './benchmark-settings.ts';
import { pairedDifferences, rowOf } from './benchmark-table.ts';
import { unknownFocus } from './input-look.ts';
import { prepare } from './prepare.ts';
import { type Ceiling, meanCeiling, readCeiling } from './read-ceilings.ts';
import { simulate } from './simulate.ts';
import { findVesselChannel } from './slide-layers.ts';
import { networkFor, requireFittingPatch, requireFittingStart } from './training-checks.ts';

/**
 * Trains and scores what is not there yet, and writes table, figures and report after every run, so that an
 * interrupted benchmark has its results so far.
 * @throws UsageError (also when the folder holds runs made by other settings), and whatever prepare, train and predict throw; finished runs are kept
 */
export async function benchmark(given: BenchmarkOptions, work: WorkOptions = {}): Promise<BenchmarkResult> {
  const options = parseOptions(benchmarkCommand, given);
  const command = shellText(commandArguments(benchmarkCommand, given));
  const start = options.from === undefined ? undefined : await readModelFile(options.from);
  const settings = await readSettings(options, start && modelSha256(start));
  const dataset = await datasetOf(options, work);
  const manifest = await readManifest(dataset);
  const contestants = contestantsOf(options, manifest.inputRoles);
  const startNotes = await requireTrainable(contestants, options.patch ?? manifest.patch, manifest);
  await keepSettings(settings, manifest, options.out);
  const ownNotes = [
    ...(await notesOnVessels(dataset)),
    ...unknownFocus(manifest),
    ...(start ? notesOnStart(start, manifest, options) : []),
    ...startNotes,
  ];
  const heldOut = await planFolds(options, dataset);
  const folds = options.randomPatches ? [...heldOut, randomFold(heldOut[0], options.out)] : heldOut;
  const threads = options.threads ?? availableParallelism();

  const planned: PlannedRun[] = folds.flatMap((fold) =>
    contestants
      // What a model loses with an input shows when slides are held out.
      .filter(({ inputs }) => inputs === undefined || fold.test.length > 0)
      .flatMap((contestant) =>
        // A baseline does not depend on the seed.
        Array.from({ length: findBaseline(contestant.model) ? 1 : options.seeds }, (_, seed) => ({
          fold,
          contestant,
          seed,
        })),
      ),
  );
  const ceilings = new Map<string, Ceiling | null>();
  // Of windows drawn at random nobody knows what can be predicted.
  for (const { name, test } of heldOut) {
    const held = manifest.slides.filter(({ name: slide }) => test.includes(slide));
    const paths = await Promise.all(held.map((slide) => locateSlide(dataset, slide)));
    // The truth beside a slide is that at its own pixel size.
    const isResampled = held.some(({ pixelSizeUm }, i) =>
      needsResampling(paths[i], pixelSizeUm, manifest.pixelSizeUm),
    );
    ceilings.set(name, isResampled ? null : await readCeiling(paths));
  }
  const runs: RunRecord[] = [];
  const failures: string[] = [];
  const resultSoFar = (): BenchmarkResult =>
    resultOf(
      command,
      options,
      manifest,
      contestants,
      planned,
      folds,
      runs,
      [...ownNotes, ...failures],
      ceilings,
    );
  let result = resultSoFar();
  for (const [i, { fold, contestant, seed }] of planned.entries()) {
    throwIfCancelled(work.signal, 'the benchmark');
    const where = `${contestant.name}, ${fold.name}, seed ${seed} (${i + 1} of ${planned.length})`;
    const runWork: WorkOptions = {
      signal: work.signal,
      onProgress: (progress) => work.onProgress?.({ ...progress, stage: `${where}: ${progress.stage}` }),
    };
    try {
      runs.push(await runContestant(contestant, fold, folds[0], seed, options, threads, runWork));
    } catch (error) {
      // One that cannot be trained must not keep the others from their rows.
      if (!(error instanceof DivergenceError)) throw error;
      failures.push(`${contestant.name}, ${fold.name}, seed ${seed} has no result: ${error.message}`);
    }
    result = resultSoFar();
    await writeBenchmark(result, runs, options.out);
  }
  return result;
}

/**
 * Before the first of many runs, for those that would be refused hours later.
 * @returns what `requireFittingStart` says
 */
async function requireTrainable(
  contestants: readonly Contestant[],
  patch: number,
  manifest: DatasetManifest,
): Promise<string[]> {
  const notes: string[] = [];
  for (const { model: name, from, recipe } of contestants) {
    if (findBaseline(name)) continue;
    const model = networkFor(name, recipe);
    requireFittingPatch(model, model.fixedTile ?? patch);
    if (from !== undefined) notes.push(...requireFittingStart(await readModelFile(from), model, manifest));
  }
  return notes;
}

/**
 * Whether slides that are held out may be those that the start was trained on.
 * @throws UsageError where some of them are
 */
function notesOnStart(
  { path, manifest: { training } }: ModelFile,
  manifest: DatasetManifest,
  { leaveOneOut, randomPatches }: BenchmarkSettings,
): string[] {
  if (training.dataset !== datasetFingerprint(manifest)) {
    return [
      `The model to start from, ${path}, was trained on another dataset than this one. If slides held out here are among those that it was trained on, its row is no test.`,
    ];
  }
  if (leaveOneOut || randomPatches) {
    throw new UsageError(
      `--from ${path}: the model was trained on slides of this dataset, which ${leaveOneOut ? '--leave-one-out holds out in turn' : '--random-patches takes test windows from'}. Leave that out, or start from a model of other slides.`,
    );
  }
  return [];
}

/**
 * What follows where a slide has no known vessels, which models without that input do not need, but the scores do.
 * @throws DataError where several channels could be the vessels, before anything is trained
 */
async function notesOnVessels(folder: string): Promise<string[]> {
  const dataset = await openDataset(folder);
  try {
    const without = dataset.slides
      .filter(({ source, entry }) => findVesselChannel(source, entry.channels) === undefined)
      .map(({ entry }) => entry.name);
    if (without.length === 0) return [];
    return [`No vessel channel is known on ${without.join(', ')}: all tissue there counts as extravascular.`];
  } finally {
    await dataset.close();
  }
}

const needsOne = 'benchmark needs either a DATASET made by `hrpn prepare`, or --preset NAME.';

/** One each for training, validation and test. */
const fewestSlides = 3;

/**
 * The dataset given, or one of simulated slides that is made (or completed) in the output folder.
 * @throws UsageError when neither or both are asked for
 */
async function datasetOf(options: BenchmarkSettings, work: WorkOptions): Promise<string> {
  const { dataset, preset, slides, calibrationSlides, size, out } = options;
  if (preset === undefined) {
    if (dataset === undefined) throw new UsageError(needsOne);
    for (const [flag, value] of Object.entries({
      '--slides': slides,
      '--calibration-slides': calibrationSlides,
    })) {
      if (value === undefined) continue;
      throw new UsageError(`${flag} goes with --preset; a DATASET has the slides that it was prepared with.`);
    }
    return dataset;
  }
  if (dataset !== undefined) throw new UsageError(needsOne);
  const folder = join(out, 'dataset');
  const isThere = await access(join(folder, 'dataset.json')).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const count = slides ?? presetOf(preset).slides;
  if (count - (calibrationSlides ?? 0) < fewestSlides) {
    throw new UsageError(
      `--calibration-slides ${calibrationSlides} of ${count} slides leaves fewer than ${fewestSlides}: expected one each to train on, for validation and for the test. Give more --slides, or fewer for calibration.`,
    );
  }
  const simulated = await simulate({ out: join(out, 'slides'), preset, slides, size, resume: true }, work);
  const paths = simulated.slides.map(({ path }) => path);
  await prepare(
    {
      slides: paths,
      test: paths.slice(-1),
      calibration: paths.slice(0, calibrationSlides ?? 0),
      out: folder,
    },
    work,
  );
  return folder;
}

function resultOf(
  command: string,
  options: BenchmarkSettings,
  manifest: DatasetManifest,
  contestants: readonly Contestant[],
  planned: readonly PlannedRun[],
  folds: readonly Fold[],
  runs: readonly RunRecord[],
  ownNotes: readonly string[],
  ceilings: ReadonlyMap<string, Ceiling | null>,
): BenchmarkResult {
  const models: Record<string, BenchmarkRow> = {};
  const names = folds.flatMap((fold) => contestants.map(({ name }) => rowName(name, fold)));
  for (const name of new Set(names)) {
    const own = runs.filter(({ contestant }) => contestant === name);
    if (own.length > 0) models[name] = rowOf(own, (fold) => ceilings.get(fold)?.mse ?? Number.NaN);
  }
  const threads = options.threads ?? availableParallelism();
  // A benchmark that was continued elsewhere has runs of several.
  const machines = [...new Set(runs.map(({ machine }) => machine))];
  const notes = [
    'MSE, R2 and the rest are over all tissue of the slides held out, then averaged over folds and seeds.',
    `Every trained model was given the same time${machines.length > 1 ? '' : ' on the same machine'}, ${options.timeBudgetSeconds} s (${options.device === 'webgpu' ? 'passed, on a GPU' : 'processor time over threads'}), and a schedule to fit it.`,
  ];
  if (models.constant) {
    notes.push('The floor is constant: the mean of the training slides everywhere.');
  }
  if (options.leaveOneOut && options.chooseLearningRate) {
    notes.push(
      `Learning rates were chosen once, by validation in the first fold (${folds[0].name} held out), for all folds: the slides trained and validated on there are the test slides of other folds.`,
    );
  }
  notes.push(
    ...ownNotes,
    ...lackNotes(models, planned),
    ...rateNotes(runs),
    ...cutNotes(runs),
    ...spareNotes(runs, options.timeBudgetSeconds),
    ...caveatNotes(runs),
    ...gradientNotes(models),
  );
  notes.push(...leakageNotes(runs, contestants, folds, manifest));
  const groups = new Map(manifest.slides.map(({ name, group }) => [name, group]));
  const differences = pairedDifferences(runs, Object.keys(models), (slide) => groups.get(slide) ?? slide);
  notes.push(...differenceNotes(differences));
  const heldOut = folds.filter(({ test }) => test.length > 0);
  const withinSlide = manifest.splitBy === 'field';
  if (withinSlide)
    notes.push('The fields are parts of one slide: the results are within-slide and say nothing of others.');
  return {
    out: options.out,
    command,
    machine: `${machines.join(' and ') || machineName()}, ${threads === 1 ? '1 thread' : `${threads} threads`}`,
    withinSlide,
    target: manifest.targetRole,
    folds: heldOut.map(({ name, test }) => ({ name, test: [...test] })),
    models,
    ceiling: meanCeiling(heldOut.map(({ name }) => ceilings.get(name) ?? null)),
    differences,
    notes,
    files: ['benchmark.json', 'models.csv', 'slides.csv', 'report.html'].map((file) =>
      join(options.out, file),
    ),
  };
}
