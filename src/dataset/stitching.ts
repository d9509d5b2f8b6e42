// Finds the shading that a microscope leaves in every camera field of a stitched slide.

/** A brightness pattern that repeats along one axis. */
export interface RepeatingPattern {
  /** In the profiles' steps; seldom whole. */
  readonly period: number;
  /** Mean deviation of log brightness at equal phases of the period; its mean is 0. */
  readonly shape: Float64Array;
  /** Largest over smallest brightness of the pattern, minus 1. */
  readonly amplitude: number;
}

const phaseBins = 24;
/** In steps of the profile; fewer do not show a shape. */
const minSteps = 8;
/** Fewer repeats along the axis cannot be told from tissue. */
const minRepeats = 5;
/**
 * Power of the mean over all repeats, over what is left of it when each repeat is tissue of its own: 1 by chance,
 * the number of repeats for a perfect pattern. By chance it is about exponentially distributed, so that over a few
 * hundred independent periods 14 is reached once in a thousand slides.
 */
const minPower = 14;
/** Weaker patterns do no harm. */
const minAmplitude = 0.03;

/**
 * Looks for a pattern that repeats along profiles of log brightness and is the same in all of them.
 * @param bands one profile for each band across the axis, all of one length and of different tissue; one value a
 * column or row of cells, NaN where there is no tissue
 * @param minPeriod and maxPeriod, in steps: others are not looked for
 * @returns undefined where none stands out, or where it is weaker than 3%
 */
export function findRepeatingPattern(
  bands: readonly Float64Array[],
  minPeriod: number,
  maxPeriod: number,
): RepeatingPattern | undefined {
  const length = bands[0].length;
  const prefixes = bands.map(prefixSums);
  const powerAt = (period: number): number => fold(bands, prefixes, period)?.power ?? 0;
  let best = { period: Number.NaN, power: 0 };
  const last = Math.min(maxPeriod, length / minRepeats);
  // The step lets the phase drift by a sixth of a period over the whole profile; the search ends at a sixtieth.
  const stepAt = (period: number): number => (period * period) / (6 * length);
  for (let period = Math.max(minSteps, minPeriod); period <= last; period += stepAt(period)) {
    const power = powerAt(period);
    if (power > best.power) best = { period, power };
  }
  const coarse = best.period;
  for (let drift = -1; drift <= 1; drift += 0.1) {
    const period = coarse + drift * stepAt(coarse);
    const power = powerAt(period);
    if (power > best.power) best = { period, power };
  }
  if (best.power < minPower) return undefined;
  const { shape } = fold(bands, prefixes, best.period)!;
  const amplitude = Math.exp(Math.max(...shape) - Math.min(...shape)) - 1;
  return amplitude < minAmplitude ? undefined : { period: best.period, shape, amplitude };
}

interface PrefixSums {
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

/**
 * Averages the profiles by phase of a period. Slow change is taken out by a moving average over one period: that of
 * a pattern with this period is constant.
 */
function fold(
  bands: readonly Float64Array[],
  prefixes: readonly PrefixSums[],
  period: number,
): { shape: Float64Array; power: number } | undefined {
  const length = bands[0].length;
  const half = Math.round(period / 2);
  const bins = Math.min(phaseBins, Math.floor(period));
  const total = new Float64Array(bins);
  const sum = new Float64Array(bins);
  const count = new Float64Array(bins);
  let energy = 0;
  let repeats = 0;
  bands.forEach((band, b) => {
    const { sums, counts } = prefixes[b];
    for (let k = 0; (k + 1) * period <= length; k++) {
      sum.fill(0);
      count.fill(0);
      const end = Math.min(length - half, (k + 1) * period);
      for (let i = Math.max(half, Math.ceil(k * period)); i < end; i++) {
        if (Number.isNaN(band[i])) continue;
        const from = i - half;
        const to = i + half + 1;
        const slow =
          (sums[Math.min(length, to)] - sums[from]) / (counts[Math.min(length, to)] - counts[from]);
        const bin = Math.min(bins - 1, Math.floor((i / period - k) * bins));
        sum[bin] += band[i] - slow;
        count[bin]++;
      }
      // A repeat with gaps would put its own mean into the shape.
      if (count.includes(0)) continue;
      let mean = 0;
      for (let bin = 0; bin < bins; bin++) mean += sum[bin] / count[bin] / bins;
      for (let bin = 0; bin < bins; bin++) {
        const value = sum[bin] / count[bin] - mean;
        total[bin] += value;
        energy += value * value;
      }
      repeats++;
    }
  });
  if (repeats < minRepeats || energy === 0) return undefined;
  const power = total.reduce((all, value) => all + value * value, 0) / energy;
  return { shape: total.map((value) => value / repeats), power };
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
