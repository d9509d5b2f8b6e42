// Mean absolute error.
import type { PairMoments } from '../pair-moments.ts';

/** Mean of |predicted - measured|, in stored units. NaN without pixels. */
export function mae(m: PairMoments): number {
  return m.absoluteErrors / m.count;
}
