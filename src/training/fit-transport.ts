/** The length and permeability that fit `transport` best, from sums of products of its bank of Gaussians. */
import { kernelWeights } from '../model/baselines/transport.ts';
import type { NormalEquations } from './normal-equations.ts';

export interface TransportFit {
  /** Distance over which the field falls to 1/e beside a plane source. */
  readonly lengthUm: number;
  /** Signal that the field adds where the tissue is vessel all over, in stored units; not negative. */
  readonly permeability: number;
  /** Signal inside vessels beside it, in stored units. */
  readonly intravascular: number;
  readonly background: number;
  readonly mse: number;
  /** Of the features of `transport`. */
  readonly weights: Float64Array;
}

const shortestUm = 1;
const longestUm = 60;
const lengthsTried = 120;

/** @param sums over `transportFeatures` and the target */
export function fitTransport(sums: NormalEquations): TransportFit {
  const mask = Float64Array.from({ length: sums.features }, (_, i) => +(i === 0));
  let best: TransportFit | undefined;
  for (let k = 0; k <= lengthsTried; k++) {
    const lengthUm = shortestUm * (longestUm / shortestUm) ** (k / lengthsTried);
    const kernel = kernelWeights(lengthUm);
    let { intercept, coefficients, mse } = sums.solve([mask, kernel], 0);
    if (coefficients[1] < 0) {
      // Vessels take nothing up: the nearest fit without leakage is the one of the vessels alone.
      const alone = sums.solve([mask], 0);
      [intercept, coefficients, mse] = [
        alone.intercept,
        Float64Array.of(alone.coefficients[0], 0),
        alone.mse,
      ];
    }
    if (best !== undefined && mse >= best.mse) continue;
    const [intravascular, permeability] = coefficients;
    best = {
      lengthUm,
      permeability,
      intravascular,
      background: intercept,
      mse,
      weights: kernel.map((w, i) => permeability * w + intravascular * mask[i]),
    };
  }
  return best!;
}
