// Otsu's threshold between two classes of values.

/**
 * The value that best splits sorted values in two by between-class variance (Otsu 1979), exact, not binned.
 * Values equal to the threshold belong to the lower class. NaN where there are fewer than two distinct values.
 * @param sorted ascending, finite
 */
export function otsuThreshold(sorted: ArrayLike<number>): number {
  const n = sorted.length;
  let total = 0;
  for (let i = 0; i < n; i++) total += sorted[i];
  let best = -1;
  let threshold = Number.NaN;
  let sum = 0;
  for (let i = 0; i < n - 1; i++) {
    sum += sorted[i];
    if (sorted[i] === sorted[i + 1]) continue;
    const lower = i + 1;
    const difference = sum / lower - (total - sum) / (n - lower);
    const between = lower * (n - lower) * difference * difference;
    if (between > best) {
      best = between;
      threshold = sorted[i];
    }
  }
  return threshold;
}
