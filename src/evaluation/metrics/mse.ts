// Mean squared error.
import type { PairMoments } from '../pair-moments.ts';

/** Mean of (predicted - measured)^2, in squared stored units. NaN without pixels. */
export function mse(m: PairMoments): number {
  return m.squaredErrors / m.count;
}
