// Writes what a benchmark found: JSON, tables for spreadsheets, figures, and a page.
import { join } from 'node:path';
import type { BenchmarkResult, BenchmarkRow } from '../contract/benchmark.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import {
  type BenchmarkPage,
  type BenchmarkTable,
  benchmarkFigures,
  benchmarkHtml,
} from '../report/benchmark-page.ts';
import type { RunRecord } from './benchmark-runs.ts';
import { runsCsv, tableCsv } from './benchmark-table.ts';

/** @throws WriteError */
export async function writeBenchmark(
  result: BenchmarkResult,
  runs: readonly RunRecord[],
  out: string,
): Promise<void> {
  const page = pageOf(result, runs);
  await writeFileAtomic(join(out, 'benchmark.json'), `${JSON.stringify(result, null, 1)}\n`);
  await writeFileAtomic(join(out, 'models.csv'), tableCsv(result.models));
  await writeFileAtomic(join(out, 'slides.csv'), runsCsv(runs));
  await writeFileAtomic(join(out, 'report.html'), benchmarkHtml(page));
  for (const [file, svg] of Object.entries(benchmarkFigures(page))) {
    await writeFileAtomic(join(out, 'figures', file), svg);
  }
}

const unknown = '–';
const fixed = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : unknown;
const precise = (value: number): string =>
  Number.isFinite(value) ? `${Number(value.toPrecision(4))}` : unknown;
const span = ({ low, high }: { low: number; high: number }): string =>
  Number.isFinite(low) ? `${fixed(low, 2)} to ${fixed(high, 2)}` : unknown;

type Columns = readonly (readonly [heading: string, cell: (row: BenchmarkRow) => string])[];

const accuracy: Columns = [
  ['MSE', (row) => precise(row.mse)],
  ['RMSE', (row) => precise(row.rmse)],
  ['MAE', (row) => precise(row.mae)],
  ['R2', (row) => fixed(row.r2, 3)],
  ['SD of R2', (row) => fixed(row.r2Sd, 3)],
  ['R2 outside vessels', (row) => fixed(row.extravascularR2, 3)],
  ['excess MSE', (row) => precise(row.excessMse)],
  ['PSNR, dB', (row) => fixed(row.psnr, 2)],
  ['SSIM', (row) => fixed(row.ssim, 3)],
  ['Pearson', (row) => fixed(row.pearson, 3)],
  ['ICC(A,1)', (row) => fixed(row.icc, 3)],
  ['runs', (row) => `${row.runs}`],
];
const spread: Columns = [
  ['range, share of measured', (row) => fixed(row.range.predicted / row.range.measured, 2)],
  ['vessel gradient, SD', (row) => fixed(row.vesselGradient.predicted.mean, 2)],
  ['its 95% interval', (row) => span(row.vesselGradient.predicted)],
  ['measured gradient, SD', (row) => fixed(row.vesselGradient.measured.mean, 2)],
  ['its 95% interval, measured', (row) => span(row.vesselGradient.measured)],
  ['coverage at 90%', (row) => fixed(row.coverage, 3)],
  ['by decile', (row) => span(row.coverageByDecile)],
  ['by distance', (row) => span(row.coverageByDistance)],
  ['by slide', (row) => span(row.coverageBySlide)],
  ['mean width', (row) => precise(row.intervalWidth)],
];
const cost: Columns = [
  ['parameters', (row) => row.parameters.toLocaleString('en')],
  ['kFLOP a pixel', (row) => fixed(row.flopsPerPixel / 1000, 1)],
  ['training, s a patch', (row) => fixed(row.secondsPerPatch, 3)],
  ['prediction, s a patch', (row) => fixed(row.predictSecondsPerPatch, 3)],
  ['peak memory, MB', (row) => fixed(row.peakMemoryBytes / 1e6, 0)],
  ['learning rate', (row) => precise(row.learningRate)],
  ['epochs', (row) => fixed(row.epochs, 0)],
  ['training, Mpx shown', (row) => fixed(row.trainingPixels / 1e6, 0)],
  ['training, s', (row) => fixed(row.seconds, 0)],
];

function tableOf(title: string, columns: Columns, { models }: BenchmarkResult): BenchmarkTable {
  return {
    title,
    columns: columns.map(([heading]) => heading),
    rows: Object.entries(models).map(([name, row]) => ({
      name,
      cells: columns.map(([, cell]) => cell(row)),
    })),
  };
}

/** The simulator's ceilings as rows beside the models. */
function ceilingRows({ ceiling }: BenchmarkResult): BenchmarkTable['rows'] {
  if (!ceiling) return [];
  const row = (name: string, known: Readonly<Record<string, string>>) => ({
    name,
    cells: accuracy.map(([heading]) => known[heading] ?? ''),
    isReference: true,
  });
  return [
    row('ceiling: all that can be seen', {
      MSE: precise(ceiling.mse),
      RMSE: precise(Math.sqrt(ceiling.mse)),
      R2: fixed(ceiling.r2, 3),
      'R2 outside vessels': fixed(ceiling.extravascularR2, 3),
      'excess MSE': '0',
    }),
    row('ceiling: noise alone', {
      MSE: precise(ceiling.noiseMse),
      RMSE: precise(Math.sqrt(ceiling.noiseMse)),
      R2: fixed(ceiling.noiseR2, 3),
    }),
  ];
}

function pageOf(result: BenchmarkResult, runs: readonly RunRecord[]): BenchmarkPage {
  const names = Object.keys(result.models);
  const of = (name: string): RunRecord[] => runs.filter(({ contestant }) => contestant === name);
  const errors = tableOf('How near', accuracy, result);
  return {
    title: `Benchmark: ${result.target} from ${result.withinSlide ? 'fields of one slide' : 'whole slides'}`,
    facts: [
      `${result.folds.length} ${result.folds.length === 1 ? 'split' : 'folds'}; held out: ${result.folds.flatMap(({ test }) => test).join(', ')}`,
      result.machine,
    ],
    tables: [
      { ...errors, rows: [...errors.rows, ...ceilingRows(result)] },
      tableOf('What it claims, and its 90% interval', spread, result),
      tableOf('What it costs', cost, result),
    ],
    differences: result.differences.map(
      ({ model, against, slides, better, mseDifference, low, high }) =>
        `${model} less ${against}: MSE ${precise(mseDifference)}${Number.isFinite(low) ? ` (95% ${precise(low)} to ${precise(high)})` : ''}, lower on ${better} of ${slides}`,
    ),
    notes: result.notes,
    r2: names.map((name) => ({ name, values: of(name).map(({ pooled }) => pooled.r2) })),
    extravascularR2: names.map((name) => ({
      name,
      values: of(name).map(({ extravascular }) => extravascular.r2),
    })),
    ceilingR2: result.ceiling?.r2 ?? Number.NaN,
    extravascularCeilingR2: result.ceiling?.extravascularR2 ?? Number.NaN,
    curves: names.flatMap((name) => {
      const [first] = of(name);
      return first && first.curve.length > 1
        ? [{ name, points: first.curve.map(({ seconds, r2 }): [number, number] => [seconds, r2]) }]
        : [];
    }),
    command: result.command,
  };
}
