// Pearson's correlation.
import type { PairMoments } from '../pair-moments.ts';

/** -1 to 1; blind to scale and offset. NaN where either side is constant. */
export function pearson(m: PairMoments): number {
  if (!(m.maxMeasured > m.minMeasured && m.maxPredicted > m.minPredicted)) return Number.NaN;
  const r = m.products / (Math.sqrt(m.measuredSquares) * Math.sqrt(m.predictedSquares));
  return Math.max(-1, Math.min(1, r));
}
