// The runs of a benchmark, each in a folder of its own; what is finished there is kept.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { BenchmarkSettings } from '../contract/benchmark.ts';
import type { TrainResult } from '../contract/train.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import type { WorkOptions } from '../core/progress.ts';
import { openDataset } from '../dataset/open-dataset.ts';
import { countFlops } from '../engine/flops.ts';
import { Graph } from '../engine/graph.ts';
import type { CoverageTable } from '../evaluation/coverage.ts';
import { emptyRegion, type MetricBlock, mergeRegions, metricsOf } from '../evaluation/metric-block.ts';
import { type ModelFile, readModelFile } from '../model/model-file.ts';
import { PredictionBuilder } from '../model/network.ts';
import { findBaseline, findModel } from '../model/registry.ts';
import { type EpochRecord, type RunSettings, readRunSettings, runFiles } from '../training/run-folder.ts';
import { type Contestant, fileName, openerOf } from './benchmark-contestants.ts';
import { type Fold, rowName } from './benchmark-folds.ts';
import { chosen, type RateTrials } from './benchmark-schedule.ts';
import { readJson, trainOptions, trainOrResume } from './benchmark-training.ts';
import { intervalCaveat } from './calibrate.ts';
import { isScored } from './evaluation.ts';
import { scoreModel } from './score-model.ts';
import { type Gradient, meanGradient } from './vessel-gradient.ts';
import { watchMemory } from './watch-memory.ts';

/** A run to make. */
export interface PlannedRun {
  readonly fold: Fold;
  readonly contestant: Contestant;
  readonly seed: number;
}

/** What is kept of a finished run. */
export interface RunRecord {
  readonly contestant: string;
  readonly fold: string;
  readonly seed: number;
  /** Processor it was trained on. */
  readonly machine: string;
  readonly pooled: MetricBlock;
  readonly extravascular: MetricBlock;
  readonly perSlide: readonly { slide: string; mse: number; r2: number; extravascularMse: number }[];
  /** 99.9th less 0.1st percentile, mean over slides. */
  readonly range: { readonly predicted: number; readonly measured: number };
  /** Mean over slides, in standard deviations of the measured outside vessels. */
  readonly vesselGradient?: { readonly predicted: Gradient; readonly measured: Gradient };
  /** Of the 90% interval, where the model has one. */
  readonly interval?: CoverageTable;
  /** What that interval does not promise. */
  readonly caveat?: string;
  readonly parameters: number;
  readonly flopsPerPixel: number;
  /** Of training, for 512 x 512 px; NaN for baselines. */
  readonly secondsPerPatch: number;
  readonly predictSecondsPerPatch: number;
  /** Largest memory of the process while it trained and predicted. */
  readonly peakMemoryBytes: number;
  /** Largest of the schedule; NaN for baselines. */
  readonly learningRate: number;
  /** Share of it at the last step: what the schedule had still to take away where the time ended first. */
  readonly rateLeft?: number;
  /** Of a network. */
  readonly schedule?: RunSettings['schedule'];
  /** What the rate was chosen by; undefined where it was not. */
  readonly rateTrials?: RateTrials;
  readonly epochs: number;
  /** Taken, and those of the whole schedule: more where the time ended first. */
  readonly steps: number;
  readonly plannedSteps: number;
  /** Shown in training, those of all steps; NaN for baselines. */
  readonly trainingPixels: number;
  readonly seconds: number;
  readonly validationR2: number;
  /** Seconds since the start, and R2 on validation after it. */
  readonly curve: readonly { seconds: number; r2: number }[];
}

/** What training gave, and the largest memory of the process during it. */
type Trained = TrainResult & { readonly peakMemoryBytes: number };

/** Of the processor, as the system calls it; with its generation where the system tells, for one name may stand for several. */
export function machineName(): string {
  const name = cpus()[0]?.model.trim() ?? 'unknown processor';
  const info = readSystemFile('/proc/cpuinfo');
  const [family, model] = ['cpu family', 'model'].map(
    (key) => new RegExp(`^${key}\\s*: (\\d+)$`, 'm').exec(info)?.[1],
  );
  return family === undefined || model === undefined ? name : `${name} (family ${family}, model ${model})`;
}

/** Empty where the system has no such file. */
function readSystemFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
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
    const record = await trainAndScore(
      contestant,
      fold,
      first,
      seed,
      folder,
      options,
      threads,
      memory.peakBytes,
      work,
    );
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
  peakBytes: () => number,
  work: WorkOptions,
): Promise<RunRecord> {
  const isBaseline = findBaseline(contestant.model) !== undefined;
  const open = openerOf(contestant);
  const dataset = await fold.dataset(contestant.inputs, work);
  const choice = isBaseline ? undefined : await chosen(contestant, first, options, threads, work);
  // Kept, for a run that is interrupted while it is scored could not measure its speed and memory again.
  const trainedPath = join(folder, 'trained.json');
  let trained = await readJson<Trained>(trainedPath);
  if (!trained) {
    const outcome = await trainOrResume(
      {
        ...trainOptions(contestant, dataset, options, threads),
        out: folder,
        seed,
        ...(choice && {
          learningRate: choice.learningRate,
          epochs: choice.epochs,
          stepsPerEpoch: choice.stepsPerEpoch,
          timeBudgetSeconds: options.timeBudgetSeconds,
        }),
      },
      open,
      work,
    );
    trained = { ...outcome, peakMemoryBytes: peakBytes() };
    await writeFileAtomic(trainedPath, `${JSON.stringify(trained)}\n`);
  }
  const model = await readModelFile(runFiles(folder).best);
  const settings = await readRunSettings(folder);
  const history = await readHistory(folder);
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
    const outside = metricsOf(extravascular, score.peak);
    const inDeviations = ({ value, error }: Gradient): Gradient => ({
      value: value / outside.measuredSd,
      error: error / outside.measuredSd,
    });
    return {
      contestant: rowName(contestant.name, fold),
      fold: fold.name,
      seed,
      machine: machineName(),
      pooled: metricsOf(pooled, score.peak),
      extravascular: outside,
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
        predicted: inDeviations(meanGradient(score.slides.map(({ gradient }) => gradient.predicted))),
        measured: inDeviations(meanGradient(score.slides.map(({ gradient }) => gradient.measured))),
      },
      ...(score.coverage && { interval: score.coverage, caveat: caveatOf(model) }),
      parameters: trained.parameters,
      flopsPerPixel: flopsPerPixel(contestant.model, model),
      secondsPerPatch: (trained.secondsPerPatch * 512 ** 2) / settings.patch ** 2,
      predictSecondsPerPatch: (score.networkSeconds / score.pixels) * 512 ** 2,
      learningRate: isBaseline ? Number.NaN : settings.learningRate,
      ...(!isBaseline && {
        schedule: settings.schedule,
        rateLeft: history[history.length - 1].learningRate / settings.learningRate,
      }),
      ...(choice?.trials && { rateTrials: choice.trials }),
      epochs: trained.epochs,
      steps: trained.steps,
      plannedSteps: settings.epochs * settings.stepsPerEpoch,
      trainingPixels: isBaseline ? Number.NaN : trained.steps * settings.batch * settings.patch ** 2,
      seconds: trained.seconds,
      validationR2: Number(trained.validation?.r2 ?? Number.NaN),
      curve: history.flatMap(({ seconds, validation }) =>
        validation ? [{ seconds, r2: validation.r2 }] : [],
      ),
      peakMemoryBytes: Math.max(trained.peakMemoryBytes, peakBytes()),
    };
  } finally {
    await own.close();
    await reference.close();
  }
}

function caveatOf({ manifest }: ModelFile): string | undefined {
  const interval = manifest.intervals?.find(isScored);
  return interval && intervalCaveat(interval, manifest.training.splitBy);
}

/** Operations of the network, per pixel of a large tile; heads for intervals are not in it. */
function flopsPerPixel(name: string, { manifest, tensors }: ModelFile): number {
  const baseline = findBaseline(name);
  const network = baseline ? baseline.network(manifest.pixelSizeUm) : findModel(name).network;
  const graph = new Graph();
  const extent = 512;
  const input = graph.input('input', [1, manifest.roles.length, extent, extent]);
  graph.output('output', network(new PredictionBuilder(graph, tensors), input));
  return countFlops(graph) / extent ** 2;
}

/** None of a baseline's. */
async function readHistory(folder: string): Promise<EpochRecord[]> {
  const text = await readFile(runFiles(folder).history, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
