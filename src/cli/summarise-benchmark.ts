// The table of a benchmark for people; programs read --json.
import type { BenchmarkResult } from '../contract/benchmark.ts';

export function summariseBenchmark(result: BenchmarkResult): string {
  const heading = ['model', 'MSE', 'R2', 'R2 outside vessels', 'PSNR', 'kFLOP/px', 's/patch', 'runs'];
  const rows = Object.entries(result.models).map(([name, row]) => [
    name,
    Number(row.mse.toPrecision(4)).toString(),
    fixed(row.r2, 3),
    fixed(row.extravascularR2, 3),
    fixed(row.psnr, 2),
    fixed(row.flopsPerPixel / 1000, 1),
    fixed(row.secondsPerPatch, 3),
    `${row.runs}`,
  ]);
  const all = [heading, ...rows];
  const widths = heading.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  return [
    ...all.map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
    ),
    ...result.notes.map((note) => `Note: ${note}`),
    'Written:',
    ...result.files.map((file) => `  ${file}`),
  ].join('\n');
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}
