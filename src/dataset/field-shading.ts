// How brightness changes over a camera's field: smooth, and the same in every field, while tissue differs.
import type { ChannelScan, SlideScan } from './scan-slide.ts';
import type { TissueMask } from './tissue-mask.ts';

/**
 * Log of brightness as a polynomial of x and y from -1 to 1 over the field: coefficients of x, y, x^2 - 1/3,
 * y^2 - 1/3 and x y.
 */
export type FieldShading = readonly [number, number, number, number, number];

/** Shading common to several fields. */
export interface PooledShading {
  readonly shading: FieldShading;
  /** Brightest over darkest place, minus 1. */
  readonly amplitude: number;
  /** The same of the standard errors: what chance alone gives with so few fields. */
  readonly amplitudeError: number;
}

const minAreas = 48;
const minFields = 3;

/**
 * Least squares over squares of tissue of about 32 um, so that the log is that of many cells' mean and not of single
 * dark ones; null with too few of them.
 * @param floor intensity without any light
 */
export function fitFieldShading(
  scan: SlideScan,
  tissue: TissueMask,
  channel: ChannelScan,
  floor: number,
): FieldShading | null {
  const size = 6;
  const normal = new Float64Array(size * size);
  const right = new Float64Array(size);
  let used = 0;
  const brightness = brightnessOfAreas(scan, tissue, channel, floor);
  for (let row = 0, i = 0; row < scan.areasHigh; row++) {
    for (let column = 0; column < scan.areasWide; column++, i++) {
      if (!(brightness[i] > 0)) continue;
      const x = (2 * (column + 0.5) * scan.areaPx) / scan.widthPx - 1;
      const y = (2 * (row + 0.5) * scan.areaPx) / scan.heightPx - 1;
      const terms = [1, ...termsAt(x, y)];
      const value = Math.log(brightness[i]);
      for (let a = 0; a < size; a++) {
        right[a] += terms[a] * value;
        for (let b = 0; b < size; b++) normal[a * size + b] += terms[a] * terms[b];
      }
      used++;
    }
  }
  if (used < minAreas) return null;
  const solution = solve(normal, right);
  return solution === undefined ? null : (solution.slice(1) as unknown as FieldShading);
}

/** The mean over fields and how sure it is; null for fewer than three fields. */
export function poolShading(fields: readonly FieldShading[]): PooledShading | null {
  const n = fields.length;
  if (n < minFields) return null;
  const mean = [0, 1, 2, 3, 4].map((k) => fields.reduce((sum, field) => sum + field[k], 0) / n);
  const error = mean.map((m, k) =>
    Math.sqrt(fields.reduce((sum, field) => sum + (field[k] - m) ** 2, 0) / (n * (n - 1))),
  );
  return {
    shading: mean as unknown as FieldShading,
    amplitude: amplitudeOf(mean),
    amplitudeError: amplitudeOf(error),
  };
}

/** Mean above the floor over each area's tissue; NaN where less than half of it is tissue. */
function brightnessOfAreas(
  scan: SlideScan,
  { cells, cellsWide, cellsHigh }: TissueMask,
  { cellMean }: ChannelScan,
  floor: number,
): Float64Array {
  const perArea = scan.areaPx / scan.cellPx;
  const sum = new Float64Array(scan.areasWide * scan.areasHigh);
  const count = new Float64Array(sum.length);
  for (let row = 0, i = 0; row < cellsHigh; row++) {
    for (let column = 0; column < cellsWide; column++, i++) {
      if (cells[i] === 0 || Number.isNaN(cellMean[i])) continue;
      const area = Math.floor(row / perArea) * scan.areasWide + Math.floor(column / perArea);
      sum[area] += cellMean[i] - floor;
      count[area]++;
    }
  }
  return sum.map((total, i) => (count[i] >= (perArea * perArea) / 2 ? total / count[i] : Number.NaN));
}

function termsAt(x: number, y: number): number[] {
  return [x, y, x * x - 1 / 3, y * y - 1 / 3, x * y];
}

function amplitudeOf(coefficients: readonly number[]): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let y = -1; y <= 1; y += 0.1) {
    for (let x = -1; x <= 1; x += 0.1) {
      const value = termsAt(x, y).reduce((sum, term, k) => sum + term * coefficients[k], 0);
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return Math.exp(high - low) - 1;
}

/** Gaussian elimination with pivots; undefined where the cells do not determine the surface. */
function solve(matrix: Float64Array, right: Float64Array): number[] | undefined {
  const n = right.length;
  const a = matrix.slice();
  const b = right.slice();
  const scale = Math.max(...a.map(Math.abs));
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]) > Math.abs(a[pivot * n + k])) pivot = i;
    if (Math.abs(a[pivot * n + k]) < 1e-9 * scale) return undefined;
    for (let j = 0; j < n; j++) [a[k * n + j], a[pivot * n + j]] = [a[pivot * n + j], a[k * n + j]];
    [b[k], b[pivot]] = [b[pivot], b[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k] / a[k * n + k];
      for (let j = k; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i];
    for (let j = i + 1; j < n; j++) sum -= a[i * n + j] * x[j];
    x[i] = sum / a[i * n + i];
  }
  return x;
}
