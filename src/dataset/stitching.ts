// Finds the shading that a microscope leaves in every camera field of a stitched slide.

/** A brightness pattern that repeats along one axis. */
export interface RepeatingPattern {
  /** In the profile's steps; seldom whole. */
  readonly period: number;
  /** Mean deviation of log brightness at `phaseBins` equal phases of the period; its mean is 0. */
  readonly shape: Float64Array;
  /** Largest over smallest brightness of the pattern, minus 1. */
  readonly amplitude: number;
}

export const phaseBins = 24;
/** Fewer repeats than this cannot be told from tissue. */
const minRepeats = 5;
const minPeriod = 8;
/**
 * Variance between phases over what the variance within them leads to expect by chance, and how many times the
 * median of that at periods 10 to 30% away. Tissue alone gives slow, correlated profiles whose ratio is high at
 * many periods; a grid of camera fields has one sharp peak.
 */
const minRatio = 6;
const minSharpness = 4;
/** Weaker patterns do no harm. */
const minAmplitude = 0.02;

/**
 * Looks for a pattern that repeats along a profile of log brightness (one value a column or row of cells, NaN
 * where there is no tissue). Slow change is taken out by a moving average over one period, as no single profile can
 * tell it from tissue.
 * @returns undefined where none stands out, or where it is weaker than 2%
 */
export function findRepeatingPattern(profile: Float64Array): RepeatingPattern | undefined {
  const sums = prefixSums(profile);
  const length = profile.length;
  const tried: { period: number; ratio: number }[] = [];
  // The step lets the phase drift by a twelfth of a period over the whole profile.
  for (let period = minPeriod; period * minRepeats <= length; period += (period * period) / (12 * length)) {
    tried.push({ period, ratio: fold(profile, sums, period)?.ratio ?? 0 });
  }
  let best = tried.reduce((a, b) => (b.ratio > a.ratio ? b : a), { period: Number.NaN, ratio: 0 });
  const around = tried
    .filter(({ period }) => Math.abs(Math.abs(period / best.period - 1) - 0.2) <= 0.1)
    .map(({ ratio }) => ratio)
    .sort((a, b) => a - b);
  if (best.ratio < minRatio || best.ratio < minSharpness * (around[around.length >> 1] ?? 0))
    return undefined;
  const coarse = best.period;
  for (let drift = -1; drift <= 1; drift += 0.1) {
    const period = coarse + (drift * coarse * coarse) / (12 * length);
    const ratio = fold(profile, sums, period)?.ratio ?? 0;
    if (ratio > best.ratio) best = { period, ratio };
  }
  const { shape } = fold(profile, sums, best.period)!;
  const amplitude = Math.exp(Math.max(...shape) - Math.min(...shape)) - 1;
  return amplitude < minAmplitude ? undefined : { period: best.period, shape, amplitude };
}

interface PrefixSums {
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

/** Averages the profile's fast part by phase of a period. */
function fold(
  profile: Float64Array,
  prefix: PrefixSums,
  period: number,
): { shape: Float64Array; ratio: number } | undefined {
  const length = profile.length;
  const half = Math.max(1, Math.round(period / 2));
  const bins = Math.min(phaseBins, Math.floor(period));
  const sum = new Float64Array(bins);
  const squares = new Float64Array(bins);
  const count = new Float64Array(bins);
  let total = 0;
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(profile[i])) continue;
    const from = Math.max(0, i - half);
    const to = Math.min(length, i + half + 1);
    const slow = (prefix.sums[to] - prefix.sums[from]) / (prefix.counts[to] - prefix.counts[from]);
    const bin = Math.min(bins - 1, Math.floor(((i % period) / period) * bins));
    sum[bin] += profile[i] - slow;
    squares[bin] += (profile[i] - slow) ** 2;
    count[bin]++;
    total++;
  }
  if (count.some((n) => n < minRepeats - 1)) return undefined;
  const shape = sum.map((value, bin) => value / count[bin]);
  let between = 0;
  let within = 0;
  for (let bin = 0; bin < bins; bin++) {
    between += count[bin] * shape[bin] * shape[bin];
    within += squares[bin] - count[bin] * shape[bin] * shape[bin];
  }
  if (within <= 0) return undefined;
  return { shape, ratio: between / (bins - 1) / (within / (total - bins)) };
}

/** Sums and counts of the finite values before each place. */
function prefixSums(profile: Float64Array): PrefixSums {
  const sums = new Float64Array(profile.length + 1);
  const counts = new Float64Array(profile.length + 1);
  for (let i = 0; i < profile.length; i++) {
    const isSampled = Number.isFinite(profile[i]);
    sums[i + 1] = sums[i] + (isSampled ? profile[i] : 0);
    counts[i + 1] = counts[i] + (isSampled ? 1 : 0);
  }
  return { sums, counts };
}
