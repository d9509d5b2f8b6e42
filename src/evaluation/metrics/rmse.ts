// Root of the mean squared error.
import type { PairMoments } from '../pair-moments.ts';
import { mse } from './mse.ts';

/** In stored units. NaN without pixels. */
export function rmse(m: PairMoments): number {
  return Math.sqrt(mse(m));
}
