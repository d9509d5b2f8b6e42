// How often chance would bring a probe that knows nothing of the vessels as near to them as this one is.
import { studentTail } from '../core/student-t.ts';
import { PlaneFft, powerOfTwo } from './fft.ts';
import type { GridField } from './grid-field.ts';
import { fitVariogram, variogramValue } from './variogram.ts';

/** With fewer cells than this no correlation within the field can be known. */
const fewestCells = 36;
/** With fewer cells' worth of independent tissue than this, nothing is known. */
const fewestEffective = 4;

/**
 * The chance of a correlation between the probe and the distance to the vessels as negative as this one, if the probe knew nothing
 * of them: the t-test for two fields that are each correlated in space (Dutilleul 1993, after Clifford, Richardson and Hemon
 * 1989), one-sided, given the distances. What the correlation varies by follows from the probe's own variogram, so that ten
 * patches count as ten however many cells they cover.
 * @param field the probe's mean in cells of tissue
 * @param distances mean distance to the nearest wall, one a cell
 * @param weights how much of a cell is tissue
 * @returns 0 to 1; NaN for too few cells or independent patches, and where either does not vary
 */
export function nearnessChance(field: GridField, distances: Float64Array, weights: Float64Array): number {
  const { wide, high, valid, values } = field;
  const cells = valid.reduce((sum, v) => sum + v, 0);
  if (cells < fewestCells) return Number.NaN;
  const weightOf = (i: number): number => (valid[i] === 1 ? weights[i] : 0);
  const probe = standardised(values, weightOf);
  const distance = standardised(distances, weightOf);
  let [total, products] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    total += weightOf(i);
    products += weightOf(i) * probe[i] * distance[i];
  }
  const correlation = products / total;
  // Coefficients that sum to 0, so that the variance of the sum follows from the variogram alone: -a' gamma a.
  const coefficients = distance.map((value, i) => (weightOf(i) * value) / total);
  const variogram = fitVariogram({ ...field, values: probe });
  const variance = -quadraticForm(coefficients, wide, high, (h) => variogramValue(variogram, h));
  const effective = 1 + 1 / variance;
  if (!(effective >= fewestEffective)) return Number.NaN;
  const freedom = effective - 2;
  return studentTail(-correlation * Math.sqrt(freedom / (1 - correlation ** 2)), freedom);
}

/** Weighted mean 0 and variance 1; 0 where the weight is 0. */
function standardised(values: Float64Array, weightOf: (i: number) => number): Float64Array {
  let [total, sum] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    if (weightOf(i) === 0) continue;
    total += weightOf(i);
    sum += weightOf(i) * values[i];
  }
  const mean = sum / total;
  let squares = 0;
  for (let i = 0; i < values.length; i++)
    if (weightOf(i) > 0) squares += weightOf(i) * (values[i] - mean) ** 2;
  const sd = Math.sqrt(squares / total);
  return values.map((value, i) => (weightOf(i) > 0 ? (value - mean) / sd : 0));
}

/** Sum over pairs of cells of a_i a_j f(distance between them, in cells), by transforms on twice the grid. */
function quadraticForm(a: Float64Array, wide: number, high: number, f: (h: number) => number): number {
  const fft = new PlaneFft(powerOfTwo(2 * wide), powerOfTwo(2 * high));
  const { width, height } = fft;
  const n = width * height;
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  const [kernel, kernelIm] = [new Float64Array(n), new Float64Array(n)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      kernel[y * width + x] = f(Math.hypot(Math.min(x, width - x), Math.min(y, height - y)));
  for (let y = 0; y < high; y++) re.set(a.subarray(y * wide, (y + 1) * wide), y * width);
  fft.run(re, im);
  fft.run(kernel, kernelIm);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += kernel[i] * (re[i] ** 2 + im[i] ** 2);
  return sum / n;
}
