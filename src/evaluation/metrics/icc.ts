// Intraclass correlation, absolute agreement.
import type { PairMoments } from '../pair-moments.ts';

/**
 * ICC(A,1) of McGraw and Wong (1996): two-way model, absolute agreement, single measurement, with measured and
 * predicted as the two raters. At most 1; unlike Pearson's correlation an offset or a wrong scale lowers it.
 * NaN with fewer than two pixels or where all values are equal.
 */
export function icc(m: PairMoments): number {
  const n = m.count;
  const lowest = Math.min(m.minMeasured, m.minPredicted);
  if (n < 2 || !(Math.max(m.maxMeasured, m.maxPredicted) > lowest)) return Number.NaN;
  const difference = m.meanPredicted - m.meanMeasured;
  const betweenPixels = (m.measuredSquares + m.predictedSquares + 2 * m.products) / (2 * (n - 1));
  const residual = (m.measuredSquares + m.predictedSquares - 2 * m.products) / (2 * (n - 1));
  const betweenRaters = (n * difference * difference) / 2;
  return (betweenPixels - residual) / (betweenPixels + residual + (2 / n) * (betweenRaters - residual));
}
