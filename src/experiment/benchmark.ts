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
import { widestOverlapPx } from '../dataset/random-windows.ts';
import { needsResampling } from '../dataset/resampled-source.ts';
import { findBaseline } from '../model/registry.ts';
import { type Contestant, contestantsOf } from './benchmark-contestants.ts';
import { type Fold, planFolds, randomFold, rowName } from './benchmark-folds.ts';
import { writeBenchmark } from './benchmark-report.ts';
import { machineName, type RunRecord, runContestant } from './benchmark-runs.ts';
import { keepSettings, readSettings } from './benchmark-settings.ts';
import { pairedDifferences, rowOf } from './benchmark-table.ts';
import { prepare } from './prepare.ts';
import { type Ceiling, meanCeiling, readCeiling } from './read-ceilings.ts';
import { simulate } from './simulate.ts';
import { findVesselChannel } from './slide-layers.ts';

/** One run to make. */
interface Planned {
  readonly fold: Fold;
  readonly contestant: Contestant;
  readonly seed: number;
}

/**
 * Trains and scores what is not there yet, and writes table, figures and report after every run, so that an
 * interrupted benchmark has its results so far.
 * @throws UsageError (also when the folder holds runs made by other settings), and whatever prepare, train and predict throw; finished runs are kept
 */
export async function benchmark(given: BenchmarkOptions, work: WorkOptions = {}): Promise<BenchmarkResult> {
  const options = parseOptions(benchmarkCommand, given);
  const command = shellText(commandArguments(benchmarkCommand, given));
  const settings = await readSettings(options);
  const dataset = await datasetOf(options, work);
  const manifest = await readManifest(dataset);
  await keepSettings(settings, manifest, options.out);
  const contestants = contestantsOf(options, manifest.inputRoles);
  const vesselNotes = await notesOnVessels(dataset);
  const heldOut = await planFolds(options, dataset);
  const folds = options.randomPatches ? [...heldOut, randomFold(heldOut[0], options.out)] : heldOut;
  const threads = options.threads ?? availableParallelism();

  const planned: Planned[] = folds.flatMap((fold) =>
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
  for (const { name, test } of folds) {
    const held = manifest.slides.filter(({ name: slide, split }) =>
      test.length > 0 ? test.includes(slide) : split !== 'calibration',
    );
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
      [...vesselNotes, ...failures],
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

/**
 * The dataset given, or one of simulated slides that is made (or completed) in the output folder.
 * @throws UsageError when neither or both are asked for
 */
async function datasetOf(options: BenchmarkSettings, work: WorkOptions): Promise<string> {
  const { dataset, preset, slides, size, out } = options;
  if ((dataset === undefined) === (preset === undefined)) {
    throw new UsageError('benchmark needs either a DATASET made by `hrpn prepare`, or --preset NAME.');
  }
  if (dataset !== undefined) {
    if (slides !== undefined) {
      throw new UsageError(
        '--slides goes with --preset; a DATASET has the slides that it was prepared with.',
      );
    }
    return dataset;
  }
  const folder = join(out, 'dataset');
  const isThere = await access(join(folder, 'dataset.json')).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const simulated = await simulate({ out: join(out, 'slides'), preset, slides, size, resume: true }, work);
  const paths = simulated.slides.map(({ path }) => path);
  await prepare({ slides: paths, test: paths.slice(-1), out: folder }, work);
  return folder;
}

function resultOf(
  command: string,
  options: BenchmarkSettings,
  manifest: DatasetManifest,
  contestants: readonly Contestant[],
  planned: readonly Planned[],
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
  // A benchmark that was continued elsewhere has runs of several.
  const machines = [...new Set(runs.map(({ machine }) => machine))];
  const notes = [
    'MSE, R2 and the rest are over all tissue of the slides held out, then averaged over folds and seeds.',
    `Every trained model had the same time${machines.length > 1 ? '' : ' on the same machine'}; its schedule was made to fit that time (${options.device === 'webgpu' ? 'passed, on a GPU' : 'processor time over threads'}).`,
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
    ...cutNotes(runs),
    ...caveatNotes(runs),
    ...gradientNotes(models),
  );
  notes.push(...leakageNotes(models, contestants, folds, manifest));
  const heldOut = folds.filter(({ test }) => test.length > 0);
  const withinSlide = manifest.splitBy === 'field';
  if (withinSlide)
    notes.push('The fields are parts of one slide: the results are within-slide and say nothing of others.');
  return {
    out: options.out,
    command,
    machine: `${machines.join(' and ') || machineName()}, ${options.threads ?? availableParallelism()} threads`,
    withinSlide,
    target: manifest.targetRole,
    folds: heldOut.map(({ name, test }) => ({ name, test: [...test] })),
    models,
    ceiling: meanCeiling(heldOut.map(({ name }) => ceilings.get(name) ?? null)),
    differences: pairedDifferences(runs),
    notes,
    files: ['benchmark.json', 'models.csv', 'slides.csv', 'report.html'].map((file) =>
      join(options.out, file),
    ),
  };
}

/** Rows over fewer folds or seeds than planned: folds differ in how hard they are, so such rows are not to be compared. */
function lackNotes(models: Readonly<Record<string, BenchmarkRow>>, planned: readonly Planned[]): string[] {
  return Object.entries(models).flatMap(([name, { runs }]) => {
    const all = planned.filter(({ contestant, fold }) => rowName(contestant.name, fold) === name).length;
    return runs === all
      ? []
      : [`${name}: ${runs} of ${all} runs have a result, so the row is not to be compared with rows of all.`];
  });
}

/** What 90% intervals do not promise, of each model. */
function caveatNotes(runs: readonly RunRecord[]): string[] {
  const found = runs.flatMap(({ contestant, caveat }) =>
    caveat === undefined ? [] : [`${contestant}: ${caveat}`],
  );
  return [...new Set(found)];
}

/** Whose time ended before the schedule did, so that the learning rate never came down and more time would help more. */
function cutNotes(runs: readonly RunRecord[]): string[] {
  const cut = runs.filter(({ steps, plannedSteps }) => steps < plannedSteps);
  return [...new Set(cut.map(({ contestant }) => contestant))].map((name) => {
    const own = cut.filter(({ contestant }) => contestant === name);
    const least = own.reduce((a, b) => (a.steps / a.plannedSteps <= b.steps / b.plannedSteps ? a : b));
    return (
      `${name}: the time ended before the schedule did, in ${own.length} of its runs (after ${least.steps} of ${least.plannedSteps} steps at the earliest). ` +
      'Its learning rate had not come down, so the row understates it; give it more --time-budget.'
    );
  });
}

/** A model says that the probe is brighter beside vessels where it is by so many standard deviations, and surely. */
const leastGradient = 0.1;

/** Whether the probe is brighter beside vessels, and which models say so where it is not. */
function gradientNotes(models: Readonly<Record<string, BenchmarkRow>>): string[] {
  const rows = Object.entries(models);
  const measured = rows[0]?.[1].vesselGradient.measured;
  if (measured === undefined || Number.isNaN(measured.low)) return [];
  const isBright = measured.low > 0;
  const claims = rows.filter(
    ([, { vesselGradient }]) =>
      vesselGradient.predicted.low > 0 && vesselGradient.predicted.mean >= leastGradient,
  );
  return [
    `The measured probe is ${isBright ? '' : 'not '}brighter beside vessels (3 to 10 um) than far from them (beyond 25 um): ` +
      `by ${measured.mean.toFixed(3)} of its standard deviations outside vessels (95% interval ${measured.low.toFixed(3)} to ${measured.high.toFixed(3)}). ` +
      (claims.length === 0
        ? 'No model says that it is.'
        : `Models that say it is: ${claims.map(([name]) => name).join(', ')}.`),
  ];
}

/** What windows drawn at random make of each model's R2. */
function leakageNotes(
  models: Readonly<Record<string, BenchmarkRow>>,
  contestants: readonly Contestant[],
  folds: readonly Fold[],
  manifest: DatasetManifest,
): string[] {
  const random = folds.find(({ test }) => test.length === 0);
  const pairs = contestants.flatMap(({ name }) => {
    const flattered = random && models[rowName(name, random)];
    return flattered && models[name]
      ? [`${name} ${flattered.r2.toFixed(3)} instead of ${models[name].r2.toFixed(3)}`]
      : [];
  });
  if (pairs.length === 0) return [];
  const overlap = widestOverlapPx(manifest);
  return [
    `Random patches: windows of ${manifest.patch} px of the same slides were drawn at random into training, validation and test, as many as by ${manifest.splitBy}. ` +
      `Neighbouring windows ${overlap === 0 ? 'touch' : `overlap by up to ${overlap} px`}; a pixel in several belongs to one split only, so no test pixel was trained on, but tissue beside it was. ` +
      `R2 is then ${pairs.join('; ')}. The difference is what the ${manifest.splitBy} tells, and no new ${manifest.splitBy} will.`,
  ];
}
