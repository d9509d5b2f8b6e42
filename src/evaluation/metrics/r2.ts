// Coefficient of determination.
import type { PairMoments } from '../pair-moments.ts';

/**
 * 1 - SSE / SST with the mean of these very pixels; 1 is perfect, 0 as good as their mean, negative is worse.
 * NaN where the measured values are constant, for which it is not defined.
 */
export function r2(m: PairMoments): number {
  return m.maxMeasured > m.minMeasured ? 1 - m.squaredErrors / m.measuredSquares : Number.NaN;
}
