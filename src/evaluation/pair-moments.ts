// What must be known of pairs (measured, predicted) to compute every pixel metric; sums are stable and mergeable.

/**
 * Moments of n pairs in double precision. `measuredSquares`, `predictedSquares` and `products` are sums of
 * squares and products of deviations from the means, so no digits are lost on a pedestal.
 */
export interface PairMoments {
  count: number;
  meanMeasured: number;
  meanPredicted: number;
  measuredSquares: number;
  predictedSquares: number;
  products: number;
  /** Sum of (predicted - measured)^2. */
  squaredErrors: number;
  /** Sum of |predicted - measured|. */
  absoluteErrors: number;
  minMeasured: number;
  maxMeasured: number;
  minPredicted: number;
  maxPredicted: number;
  /** Pairs left out because one of the two is NaN or infinite. */
  notFinite: number;
}

/** Of no pixels yet. */
export function emptyMoments(): PairMoments {
  return {
    count: 0,
    meanMeasured: 0,
    meanPredicted: 0,
    measuredSquares: 0,
    predictedSquares: 0,
    products: 0,
    squaredErrors: 0,
    absoluteErrors: 0,
    minMeasured: Infinity,
    maxMeasured: -Infinity,
    minPredicted: Infinity,
    maxPredicted: -Infinity,
    notFinite: 0,
  };
}

/**
 * Adds the pairs of one row to `into`: exact two-pass moments of the row, merged. A slide added row by row
 * gives the same bits however its rows were read.
 * @param mask if given, only pixels whose byte is not 0 count
 */
export function addRow(
  into: PairMoments,
  measured: Float32Array,
  predicted: Float32Array,
  mask?: Uint8Array,
): void {
  const row = emptyMoments();
  let sumMeasured = 0;
  let sumPredicted = 0;
  for (let i = 0; i < measured.length; i++) {
    if (mask && mask[i] === 0) continue;
    const y = measured[i];
    const p = predicted[i];
    const error = p - y;
    if (!(Math.abs(error) < Infinity)) {
      row.notFinite++;
      continue;
    }
    row.count++;
    sumMeasured += y;
    sumPredicted += p;
    row.squaredErrors += error * error;
    row.absoluteErrors += Math.abs(error);
    if (y < row.minMeasured) row.minMeasured = y;
    if (y > row.maxMeasured) row.maxMeasured = y;
    if (p < row.minPredicted) row.minPredicted = p;
    if (p > row.maxPredicted) row.maxPredicted = p;
  }
  if (row.count > 0) {
    row.meanMeasured = sumMeasured / row.count;
    row.meanPredicted = sumPredicted / row.count;
    for (let i = 0; i < measured.length; i++) {
      if (mask && mask[i] === 0) continue;
      const y = measured[i] - row.meanMeasured;
      const p = predicted[i] - row.meanPredicted;
      if (!(Math.abs(p - y) < Infinity)) continue;
      row.measuredSquares += y * y;
      row.predictedSquares += p * p;
      row.products += y * p;
    }
  }
  mergeMoments(into, row);
}

/** Adds `other` to `into` by the pairwise update of Chan, Golub and LeVeque (1983). */
export function mergeMoments(into: PairMoments, other: PairMoments): void {
  into.notFinite += other.notFinite;
  if (other.count === 0) return;
  const count = into.count + other.count;
  const dy = other.meanMeasured - into.meanMeasured;
  const dp = other.meanPredicted - into.meanPredicted;
  const weight = (into.count * other.count) / count;
  into.measuredSquares += other.measuredSquares + dy * dy * weight;
  into.predictedSquares += other.predictedSquares + dp * dp * weight;
  into.products += other.products + dy * dp * weight;
  into.meanMeasured += (dy * other.count) / count;
  into.meanPredicted += (dp * other.count) / count;
  into.squaredErrors += other.squaredErrors;
  into.absoluteErrors += other.absoluteErrors;
  into.minMeasured = Math.min(into.minMeasured, other.minMeasured);
  into.maxMeasured = Math.max(into.maxMeasured, other.maxMeasured);
  into.minPredicted = Math.min(into.minPredicted, other.minPredicted);
  into.maxPredicted = Math.max(into.maxPredicted, other.maxPredicted);
  into.count = count;
}
