// From the runs of a benchmark to its table: means over folds and seeds, and paired differences.

import type { BenchmarkResult, BenchmarkRow } from '../contract/benchmark.ts';
import { Rng } from '../core/rng.ts';
import type { CoverageTable } from '../evaluation/coverage.ts';
import { type Cell, csvOf } from '../report/table.ts';
import type { RunRecord } from './benchmark-runs.ts';
import { meanGradient } from './vessel-gradient.ts';

const resamples = 2000;
/** Standard deviations to either side that hold 95% of a normal distribution. */
const normal95 = 1.96;

/** @param ceilingMse of the slides a fold holds out; NaN where there is none */
export function rowOf(runs: readonly RunRecord[], ceilingMse: (fold: string) => number): BenchmarkRow {
  const mean = (of: (run: RunRecord) => number): number => average(runs.map(of));
  const pooled = (key: 'mse' | 'rmse' | 'mae' | 'r2' | 'psnr' | 'ssim' | 'pearson' | 'icc'): number =>
    mean((run) => run.pooled[key]);
  const r2 = pooled('r2');
  return {
    runs: runs.length,
    mse: pooled('mse'),
    rmse: pooled('rmse'),
    mae: pooled('mae'),
    r2,
    psnr: pooled('psnr'),
    ssim: pooled('ssim'),
    pearson: pooled('pearson'),
    icc: pooled('icc'),
    extravascularMse: mean((run) => run.extravascular.mse),
    extravascularR2: mean((run) => run.extravascular.r2),
    r2Sd:
      runs.length > 1
        ? Math.sqrt(runs.reduce((sum, run) => sum + (run.pooled.r2 - r2) ** 2, 0) / (runs.length - 1))
        : Number.NaN,
    range: { predicted: mean((run) => run.range.predicted), measured: mean((run) => run.range.measured) },
    vesselGradient: {
      predicted: gradientOf(runs, 'predicted'),
      measured: gradientOf(runs, 'measured'),
    },
    excessMse: mean((run) => run.pooled.mse - ceilingMse(run.fold)),
    coverage: mean((run) => run.interval?.pooled ?? Number.NaN),
    coverageByDecile: bounds(runs, (table) => table.byPredictedDecile),
    coverageByDistance: bounds(runs, (table) => table.byDistanceBin),
    coverageBySlide: bounds(runs, (table) => table.perSlide),
    intervalWidth: mean((run) => run.interval?.meanWidth ?? Number.NaN),
    parameters: runs[0].parameters,
    flopsPerPixel: runs[0].flopsPerPixel,
    secondsPerPatch: mean((run) => run.secondsPerPatch),
    predictSecondsPerPatch: mean((run) => run.predictSecondsPerPatch),
    peakMemoryBytes: mean((run) => run.peakMemoryBytes),
    learningRate: runs[0].learningRate,
    epochs: mean((run) => run.epochs),
    trainingPixels: mean((run) => run.trainingPixels),
    seconds: mean((run) => run.seconds),
  };
}

/** Over folds, which are other tissue; seeds are the same tissue again. */
function gradientOf(
  runs: readonly RunRecord[],
  of: 'predicted' | 'measured',
): BenchmarkRow['vesselGradient']['measured'] {
  const folds = new Map<string, RunRecord[]>();
  for (const run of runs) folds.set(run.fold, [...(folds.get(run.fold) ?? []), run]);
  const { value, error } = meanGradient(
    [...folds.values()].map((seeds) => ({
      value: average(seeds.map(({ vesselGradient }) => vesselGradient?.[of].value ?? Number.NaN)),
      error:
        Math.hypot(...seeds.map(({ vesselGradient }) => vesselGradient?.[of].error ?? Number.NaN)) /
        Math.sqrt(seeds.length),
    })),
  );
  return { mean: value, low: value - normal95 * error, high: value + normal95 * error };
}

/** Least and greatest coverage over all runs; NaN without intervals. */
function bounds(
  runs: readonly RunRecord[],
  of: (table: CoverageTable) => readonly { readonly coverage: number }[],
): { low: number; high: number } {
  const all = runs.flatMap(({ interval }) => (interval ? of(interval).map(({ coverage }) => coverage) : []));
  if (all.length === 0) return { low: Number.NaN, high: Number.NaN };
  return { low: Math.min(...all), high: Math.max(...all) };
}

/**
 * The first model against every other one: MSE of each slide, mean over seeds, and the bootstrap over animals
 * (percentiles of 2000 resamples, slides of one animal together) of the mean difference; NaN for fewer than three. Rows
 * that share no slide with the first are left out.
 * @param names of the rows, in the table's order
 * @param groupOf the animal of a slide
 */
export function pairedDifferences(
  runs: readonly RunRecord[],
  names: readonly string[],
  groupOf: (slide: string) => string,
): BenchmarkResult['differences'] {
  const bySlide = (name: string): Map<string, number> => {
    const found = new Map<string, number[]>();
    for (const run of runs) {
      if (run.contestant !== name) continue;
      for (const { slide, mse } of run.perSlide) found.set(slide, [...(found.get(slide) ?? []), mse]);
    }
    return new Map([...found].map(([slide, values]) => [slide, average(values)]));
  };
  const [first, ...others] = names;
  if (first === undefined) return [];
  const own = bySlide(first);
  return others.flatMap((against) => {
    const theirs = bySlide(against);
    const byGroup = new Map<string, number[]>();
    for (const [slide, mse] of own) {
      const other = theirs.get(slide);
      if (other === undefined) continue;
      byGroup.set(groupOf(slide), [...(byGroup.get(groupOf(slide)) ?? []), mse - other]);
    }
    const groups = [...byGroup.values()];
    const gaps = groups.flat();
    if (gaps.length === 0) return [];
    const [low, high] = groups.length < 3 ? [Number.NaN, Number.NaN] : bootstrap(groups);
    const better = gaps.filter((gap) => gap < 0).length;
    const count = { slides: gaps.length, groups: groups.length };
    return [{ model: first, against, ...count, better, mseDifference: average(gaps), low, high }];
  });
}

function bootstrap(groups: readonly (readonly number[])[]): [number, number] {
  const rng = new Rng(0);
  const means = Float64Array.from({ length: resamples }, () =>
    average(groups.flatMap(() => groups[rng.integer(groups.length)])),
  ).sort();
  return [means[Math.floor(0.025 * resamples)], means[Math.ceil(0.975 * resamples) - 1]];
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** For spreadsheets: one line a model, one column a figure; parts of a figure are named 'range.predicted'. */
export function tableCsv(models: Readonly<Record<string, BenchmarkRow>>): string {
  return csv(Object.entries(models).map(([model, row]) => ({ model, ...flat(row) })));
}

function flat(figures: object, prefix = ''): Record<string, number> {
  const parts = Object.entries(figures).map(([key, value]) =>
    typeof value === 'number' ? { [prefix + key]: value } : flat(value, `${prefix}${key}.`),
  );
  return Object.assign({}, ...parts);
}

/** One line a run and slide. */
export function runsCsv(runs: readonly RunRecord[]): string {
  return csv(
    runs.flatMap(({ contestant, fold, seed, perSlide }) =>
      perSlide.map((slide) => ({ model: contestant, fold, seed, ...slide })),
    ),
  );
}

function csv(rows: readonly Readonly<Record<string, Cell>>[]): string {
  if (rows.length === 0) return '';
  return csvOf(Object.fromEntries(Object.keys(rows[0]).map((key) => [key, rows.map((row) => row[key])])));
}
