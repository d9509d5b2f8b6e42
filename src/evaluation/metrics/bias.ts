// Mean error.
import type { PairMoments } from '../pair-moments.ts';

/** Mean predicted minus mean measured, in stored units: positive where the prediction is too bright. */
export function bias(m: PairMoments): number {
  return m.count > 0 ? m.meanPredicted - m.meanMeasured : Number.NaN;
}
