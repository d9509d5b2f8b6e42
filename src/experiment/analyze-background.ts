// What is subtracted from a probe before it is measured: a known number, a percentile of the tissue, or what a slide
// without probe shows.
import type { Rng } from '../core/rng.ts';
import type { SlideScan } from '../dataset/scan-slide.ts';
import { addBlocks, type Background, type BackgroundOf } from '../spatial/extravasation.ts';
import { type BlockSums, distanceBins } from '../spatial/space-sums.ts';

/** What is subtracted from a probe before anything is measured. */
export interface ProbeBackground {
  /** Of the whole slide, by bin of distance. */
  readonly whole: Background;
  /** For the resamples of the bootstrap. */
  readonly resampled: BackgroundOf;
  /** One number, for what has no distance. */
  readonly value: number;
  readonly basis: string;
}

export function knownBackground(value: number): ProbeBackground {
  return { whole: () => value, resampled: () => () => value, value, basis: 'given' };
}

/**
 * A percentile of the tissue, in averages over cells of about 8 um, so that noise does not lower it; found anew from the
 * blocks of each resample.
 * @param isSolid whether a cell of the scan is tissue and not beside glass: see `solidCells`
 */
export function percentileBackground(
  scan: SlideScan,
  channel: number,
  isSolid: (cell: number) => boolean,
  percent: number,
  blockUm: number,
): ProbeBackground {
  const { cellPx, cellsWide, pixelSizeUm, widthPx } = scan;
  const blockPx = Math.max(1, Math.round(blockUm / pixelSizeUm));
  const blocksWide = Math.ceil(widthPx / blockPx);
  const { cellMean } = scan.channels[channel];
  const cells: { value: number; block: number }[] = [];
  for (let i = 0; i < cellMean.length; i++) {
    if (!isSolid(i) || Number.isNaN(cellMean[i])) continue;
    const x = Math.floor(((i % cellsWide) * cellPx) / blockPx);
    const y = Math.floor((Math.floor(i / cellsWide) * cellPx) / blockPx);
    cells.push({ value: cellMean[i], block: y * blocksWide + x });
  }
  cells.sort((a, b) => a.value - b.value);
  const of = (weight: (block: number) => number): number => {
    let total = 0;
    for (const { block } of cells) total += weight(block);
    let sum = 0;
    for (const { value, block } of cells) {
      sum += weight(block);
      if (sum > 0 && sum >= (percent / 100) * total) return value;
    }
    return Number.NaN;
  };
  const value = of(() => 1);
  return {
    whole: () => value,
    resampled: (weights) => {
      const own = of((block) => weights[block] ?? 0);
      return () => own;
    },
    value,
    basis: `${ordinal(percent)} percentile of the tissue away from glass, in averages over ${(cellPx * pixelSizeUm).toFixed(1)} um`,
  };
}

/** 1st, 2nd, 3rd, 11th, 0.5th. */
function ordinal(value: number): string {
  const last = value % 100 > 10 && value % 100 < 14 ? 0 : value % 10;
  return `${value}${['th', 'st', 'nd', 'rd'][last] ?? 'th'}`;
}

/** The mean of a slide without probe at each distance (over 5 um), so that bleed-through goes with it. */
export function slideBackground(blocks: readonly BlockSums[], name: string): ProbeBackground {
  const used = blocks.flatMap((block, i) => (block.border.some((n) => n > 0) ? [i] : []));
  const of = (weights?: Float64Array): { by: Background; value: number } => {
    const sums = addBlocks(blocks, weights);
    const over = (from: number, to: number): number => {
      let [n, sum] = [0, 0];
      for (let k = Math.max(0, from); k <= Math.min(distanceBins - 1, to); k++) {
        n += sums.pixels[k];
        sum += sums.probe[0][k];
      }
      return n >= 1000 ? sum / n : Number.NaN;
    };
    const value = over(0, distanceBins - 1);
    const bins = Array.from({ length: distanceBins }, (_, k) => over(k - 2, k + 2));
    return { by: (k) => (Number.isNaN(bins[k]) ? value : bins[k]), value };
  };
  const whole = of();
  return {
    whole: whole.by,
    resampled: (_weights, rng: Rng) => {
      const weights = new Float64Array(blocks.length);
      for (let i = 0; i < used.length; i++) weights[used[rng.integer(used.length)]]++;
      return of(weights).by;
    },
    value: whole.value,
    basis: `the slide without probe ${name}, at each distance`,
  };
}
