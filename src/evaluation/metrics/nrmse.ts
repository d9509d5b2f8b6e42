// Root mean squared error over the range of the measured values.
import type { PairMoments } from '../pair-moments.ts';
import { rmse } from './rmse.ts';

/** RMSE / (max - min of the measured pixels), no unit. NaN where the measured values are constant. */
export function nrmse(m: PairMoments): number {
  const range = m.maxMeasured - m.minMeasured;
  return range > 0 ? rmse(m) / range : Number.NaN;
}
