// Learning rate and length of a contestant's runs, so that each has a whole schedule in the same time.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchmarkSettings } from '../contract/benchmark.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { DivergenceError, UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { readManifest } from '../dataset/manifest.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { recipeOf } from '../training/recipes.ts';
import { type Contestant, fileName, openerOf } from './benchmark-contestants.ts';
import type { Fold } from './benchmark-folds.ts';
import { readJson, trainOptions, trainOrResume } from './benchmark-training.ts';

interface Schedule {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/** Short runs at several learning rates; the error is NaN where one diverged. */
export interface RateTrials {
  readonly steps: number;
  readonly tried: readonly { readonly learningRate: number; readonly validationMse: number }[];
}

/** Learning rate and schedule of a contestant, chosen before its runs. */
export interface Choice extends Schedule {
  readonly learningRate: number;
  /** What the rate was chosen by; undefined where it was not. */
  readonly trials?: RateTrials;
}

/** The lowest first. */
const learningRateFactors = [1 / 3, 1, 3];
/** Of the budget, for a short run at each learning rate, and for finding out how long a step takes. */
const trialShare = 1 / 6;
const longestTrialSeconds = 300;
const probeShare = 1 / 12;
const longestProbeSeconds = 20;
const mostProbeSteps = 50;
/** A schedule is made to end a little before the budget, so that it can end at all on a machine that varies. */
const plannedShare = 0.95;
/** Of the schedule, for validation: as many times as that allows, once at least. */
const validationShare = 0.1;
const mostValidations = 20;
/** Best rates of longer schedules are lower by this power of their length (Bjorck et al., ICLR 2025, arXiv 2409.19913). */
const horizonExponent = -0.32;

/**
 * The schedule that fits a budget, in steps and not in passes over the dataset, so that a slow network on many slides
 * has a whole one too. All times in seconds.
 */
export function scheduleFor(budget: number, stepSeconds: number, validationSeconds: number): Schedule {
  const usable = plannedShare * budget;
  const affordable = Math.floor((validationShare * usable) / validationSeconds);
  const validations = Math.max(1, Math.min(mostValidations, affordable));
  // The last one comes when the time is over.
  const steps = Math.max(1, Math.floor((usable - (validations - 1) * validationSeconds) / stepSeconds));
  const epochs = Math.min(validations, steps);
  return { epochs, stepsPerEpoch: Math.floor(steps / epochs) };
}

const stepsOf = ({ epochs, stepsPerEpoch }: Schedule): number => epochs * stepsPerEpoch;

/** The rate for a run of `steps` after the best of runs of `trialSteps`, which favour too high a one. */
export function rateForLonger(rate: number, trialSteps: number, steps: number): number {
  return Number((rate * Math.max(1, steps / trialSteps) ** horizonExponent).toPrecision(3));
}

function withoutCalibration(dataset: Dataset): Dataset {
  const { manifest } = dataset;
  return { ...dataset, manifest: { ...manifest, windows: { ...manifest.windows, calibration: [] } } };
}

/** Learning rate and schedule of a contestant, found on the first fold and kept for all beside it. */
export async function chosen(
  contestant: Contestant,
  first: Fold,
  options: BenchmarkSettings,
  threads: number,
  work: WorkOptions,
): Promise<Choice> {
  const folder = join(options.out, 'choices', first.name, fileName(contestant.name));
  const path = join(folder, 'choice.json');
  const kept = await readJson<Choice>(path);
  if (kept) return kept;
  const dataset = await first.dataset(contestant.inputs, work);
  const { windows } = await readManifest(dataset);
  if (options.chooseLearningRate && windows.validation.length === 0) {
    throw new UsageError(
      `--choose-learning-rate goes by the validation error, and ${dataset} has no validation slides. Prepare the dataset with --validation SLIDE, or leave it out.`,
    );
  }
  const common = trainOptions(contestant, dataset, options, threads);
  const budget = options.timeBudgetSeconds;
  // Short runs tell of speed and rate; heads and intervals of theirs nobody reads.
  const open = async (folder: string): Promise<Dataset> =>
    withoutCalibration(await openerOf(contestant)(folder));

  const probe = join(folder, 'probe');
  const probeSeconds = Math.min(longestProbeSeconds, budget * probeShare);
  // One that was interrupted has measured nothing.
  await rm(probe, { recursive: true, force: true });
  const usual = recipeOf(contestant.model, contestant.recipe);
  const rates = learningRateFactors.map((factor) => Number((usual.learningRate * factor).toPrecision(3)));
  let speed = await trainOrResume(
    {
      ...{ ...common, out: probe, epochs: 1, stepsPerEpoch: mostProbeSteps, timeBudgetSeconds: probeSeconds },
      // The usual one may be too high, which is for the trials to find out.
      ...(options.chooseLearningRate && { learningRate: rates[0] }),
    },
    open,
    work,
  );
  const fitting = (seconds: number): Schedule =>
    scheduleFor(seconds, speed.secondsPerPatch * usual.batch, speed.validationSeconds);
  const tried: { learningRate: number; validationMse: number }[] = [];
  const seconds = Math.min(longestTrialSeconds, budget * trialShare);
  // The same for every rate, though the first trials tell the speed better: a longer schedule would win by its length.
  // Kept, so that rates tried before an interruption and after it had the same too.
  const shortPath = join(folder, 'trials.json');
  const short = (await readJson<Schedule>(shortPath)) ?? fitting(seconds);
  await writeFileAtomic(shortPath, `${JSON.stringify(short)}\n`);
  for (const learningRate of options.chooseLearningRate ? rates : []) {
    const trialWork: WorkOptions = {
      signal: work.signal,
      onProgress: (progress) =>
        work.onProgress?.({ ...progress, stage: `learning rate ${learningRate}: ${progress.stage}` }),
    };
    const trial = await trainOrResume(
      {
        ...common,
        out: join(folder, `rate-${learningRate}`),
        learningRate,
        ...short,
        timeBudgetSeconds: seconds,
      },
      open,
      trialWork,
    ).catch((error) => {
      // A rate that training cannot stand has lost.
      if (error instanceof DivergenceError) return undefined;
      throw error;
    });
    // Steadier than the probe, whose steps waited for pixels never read before; NaN where it was finished earlier.
    if (trial && Number.isFinite(trial.secondsPerPatch)) speed = trial;
    tried.push({ learningRate, validationMse: Number(trial?.validation?.mse ?? Number.NaN) });
  }
  const schedule = fitting(budget);
  const trials = { steps: stepsOf(short), tried };
  const choice: Choice = options.chooseLearningRate
    ? {
        learningRate: rateForLonger(bestRate(trials, usual.learningRate), trials.steps, stepsOf(schedule)),
        ...schedule,
        trials,
      }
    : { learningRate: usual.learningRate, ...schedule };
  await writeFileAtomic(path, `${JSON.stringify(choice)}\n`);
  return choice;
}

/** The rate of the least validation error; the usual one where all diverged. */
export function bestRate({ tried }: RateTrials, usual: number): number {
  let [best, least] = [usual, Number.POSITIVE_INFINITY];
  for (const { learningRate, validationMse } of tried) {
    if (validationMse < least) [best, least] = [learningRate, validationMse];
  }
  return best;
}
