// What people read at the end of a command; programs read --json.
import type { PrepareResult } from '../contract/prepare.ts';

export function summarisePrepare(result: PrepareResult): string {
  const { patches } = result;
  const counts = Object.entries(patches).map(([split, count]) => `${count} ${split}`);
  const rows = result.slides.map((slide) => [
    slide.name,
    slide.split,
    slide.group === slide.name ? '' : slide.group,
    `${slide.width} x ${slide.height} px`,
    `${slide.pixelSizeUm} um`,
    `${slide.tissueAreaMm2.toPrecision(3)} mm2 tissue`,
    `${slide.patches} patches`,
  ]);
  return [
    `Dataset of ${plural(result.slides.length, 'slide')}, split by ${result.splitBy}; patches: ${counts.join(', ')}.`,
    ...table(rows),
    ...result.excluded.map(({ slide, reason }) => `Left out: ${slide}: ${reason}`),
    ...result.notes.map((note) => `Note: ${note}`),
    ...filesWritten(result.files),
  ].join('\n');
}

function filesWritten(files: readonly string[]): string[] {
  return files.length === 0 ? [] : ['Written:', ...files.map((file) => `  ${file}`)];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Columns padded to the same width, indented; empty columns left out. */
function table(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    `  ${row
      .map((cell, column) => cell.padEnd(widths[column]))
      .filter((_, column) => widths[column] > 0)
      .join('  ')}`.trimEnd(),
  );
}
