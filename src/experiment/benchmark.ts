// Use case `benchmark`: the published comparison, every model on the same slides, resumable run by run.

import { access } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import {
  type BenchmarkOptions,
  type BenchmarkResult,
  type BenchmarkRow,
  type BenchmarkSettings,
  benchmarkCommand,
} from '../contract/benchmark.ts';
import { parseOptions } from '../contract/command.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { throwIfCancelled, UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { readManifest } from '../dataset/manifest.ts';
import { type BenchmarkPage, benchmarkFigures, benchmarkHtml } from '../report/benchmark-page.ts';
import { type Fold, planFolds } from './benchmark-folds.ts';
import { type Contestant, contestantsOf, type RunRecord, runContestant } from './benchmark-runs.ts';
import { pairedDifferences, rowOf, runsCsv, tableCsv } from './benchmark-table.ts';
import { prepare } from './prepare.ts';
import { type Ceiling, meanCeiling, readCeiling } from './read-ceilings.ts';
import { simulate } from './simulate.ts';

/**
 * Trains and scores what is not there yet, and writes table, figures and report after every run, so that an
 * interrupted benchmark has its results so far.
 * @throws UsageError, and whatever prepare, train and predict throw; finished runs are kept
 */
export async function benchmark(given: BenchmarkOptions, work: WorkOptions = {}): Promise<BenchmarkResult> {
  const options = parseOptions(benchmarkCommand, given);
  const dataset = await datasetOf(options, work);
  const manifest = await readManifest(dataset);
  const contestants = contestantsOf(options, manifest.inputRoles);
  const folds = await planFolds(options, dataset);
  const threads = options.threads ?? availableParallelism();

  const planned = folds.flatMap((fold) =>
    contestants.flatMap((contestant) =>
      Array.from({ length: options.seeds }, (_, seed) => ({ fold, contestant, seed })),
    ),
  );
  const ceilings = new Map<string, Ceiling | null>();
  for (const { name, test } of folds) {
    const held = manifest.slides.filter((slide) => test.includes(slide.name));
    ceilings.set(name, await readCeiling(held.map(({ path }) => path)));
  }
  const runs: RunRecord[] = [];
  let result = resultOf(options, manifest, contestants, folds, runs, ceilings);
  for (const [i, { fold, contestant, seed }] of planned.entries()) {
    throwIfCancelled(work.signal, 'the benchmark');
    const where = `${contestant.name}, ${fold.name}, seed ${seed} (${i + 1} of ${planned.length})`;
    const runWork: WorkOptions = {
      signal: work.signal,
      onProgress: (progress) => work.onProgress?.({ ...progress, stage: `${where}: ${progress.stage}` }),
    };
    runs.push(await runContestant(contestant, fold, folds[0], seed, options, threads, runWork));
    result = resultOf(options, manifest, contestants, folds, runs, ceilings);
    await writeResult(result, runs, options.out);
  }
  return result;
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
  if (dataset !== undefined) return dataset;
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
  options: BenchmarkSettings,
  manifest: { splitBy: string; targetRole: string },
  contestants: readonly Contestant[],
  folds: readonly Fold[],
  runs: readonly RunRecord[],
  ceilings: ReadonlyMap<string, Ceiling | null>,
): BenchmarkResult {
  const models: Record<string, BenchmarkRow> = {};
  for (const { name } of contestants) {
    const own = runs.filter(({ contestant }) => contestant === name);
    if (own.length > 0) models[name] = rowOf(own, (fold) => ceilings.get(fold)?.mse ?? Number.NaN);
  }
  const notes = [
    'MSE, R2 and the rest are over all tissue of the slides held out, then averaged over folds and seeds.',
    'Every trained model had the same time on the same machine; its schedule was made to fit that time (processor time over threads).',
  ];
  notes.push(...gradientNotes(models));
  const withinSlide = manifest.splitBy === 'field';
  if (withinSlide)
    notes.push('The fields are parts of one slide: the results are within-slide and say nothing of others.');
  return {
    out: options.out,
    command: commandOf(options),
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${options.threads ?? availableParallelism()} threads`,
    withinSlide,
    target: manifest.targetRole,
    folds: folds.map(({ name, test }) => ({ name, test: [...test] })),
    models,
    ceiling: meanCeiling([...ceilings.values()]),
    differences: pairedDifferences(runs),
    notes,
    files: ['benchmark.json', 'models.csv', 'slides.csv', 'report.html'].map((file) =>
      join(options.out, file),
    ),
  };
}

/** Below this many standard deviations of the probe, brightness does not change with the distance to vessels. */
const leastGradient = 0.1;

/** Where the measured probe has no vessel gradient, whether a model claims one. */
function gradientNotes(models: Readonly<Record<string, BenchmarkRow>>): string[] {
  const rows = Object.entries(models);
  const measured = rows[0]?.[1].vesselGradient.measured;
  if (measured === undefined || !(Math.abs(measured) < leastGradient)) return [];
  const claims = rows.filter(([, row]) => Math.abs(row.vesselGradient.predicted) >= leastGradient);
  return [
    `The measured probe does not change with the distance to vessels (${measured.toFixed(3)} standard deviations). ` +
      (claims.length === 0
        ? 'No model claims that it does.'
        : `These models claim that it does: ${claims.map(([name]) => name).join(', ')}.`),
  ];
}

function commandOf(options: BenchmarkSettings): string {
  const { leaveOneOut, chooseLearningRate, from, patch, seeds, models, timeBudgetSeconds } = options;
  return [
    'hrpn benchmark',
    options.dataset ?? `--preset ${options.preset}`,
    options.slides === undefined ? '' : `--slides ${options.slides}`,
    options.size === undefined ? '' : `--size ${options.size}`,
    `--out ${options.out} --models ${models}`,
    leaveOneOut ? '--leave-one-out' : '',
    `--seeds ${seeds} --time-budget ${timeBudgetSeconds}s`,
    chooseLearningRate ? '--choose-learning-rate' : '',
    from === undefined ? '' : `--from ${from}`,
    patch === undefined ? '' : `--patch ${patch}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

async function writeResult(result: BenchmarkResult, runs: readonly RunRecord[], out: string): Promise<void> {
  const page = pageOf(result, runs);
  await writeFileAtomic(join(out, 'benchmark.json'), `${JSON.stringify(result, null, 1)}\n`);
  await writeFileAtomic(join(out, 'models.csv'), tableCsv(result.models));
  await writeFileAtomic(join(out, 'slides.csv'), runsCsv(runs));
  await writeFileAtomic(join(out, 'report.html'), benchmarkHtml(page));
  for (const [file, svg] of Object.entries(benchmarkFigures(page))) {
    await writeFileAtomic(join(out, 'figures', file), svg);
  }
}

function pageOf(result: BenchmarkResult, runs: readonly RunRecord[]): BenchmarkPage {
  const names = Object.keys(result.models);
  const of = (name: string): RunRecord[] => runs.filter(({ contestant }) => contestant === name);
  const fixed = (digits: number) => (value: number) => (Number.isFinite(value) ? value.toFixed(digits) : '–');
  const span = ({ low, high }: { low: number; high: number }): string =>
    Number.isFinite(low) ? `${fixed(2)(low)} to ${fixed(2)(high)}` : '–';
  const columns: [string, (row: BenchmarkRow) => string][] = [
    ['MSE', (row) => Number(row.mse.toPrecision(4)).toString()],
    ['R2', (row) => fixed(3)(row.r2)],
    ['SD of R2', (row) => fixed(3)(row.r2Sd)],
    ['R2 outside vessels', (row) => fixed(3)(row.extravascularR2)],
    ['PSNR, dB', (row) => fixed(2)(row.psnr)],
    ['SSIM', (row) => fixed(3)(row.ssim)],
    ['Pearson', (row) => fixed(3)(row.pearson)],
    ['ICC(A,1)', (row) => fixed(3)(row.icc)],
    ['range, share of measured', (row) => fixed(2)(row.range.predicted / row.range.measured)],
    [
      'excess MSE',
      (row) => (Number.isFinite(row.excessMse) ? `${Number(row.excessMse.toPrecision(4))}` : '–'),
    ],
    [
      'vessel gradient, SD',
      (row) => `${fixed(2)(row.vesselGradient.predicted)} of ${fixed(2)(row.vesselGradient.measured)}`,
    ],
    ['coverage at 90%', (row) => fixed(3)(row.coverage)],
    ['by decile', (row) => span(row.coverageByDecile)],
    ['by distance', (row) => span(row.coverageByDistance)],
    ['by slide', (row) => span(row.coverageBySlide)],
    ['parameters', (row) => row.parameters.toLocaleString('en')],
    ['kFLOP a pixel', (row) => fixed(1)(row.flopsPerPixel / 1000)],
    ['training, s a patch', (row) => fixed(3)(row.secondsPerPatch)],
    ['prediction, s a patch', (row) => fixed(3)(row.predictSecondsPerPatch)],
    ['runs', (row) => `${row.runs}`],
  ];
  return {
    title: `Benchmark: ${result.target} from ${result.withinSlide ? 'fields of one slide' : 'whole slides'}`,
    facts: [
      `${result.folds.length} ${result.folds.length === 1 ? 'split' : 'folds'}; held out: ${result.folds.flatMap(({ test }) => test).join(', ')}`,
      result.machine,
    ],
    columns: columns.map(([heading]) => heading),
    rows: names.map((name) => ({ name, cells: columns.map(([, cell]) => cell(result.models[name])) })),
    differences: result.differences.map(
      ({ model, against, slides, better, mseDifference, low, high }) =>
        `${model} less ${against}: MSE ${fixed(3)(mseDifference)}${Number.isFinite(low) ? ` (95% ${fixed(3)(low)} to ${fixed(3)(high)})` : ''}, lower on ${better} of ${slides}`,
    ),
    notes: result.notes,
    r2: names.map((name) => ({ name, values: of(name).map(({ pooled }) => pooled.r2) })),
    extravascularR2: names.map((name) => ({
      name,
      values: of(name).map(({ extravascular }) => extravascular.r2),
    })),
    ceilingR2: result.ceiling?.r2 ?? Number.NaN,
    curves: names.flatMap((name) => {
      const [first] = of(name);
      return first && first.curve.length > 1
        ? [{ name, points: first.curve.map(({ seconds, r2 }): [number, number] => [seconds, r2]) }]
        : [];
    }),
    command: result.command,
  };
}
