/** Least squares over very many rows: sums of products are kept, the rows are not. */
import { assert } from '../core/errors.ts';

/** Ridge regression on standardised features, from sums that rows are added to. */
export class NormalEquations {
  /** Number of features, without the intercept. */
  readonly features: number;
  /** Symmetric matrix of sums of products of (1, features..., target). */
  readonly #sums: Float64Array;
  readonly #size: number;

  constructor(features: number) {
    this.features = features;
    this.#size = features + 2;
    this.#sums = new Float64Array(this.#size ** 2);
  }

  /** Adds one row; `values` holds the features and then the target. */
  add(values: Float64Array): void {
    const size = this.#size;
    const sums = this.#sums;
    sums[0]++;
    for (let i = 1; i < size; i++) {
      const v = values[i - 1];
      sums[i] += v;
      for (let j = i; j < size; j++) sums[i * size + j] += v * values[j - 1];
    }
  }

  get rows(): number {
    return this.#sums[0];
  }

  /**
   * Fits the target by the given combinations of features.
   * @param combinations one weight a feature each
   * @param ridge penalty on coefficients of combinations scaled to unit variance, as a share of the rows
   * @returns an intercept, one coefficient a combination, and the mean squared error
   */
  solve(
    combinations: readonly Float64Array[],
    ridge: number,
  ): { intercept: number; coefficients: Float64Array; mse: number } {
    const n = this.rows;
    assert(n > 0, 'a fit needs rows');
    const columns = [
      ...combinations,
      Float64Array.from({ length: this.features + 1 }, (_, i) => +(i === this.features)),
    ];
    const means = columns.map((column) => column.reduce((sum, w, i) => sum + w * this.#sums[i + 1], 0) / n);
    const covariance = (a: number, b: number): number => {
      let sum = 0;
      for (let i = 0; i < columns[a].length; i++) {
        if (columns[a][i] === 0) continue;
        for (let j = 0; j < columns[b].length; j++) {
          const [row, column] = i < j ? [i + 1, j + 1] : [j + 1, i + 1];
          sum += columns[a][i] * columns[b][j] * this.#sums[row * this.#size + column];
        }
      }
      return sum / n - means[a] * means[b];
    };
    const count = combinations.length;
    const target = count;
    const deviations = combinations.map((_, i) => Math.sqrt(Math.max(0, covariance(i, i))));
    // A combination that does not vary says nothing and gets no weight.
    const kept = deviations.flatMap((d, i) => (d > 1e-9 ? [i] : []));
    const matrix = kept.map((i) =>
      kept.map((j) => covariance(i, j) / (deviations[i] * deviations[j]) + (i === j ? ridge : 0)),
    );
    const solution = solveSymmetric(
      matrix,
      kept.map((i) => covariance(i, target) / deviations[i]),
    );
    const coefficients = new Float64Array(count);
    kept.forEach((i, k) => {
      coefficients[i] = solution[k] / deviations[i];
    });
    let mse = covariance(target, target);
    let intercept = means[target];
    coefficients.forEach((c, i) => {
      intercept -= c * means[i];
      mse -= 2 * c * covariance(i, target);
      coefficients.forEach((d, j) => {
        mse += c * d * covariance(i, j);
      });
    });
    return { intercept, coefficients, mse };
  }
}

/** Cholesky; the matrix is positive definite. */
function solveSymmetric(matrix: readonly number[][], right: readonly number[]): Float64Array {
  const n = right.length;
  const l = matrix.map((row) => Float64Array.from(row));
  const x = Float64Array.from(right);
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      for (let k = 0; k < j; k++) l[i][j] -= l[i][k] * l[j][k];
      if (i === j) l[j][j] = Math.sqrt(Math.max(l[j][j], 1e-12));
      else l[i][j] /= l[j][j];
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= l[i][k] * x[k];
    x[i] /= l[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= l[k][i] * x[k];
    x[i] /= l[i][i];
  }
  return x;
}
