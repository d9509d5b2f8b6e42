// The runs of a benchmark, each in a folder of its own; what is finished there is kept.
import { access, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { BenchmarkSettings } from '../contract/benchmark.ts';
import type { TrainOptions, TrainResult } from '../contract/train.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { type Clock, processorClock, wallClock } from '../core/clock.ts';
import { DivergenceError, UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { type Dataset, openDataset } from '../dataset/open-dataset.ts';
import { withTurnedInput } from '../dataset/turned-input.ts';
import { countFlops } from '../engine/flops.ts';
import { Graph } from '../engine/graph.ts';
import type { CoverageTable } from '../evaluation/coverage.ts';
import { emptyRegion, type MetricBlock, mergeRegions, metricsOf } from '../evaluation/metric-block.ts';
import { type ModelFile, readModelFile } from '../model/model-file.ts';
import { PredictionBuilder } from '../model/network.ts';
import { findBaseline, findModel } from '../model/registry.ts';
import { recipeOf } from '../training/recipes.ts';
import { readRunSettings, runFiles } from '../training/run-folder.ts';
import { type Fold, rowName } from './benchmark-folds.ts';
import { scoreModel } from './score-model.ts';
import { train } from './train.ts';
import { watchMemory } from './watch-memory.ts';

/** A row of the table: a model, the inputs it sees, and where it starts from. */
export interface Contestant {
  /** e.g. 'hrpn', 'hrpn@vessel', 'hrpn from small.onnx'. */
  readonly name: string;
  readonly model: string;
  /** All of the dataset's unless given. */
  readonly inputs?: readonly string[];
  readonly from?: string;
  readonly recipe?: 'standard';
  /** Input whose image is turned by half a turn: a control. */
  readonly turned?: string;
}

/** What is kept of a finished run. */
export interface RunRecord {
  readonly contestant: string;
  readonly fold: string;
  readonly seed: number;
  readonly pooled: MetricBlock;
  readonly extravascular: MetricBlock;
  readonly perSlide: readonly { slide: string; mse: number; r2: number; extravascularMse: number }[];
  /** 99.9th less 0.1st percentile, mean over slides. */
  readonly range: { readonly predicted: number; readonly measured: number };
  /** Mean 3 to 10 um from a vessel less the mean beyond 25 um, mean over slides, in standard deviations of the measured. */
  readonly vesselGradient?: { readonly predicted: number; readonly measured: number };
  /** Of the 90% interval, where the model has one. */
  readonly interval?: CoverageTable;
  readonly parameters: number;
  readonly flopsPerPixel: number;
  /** Of training, for 512 x 512 px; NaN for baselines. */
  readonly secondsPerPatch: number;
  readonly predictSecondsPerPatch: number;
  /** Largest memory of the process while it trained and predicted. */
  readonly peakMemoryBytes: number;
  readonly learningRate: number;
  readonly epochs: number;
  /** Taken, and those of the whole schedule: more where the time ended first. */
  readonly steps: number;
  readonly plannedSteps: number;
  readonly seconds: number;
  readonly validationR2: number;
  /** Seconds since the start, and R2 on validation after it. */
  readonly curve: readonly { seconds: number; r2: number }[];
}

interface Schedule {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/** Learning rate and schedule of a contestant, chosen before its runs. */
interface Choice extends Schedule {
  readonly learningRate: number;
}

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

/**
 * Parses `--models`. @throws UsageError for a name that is no model's or inputs the dataset lacks
 */
export function contestantsOf({ models, from }: BenchmarkSettings, roles: readonly string[]): Contestant[] {
  const contestants: Contestant[] = [];
  for (const name of models.split(',').map((part) => part.trim())) {
    if (contestants.some((other) => other.name === name)) {
      throw new UsageError(`--models names ${name} twice. Use --seeds for several runs of a model.`);
    }
    const [seen, turned] = name.split('%');
    const [head, ...inputs] = seen.split('@');
    const [model, recipe] = head.split(':');
    if (recipe !== undefined && (recipe !== 'standard' || findBaseline(model))) {
      throw new UsageError(`--models ${name}: expected NAME or NAME:standard of a trained model.`);
    }
    if (!findBaseline(model)) findModel(model);
    for (const role of turned === undefined ? inputs : [...inputs, turned]) {
      if (roles.includes(role)) continue;
      throw new UsageError(
        `--models ${name}: the dataset has the inputs ${roles.join(', ')}, not '${role}'.`,
      );
    }
    contestants.push({
      name,
      model,
      ...(inputs.length > 0 && { inputs }),
      ...(recipe === 'standard' && { recipe }),
      ...(turned !== undefined && { turned }),
    });
  }
  return from === undefined ? contestants : [...contestants, ...started(contestants, from)];
}

/** The first trained model once more, started from a trained one; train says if that does not fit. */
function started(contestants: readonly Contestant[], from: string): Contestant[] {
  const first = contestants.find(({ model, inputs }) => !findBaseline(model) && inputs === undefined);
  return first ? [{ ...first, name: `${first.name} pre-trained`, from }] : [];
}

/** How a contestant sees a dataset. */
function openerOf({ turned }: Contestant): (folder: string) => Promise<Dataset> {
  return async (folder) => {
    const dataset = await openDataset(folder);
    return turned === undefined ? dataset : withTurnedInput(dataset, turned);
  };
}

/** Does one run, or reads what is left of it. */
export async function runContestant(
  contestant: Contestant,
  fold: Fold,
  first: Fold,
  seed: number,
  options: BenchmarkSettings,
  threads: number,
  work: WorkOptions,
): Promise<RunRecord> {
  const folder = join(options.out, 'runs', fold.name, `${fileName(contestant.name)}-seed${seed}`);
  const recordPath = join(folder, 'scores.json');
  const kept = await readJson<RunRecord>(recordPath);
  if (kept) return kept;
  const memory = watchMemory();
  try {
    const scores = await trainAndScore(contestant, fold, first, seed, folder, options, threads, work);
    const record: RunRecord = { ...scores, peakMemoryBytes: memory.peakBytes() };
    await writeFileAtomic(recordPath, `${JSON.stringify(record, null, 1)}\n`);
    return record;
  } finally {
    memory.stop();
  }
}

async function trainAndScore(
  contestant: Contestant,
  fold: Fold,
  first: Fold,
  seed: number,
  folder: string,
  options: BenchmarkSettings,
  threads: number,
  work: WorkOptions,
): Promise<Omit<RunRecord, 'peakMemoryBytes'>> {
  const isBaseline = findBaseline(contestant.model) !== undefined;
  const open = openerOf(contestant);
  const dataset = await fold.dataset(contestant.inputs, work);
  const choice = isBaseline ? undefined : await chosen(contestant, first, options, threads, work);
  const trained = await trainOrResume(
    {
      ...trainOptions(contestant, dataset, options, threads),
      out: folder,
      seed,
      ...(choice && { ...choice, timeBudgetSeconds: options.timeBudgetSeconds }),
    },
    open,
    work,
  );
  const model = await readModelFile(trained.model);
  const reference = await openDataset(await fold.dataset(undefined, work));
  const own = await open(dataset);
  try {
    const score = await scoreModel(own, 'test', model, threads, work, reference);
    const pooled = emptyRegion();
    const extravascular = emptyRegion();
    for (const { comparison } of score.slides) {
      mergeRegions(pooled, comparison.pooled);
      mergeRegions(extravascular, comparison.extravascular);
    }
    const width = ([low, high]: readonly [number, number]): number => high - low;
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const { measuredSd } = metricsOf(pooled, score.peak);
    return {
      contestant: rowName(contestant.name, fold),
      fold: fold.name,
      seed,
      pooled: metricsOf(pooled, score.peak),
      extravascular: metricsOf(extravascular, score.peak),
      perSlide: score.slides.map(({ slide, comparison }) => {
        const whole = metricsOf(comparison.pooled, score.peak);
        return {
          slide,
          mse: whole.mse,
          r2: whole.r2,
          extravascularMse: metricsOf(comparison.extravascular, score.peak).mse,
        };
      }),
      range: {
        predicted: mean(score.slides.map(({ range }) => width(range.predicted))),
        measured: mean(score.slides.map(({ range }) => width(range.measured))),
      },
      vesselGradient: {
        predicted: mean(score.slides.map(({ gradient }) => gradient.predicted)) / measuredSd,
        measured: mean(score.slides.map(({ gradient }) => gradient.measured)) / measuredSd,
      },
      ...(score.coverage && { interval: score.coverage }),
      parameters: trained.parameters,
      flopsPerPixel: flopsPerPixel(contestant.model, model),
      secondsPerPatch: (trained.secondsPerPatch * 512 ** 2) / (await patchOf(folder)) ** 2,
      predictSecondsPerPatch: (score.networkSeconds / score.pixels) * 512 ** 2,
      learningRate: choice?.learningRate ?? Number.NaN,
      epochs: trained.epochs,
      steps: trained.steps,
      plannedSteps: await plannedStepsOf(folder),
      seconds: trained.seconds,
      validationR2: Number(trained.validation?.r2 ?? Number.NaN),
      curve: await curveOf(folder),
    };
  } finally {
    await own.close();
    await reference.close();
  }
}

async function plannedStepsOf(folder: string): Promise<number> {
  const { epochs, stepsPerEpoch } = await readRunSettings(folder);
  return epochs * stepsPerEpoch;
}

function trainOptions(
  { model, from, recipe }: Contestant,
  dataset: string,
  { patch, device }: BenchmarkSettings,
  threads: number,
): Omit<TrainOptions, 'out'> {
  const network = findBaseline(model) ? undefined : findModel(model);
  return {
    dataset,
    model,
    threads,
    ...(network && { patch: network.fixedTile ?? patch, device }),
    ...(from && { from }),
    ...(recipe && { recipe }),
  };
}

/** Learning rate and schedule of a contestant, found on the first fold and kept for all. */
async function chosen(
  contestant: Contestant,
  first: Fold,
  options: BenchmarkSettings,
  threads: number,
  work: WorkOptions,
): Promise<Choice> {
  const folder = join(options.out, 'choices', fileName(contestant.name));
  const path = join(folder, 'choice.json');
  const kept = await readJson<Choice>(path);
  if (kept) return kept;
  const dataset = await first.dataset(contestant.inputs, work);
  const common = trainOptions(contestant, dataset, options, threads);
  const budget = options.timeBudgetSeconds;
  const open = openerOf(contestant);

  const probe = join(folder, 'probe');
  const probeSeconds = Math.min(longestProbeSeconds, budget * probeShare);
  // One that was interrupted has measured nothing.
  await rm(probe, { recursive: true, force: true });
  let speed = await trainOrResume(
    { ...common, out: probe, epochs: 1, stepsPerEpoch: mostProbeSteps, timeBudgetSeconds: probeSeconds },
    open,
    work,
  );
  const usual = recipeOf(contestant.model, contestant.recipe);
  const fitting = (seconds: number): Schedule =>
    scheduleFor(seconds, speed.secondsPerPatch * usual.batch, speed.validationSeconds);
  let best = { learningRate: usual.learningRate, mse: Number.POSITIVE_INFINITY };
  for (const factor of options.chooseLearningRate ? learningRateFactors : []) {
    const learningRate = Number((usual.learningRate * factor).toPrecision(3));
    const trialWork: WorkOptions = {
      signal: work.signal,
      onProgress: (progress) =>
        work.onProgress?.({ ...progress, stage: `learning rate ${learningRate}: ${progress.stage}` }),
    };
    const seconds = Math.min(longestTrialSeconds, budget * trialShare);
    const trial = await trainOrResume(
      {
        ...common,
        out: join(folder, `rate-${learningRate}`),
        learningRate,
        ...fitting(seconds),
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
    const mse = Number(trial?.validation?.mse ?? Number.NaN);
    if (mse < best.mse) best = { learningRate, mse };
  }
  const choice = { learningRate: best.learningRate, ...fitting(budget) };
  await writeFileAtomic(path, `${JSON.stringify(choice)}\n`);
  return choice;
}

async function trainOrResume(
  options: TrainOptions,
  open: (folder: string) => Promise<Dataset>,
  work: WorkOptions,
): Promise<TrainResult> {
  const { out, dataset, device, threads, timeBudgetSeconds } = options;
  const isBegun = await exists(runFiles(out).settings);
  const settings = isBegun ? { dataset, out, device, threads, timeBudgetSeconds, resume: true } : options;
  return train(settings, work, open, clockOf(options));
}

/** Where the processor does not do the work, its time says nothing. */
function clockOf({
  device,
  threads = availableParallelism(),
}: Pick<TrainOptions, 'device' | 'threads'>): Clock {
  return device === 'webgpu' ? wallClock : processorClock(threads);
}

/** Operations of the model file itself, per pixel of a large tile. */
function flopsPerPixel(name: string, { manifest, tensors }: ModelFile): number {
  const baseline = findBaseline(name);
  const network = baseline ? baseline.network(manifest.pixelSizeUm) : findModel(name).network;
  const graph = new Graph();
  const extent = 512;
  const input = graph.input('input', [1, manifest.roles.length, extent, extent]);
  graph.output('output', network(new PredictionBuilder(graph, tensors), input));
  return countFlops(graph) / extent ** 2;
}

async function patchOf(folder: string): Promise<number> {
  return (await readRunSettings(folder)).patch;
}

async function curveOf(folder: string): Promise<RunRecord['curve']> {
  const text = await readFile(runFiles(folder).history, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const { seconds, validation } = JSON.parse(line) as {
        seconds: number;
        validation: { r2: number } | null;
      };
      return validation ? [{ seconds, r2: validation.r2 }] : [];
    });
}

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  // JSON has no NaN; every null that is written here was one.
  return text === undefined
    ? undefined
    : (JSON.parse(text, (_, value) => (value === null ? Number.NaN : value)) as T);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Of a row: no two have the same. */
function fileName(name: string): string {
  return encodeURIComponent(name).replaceAll('%40', '@');
}
