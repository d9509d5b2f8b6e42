// How far the probe gets from the vessels: the profile over distance, and the distances that sum it up.
import { quantile } from '../core/quantile.ts';
import { Rng } from '../core/rng.ts';
import { studentQuantile } from '../core/student-t.ts';
import { type BlockSums, binUm, distanceBins, emptyBlock } from './space-sums.ts';

/** The probe's mean at each distance, and where it lies. All distances are to the nearest vessel wall. */
export interface Extravasation {
  /** Mean distance of the probe above background, um. */
  readonly meanUm: number;
  /** Quantiles are NaN where they lie beyond the last bin of distance but one (249 um). */
  readonly medianUm: number;
  readonly p90Um: number;
  /**
   * Where the mean above background has fallen to half of what it is in the first 2 um of extravascular tissue; NaN
   * where it does not fall so far.
   */
  readonly halfDistanceUm: number;
  /** The same distances for a probe that is spread evenly over the same tissue. */
  readonly uniformMeanUm: number;
  readonly uniformMedianUm: number;
  readonly uniformP90Um: number;
  /** How much nearer to the walls the probe is than an even spread, um: uniformMeanUm - meanUm. */
  readonly closerUm: number;
  /** Mean above background in all extravascular tissue, stored units. */
  readonly meanSignal: number;
  /** Mean above background within 10 um of the walls less that beyond 25 um, stored units; NaN where there is no such tissue. */
  readonly nearLessFar: number;
}

export type ExtravasationKey = keyof Extravasation;

export interface ProfileBin {
  readonly fromUm: number;
  readonly toUm: number;
  /** Share of the extravascular tissue. */
  readonly share: number;
  readonly pixels: number;
  /** Mean of the probe above background, stored units. */
  readonly mean: number;
}

/** Background of a bin of distance, stored units. */
export type Background = (bin: number) => number;

/** Least share of the tissue that must lie farther from the slide's border than a distance for it to be judged. */
const leastInside = 0.05;

/** Sums over blocks, each taken `weight` times. */
export function addBlocks(blocks: readonly BlockSums[], weights?: Float64Array): BlockSums {
  const total = emptyBlock(blocks[0]?.probe.length ?? 1);
  blocks.forEach((block, i) => {
    const weight = weights?.[i] ?? 1;
    if (weight === 0) return;
    for (let k = 0; k < distanceBins; k++) {
      total.pixels[k] += weight * block.pixels[k];
      total.distance[k] += weight * block.distance[k];
      total.border[k] += weight * block.border[k];
      block.probe.forEach((sum, p) => {
        total.probe[p][k] += weight * sum[k];
      });
    }
  });
  return total;
}

/**
 * Share of the extravascular tissue in each bin of distance, without what the slide's border hides: a pixel counts
 * only where no vessel beyond the border could be nearer, and for all that lie as far from the border as its
 * distance (Chiu and Stoyan 1998). 0 beyond the farthest distance that the slide can tell.
 */
export function areaShares(sums: BlockSums): Float64Array {
  const inside = new Float64Array(distanceBins);
  let farther = 0;
  for (let k = distanceBins - 1; k >= 0; k--) {
    farther += sums.border[k];
    inside[k] = farther;
  }
  const shares = new Float64Array(distanceBins);
  let total = 0;
  for (let k = 0; k < distanceBins; k++) {
    if (inside[k] === 0 || inside[k] < leastInside * inside[0]) break;
    shares[k] = sums.pixels[k] / inside[k];
    total += shares[k];
  }
  return total > 0 ? shares.map((share) => share / total) : shares;
}

/** The mean profile of probe `p` in bins of 1 um; bins without tissue are left out, and the last one, which takes all that is farther. */
export function profileOf(
  sums: BlockSums,
  p: number,
  background: Background,
  shares: Float64Array = areaShares(sums),
): ProfileBin[] {
  const bins: ProfileBin[] = [];
  for (let k = 0; k < distanceBins - 1; k++) {
    if (shares[k] === 0) continue;
    bins.push({
      fromUm: k * binUm,
      toUm: (k + 1) * binUm,
      share: shares[k],
      pixels: sums.pixels[k],
      mean: sums.probe[p][k] / sums.pixels[k] - background(k),
    });
  }
  return bins;
}

/**
 * Noise averages out: the probe above background is summed as it is, below zero too, so that no clipping lifts the
 * dark tissue far from vessels. All is NaN where there is no extravascular tissue, or no vessel to be far from.
 */
export function extravasationOf(sums: BlockSums, p: number, background: Background): Extravasation {
  const found = reachesOf(sums, p, background);
  return Object.fromEntries(
    Object.entries(found).map(([key, value]) => [key, finiteOrNaN(value)]),
  ) as unknown as Extravasation;
}

/** As `extravasationOf`, with Infinity for a distance that lies beyond what the tissue shows: no missing value but a large one. */
function reachesOf(sums: BlockSums, p: number, background: Background): Extravasation {
  const shares = areaShares(sums);
  const amounts = new Float64Array(distanceBins);
  const mean = (k: number): number => sums.distance[k] / sums.pixels[k];
  const start = shares.some((share) => share > 0) ? 0 : Number.NaN;
  let [signal, moment, uniformMoment] = [start, start, start];
  for (let k = 0; k < distanceBins; k++) {
    if (shares[k] === 0) continue;
    amounts[k] = shares[k] * (sums.probe[p][k] / sums.pixels[k] - background(k));
    signal += amounts[k];
    moment += amounts[k] * mean(k);
    uniformMoment += shares[k] * mean(k);
  }
  return {
    meanUm: moment / signal,
    medianUm: quantileUm(amounts, 0.5),
    p90Um: quantileUm(amounts, 0.9),
    halfDistanceUm: halfDistance(profileOf(sums, p, background, shares)),
    uniformMeanUm: uniformMoment,
    uniformMedianUm: quantileUm(shares, 0.5),
    uniformP90Um: quantileUm(shares, 0.9),
    closerUm: uniformMoment - moment / signal,
    meanSignal: signal,
    nearLessFar: meanBetween(shares, amounts, 0, 10) - meanBetween(shares, amounts, 25, Infinity),
  };
}

const finiteOrNaN = (value: number): number => (Number.isFinite(value) ? value : Number.NaN);

function meanBetween(shares: Float64Array, amounts: Float64Array, fromUm: number, toUm: number): number {
  let [share, amount] = [0, 0];
  for (let k = Math.round(fromUm / binUm); k < Math.min(distanceBins, toUm / binUm); k++) {
    share += shares[k];
    amount += amounts[k];
  }
  return amount / share;
}

/**
 * Where the running sum reaches the share q of the whole, on straight lines within bins. NaN for no amount; Infinity in the last bin,
 * which has no end.
 */
function quantileUm(amounts: Float64Array, q: number): number {
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  if (!(total > 0)) return Number.NaN;
  let sum = 0;
  for (let k = 0; k < distanceBins - 1; k++) {
    if (amounts[k] > 0 && sum + amounts[k] >= q * total) return (k + (q * total - sum) / amounts[k]) * binUm;
    sum += amounts[k];
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * Means of bins are smoothed over three, so that noise in one does not end the search.
 * @returns Infinity where half is not reached; NaN for no signal to halve
 */
function halfDistance(bins: readonly ProfileBin[]): number {
  if (bins.length < 4) return Number.NaN;
  const weighted = (from: number, to: number): number => {
    let [share, amount] = [0, 0];
    for (let i = Math.max(0, from); i <= Math.min(bins.length - 1, to); i++) {
      share += bins[i].share;
      amount += bins[i].share * bins[i].mean;
    }
    return amount / share;
  };
  // Pixels of several micrometres leave bins empty between them.
  const first = bins.findLastIndex(({ fromUm }) => fromUm < bins[0].fromUm + 2);
  const half = weighted(0, first) / 2;
  if (!(half > 0)) return Number.NaN;
  let before = weighted(-1, 1);
  for (let i = 1; i < bins.length; i++) {
    const here = weighted(i - 1, i + 1);
    if (here <= half) {
      const [previous, middle] = [bins[i - 1], bins[i]].map(({ fromUm, toUm }) => (fromUm + toUm) / 2);
      return middle - ((middle - previous) * (half - here)) / (before - here || 1);
    }
    before = here;
  }
  return Number.POSITIVE_INFINITY;
}

/** Fewer blocks than this say nothing of what another piece of the tissue would give. */
export const leastBlocks = 6;

/** Those that hold tissue. */
export function usedBlocks(blocks: readonly BlockSums[]): number[] {
  return blocks.flatMap((block, i) => (block.border.some((count) => count > 0) ? [i] : []));
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly resamples: number;
  readonly level: number;
  readonly seed: number;
}

/** Blocks row by row. */
export interface BlockGrid {
  readonly blocks: readonly BlockSums[];
  readonly blocksWide: number;
}

/** Background of each resample, from how often each block is drawn in it. */
export type BackgroundOf = (weights: Float64Array, rng: Rng) => Background;

/**
 * Percentile intervals from drawing blocks of tissue with replacement (spatial block bootstrap; Hall 1985, Loh 2008):
 * what another piece of the same tissue would have given. The background is found anew in every resample. They are widened, about
 * the value itself, by what neighbouring blocks have in common (Conley 1999) and as Student's t is for so few. NaN with fewer
 * than `leastBlocks` to draw from, for a bin of the profile that fewer hold, and for an end of a distance that is not reached on this tissue.
 */
export function bootstrapBlocks(
  { blocks, blocksWide }: BlockGrid,
  p: number,
  background: { readonly whole: Background; readonly resampled: BackgroundOf },
  { resamples, level, seed }: BootstrapOptions,
): { readonly measures: Record<ExtravasationKey, Interval>; readonly profile: Interval[] } {
  const used = usedBlocks(blocks);
  const total = addBlocks(blocks);
  const value = reachesOf(total, p, background.whole);
  const keys = Object.keys(value) as ExtravasationKey[];
  const ofMeasures = (interval: (key: ExtravasationKey) => Interval): Record<ExtravasationKey, Interval> =>
    Object.fromEntries(keys.map((key) => [key, interval(key)])) as Record<ExtravasationKey, Interval>;
  const unknown: Interval = { low: Number.NaN, high: Number.NaN };
  if (used.length < leastBlocks)
    return { measures: ofMeasures(() => unknown), profile: new Array<Interval>(distanceBins).fill(unknown) };
  const rng = new Rng(seed).fork('blocks');
  const found: Extravasation[] = [];
  const profiles: Float64Array[] = [];
  for (let b = 0; b < resamples; b++) {
    const weights = new Float64Array(blocks.length);
    for (let i = 0; i < used.length; i++) weights[used[rng.integer(used.length)]]++;
    const sums = addBlocks(blocks, weights);
    const own = background.resampled(weights, rng);
    found.push(reachesOf(sums, p, own));
    const profile = new Float64Array(distanceBins).fill(Number.NaN);
    for (const { fromUm, mean } of profileOf(sums, p, own)) profile[Math.round(fromUm / binUm)] = mean;
    profiles.push(profile);
  }
  // What each block adds to a value: that of all less that of all others.
  const without = used.map((i) => {
    const others = addBlocks([total, blocks[i]], Float64Array.of(1, -1));
    return { measures: reachesOf(others, p, background.whole), sums: others };
  });
  const ofFew =
    Math.sqrt(used.length / (used.length - 1)) *
    (studentQuantile((1 - level) / 2, used.length - 1) / studentQuantile((1 - level) / 2, Infinity));
  const interval = (values: readonly number[], of: number, ofOthers: readonly number[]): Interval => {
    const { low, high } = percentiles(values, level);
    const wider = ofFew * Math.sqrt(commonVariance(ofOthers, used, blocksWide));
    const widened = (end: number): number => (Number.isFinite(of) ? of + wider * (end - of) : end);
    return { low: widened(low), high: widened(high) };
  };
  const measures = ofMeasures((key) =>
    interval(
      found.map((each) => each[key]),
      value[key],
      without.map((each) => each.measures[key]),
    ),
  );
  // A bin that few blocks hold is the same in every resample that has it, however little is known of it.
  const holding = Array.from(
    { length: distanceBins },
    (_, k) => used.filter((i) => blocks[i].pixels[k] > 0).length,
  );
  const meanOf = (sums: BlockSums, k: number): number =>
    sums.probe[p][k] / sums.pixels[k] - background.whole(k);
  const profile = holding.map((held, k) =>
    held >= leastBlocks
      ? interval(
          profiles.map((each) => each[k]),
          meanOf(total, k),
          without.map(({ sums }) => meanOf(sums, k)),
        )
      : unknown,
  );
  return { measures, profile };
}

/**
 * Variance of a sum of what blocks add, with what a block and its neighbours have in common, over that without; at least 1, and 1
 * where it is not known.
 * @param ofOthers the value without each of the blocks in use
 */
function commonVariance(ofOthers: readonly number[], used: readonly number[], blocksWide: number): number {
  const mean = ofOthers.reduce((sum, value) => sum + value, 0) / ofOthers.length;
  if (!Number.isFinite(mean)) return 1;
  const added = new Map(used.map((block, i) => [block, mean - ofOthers[i]]));
  let [alone, together] = [0, 0];
  for (const [block, own] of added) {
    alone += own * own;
    for (const dy of [-1, 0, 1])
      for (const dx of [-1, 0, 1]) {
        const column = (block % blocksWide) + dx;
        if (column < 0 || column >= blocksWide) continue;
        together += own * (added.get(block + dy * blocksWide + dx) ?? 0);
      }
  }
  return alone > 0 ? Math.max(1, together / alone) : 1;
}

/** NaN where fewer than half of the resamples have a value, and for an end that is not reached (Infinity). */
function percentiles(values: readonly number[], level: number): Interval {
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  if (sorted.length < Math.max(2, values.length / 2)) return { low: Number.NaN, high: Number.NaN };
  const tail = (1 - level) / 2;
  return { low: finiteOrNaN(quantile(sorted, tail)), high: finiteOrNaN(quantile(sorted, 1 - tail)) };
}
