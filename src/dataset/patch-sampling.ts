// Which window comes next in training: every window once in a drawn order, or half of them by target intensity.
import { Rng } from '../core/rng.ts';
import type { WindowRow } from './manifest.ts';

/** Intervals of mean target intensity that balanced sampling draws from evenly. */
const balanceBins = 8;

/** Gives the window of each draw; depends on nothing but the arguments. */
export interface WindowSampler {
  /** @param draw counts patches from 0 over all steps; @param rng the draw's own stream */
  windowOf(draw: number, rng: Rng): number;
}

/**
 * Draws 0 to n-1 are a permutation of the n windows, n to 2n-1 another one, and so on. With `balance` every second
 * draw instead takes one of the intervals of mean target intensity at random, then one of its windows, so that
 * rare bright regions are seen more often.
 */
export function createWindowSampler(
  windows: readonly WindowRow[],
  seed: number,
  balance: boolean,
): WindowSampler {
  const orders = new Map<number, Uint32Array>();
  const orderOf = (round: number): Uint32Array => {
    let order = orders.get(round);
    if (order === undefined) {
      order = new Rng(seed).fork('order', round).permutation(windows.length);
      // The last two rounds are all that steps in sequence, loaded ahead, ever need.
      if (orders.size >= 2) orders.delete(Math.min(...orders.keys()));
      orders.set(round, order);
    }
    return order;
  };
  const bins = balance ? intensityBins(windows) : [];
  return {
    windowOf(draw, rng) {
      if (balance && draw % 2 === 1) {
        const bin = bins[rng.integer(bins.length)];
        return bin[rng.integer(bin.length)];
      }
      const at = balance ? draw >> 1 : draw;
      return orderOf(Math.floor(at / windows.length))[at % windows.length];
    },
  };
}

/** Windows by equal intervals between the smallest and largest mean target; empty intervals are left out. */
function intensityBins(windows: readonly WindowRow[]): number[][] {
  const means = windows.map((row) => row[4]);
  const low = means.reduce((least, mean) => Math.min(least, mean), Infinity);
  const high = means.reduce((most, mean) => Math.max(most, mean), -Infinity);
  const bins: number[][] = Array.from({ length: balanceBins }, () => []);
  means.forEach((mean, i) => {
    const bin = high > low ? Math.floor(((mean - low) / (high - low)) * balanceBins) : 0;
    bins[Math.min(bin, balanceBins - 1)].push(i);
  });
  return bins.filter((bin) => bin.length > 0);
}

/**
 * A position drawn evenly within half a patch of `at`, and brought inside the slide: drawn evenly from what lies inside, hardly
 * any patch would hold the slide's edge.
 */
export function jitterPosition(at: number, length: number, patch: number, rng: Rng): number {
  const half = patch >> 1;
  return Math.max(0, Math.min(length - patch, at - half + rng.integer(2 * half + 1)));
}
