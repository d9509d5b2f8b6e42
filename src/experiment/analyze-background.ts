// What is subtracted from a probe before it is measured: a known number, a percentile of the tissue, or what a slide
// without probe shows.
import type { Rng } from '../core/rng.ts';
import type { SlideScan } from '../dataset/scan-slide.ts';
import { addBlocks, type Background, type BackgroundOf, usedBlocks } from '../spatial/extravasation.ts';
import { binUm, distanceBins, type PixelBackground, type SpaceSums } from '../spatial/space-sums.ts';

/** What is subtracted from a probe before anything is measured. */
export interface ProbeBackground {
  /** Of the whole slide, by bin of distance and in vessels. */
  readonly whole: PixelBackground;
  /** For the resamples of the bootstrap. */
  readonly resampled: BackgroundOf;
  /** One number, to be told. */
  readonly value: number;
  readonly basis: string;
}

/** The same everywhere. */
const even = (value: number): PixelBackground => ({ inVessel: value, at: () => value });

export function knownBackground(value: number): ProbeBackground {
  return { whole: even(value), resampled: () => () => value, value, basis: 'given' };
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
  // Millions on a large slide: cells by rising value, and the block of each.
  let count = 0;
  const cells = new Uint32Array(cellMean.length);
  for (let i = 0; i < cellMean.length; i++) if (isSolid(i) && !Number.isNaN(cellMean[i])) cells[count++] = i;
  const rising = cells.subarray(0, count).sort((a, b) => cellMean[a] - cellMean[b]);
  const blocks = rising.map((i) => {
    const x = Math.floor(((i % cellsWide) * cellPx) / blockPx);
    const y = Math.floor((Math.floor(i / cellsWide) * cellPx) / blockPx);
    return y * blocksWide + x;
  });
  const of = (weight: (block: number) => number): number => {
    let total = 0;
    for (let k = 0; k < count; k++) total += weight(blocks[k]);
    let sum = 0;
    for (let k = 0; k < count; k++) {
      sum += weight(blocks[k]);
      if (sum > 0 && sum >= (percent / 100) * total) return cellMean[rising[k]];
    }
    return Number.NaN;
  };
  const value = of(() => 1);
  return {
    whole: even(value),
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

/**
 * The mean of a slide without probe at each distance and in vessels, so that bleed-through goes with it: over 5 um where that is
 * extravascular tissue, bin by bin beside the walls, where it falls steeply.
 * @param sums of that slide, with blocks from the walls on
 * @param beyondUm where extravascular tissue begins
 */
export function slideBackground(
  { blocks, areas }: Pick<SpaceSums, 'blocks' | 'areas'>,
  beyondUm: number,
  name: string,
): ProbeBackground {
  const used = usedBlocks(blocks);
  const first = Math.min(distanceBins - 1, Math.floor(beyondUm / binUm));
  const of = (weights?: Float64Array): { at: Background; value: number } => {
    const sums = addBlocks(blocks, weights);
    const over = (from: number, to: number): number => {
      let [n, sum] = [0, 0];
      for (let k = Math.max(0, from); k <= Math.min(distanceBins - 1, to); k++) {
        n += sums.pixels[k];
        sum += sums.probe[0][k];
      }
      return n >= 1000 ? sum / n : Number.NaN;
    };
    const value = over(first, distanceBins - 1);
    const known = (...candidates: number[]): number => candidates.find((v) => !Number.isNaN(v)) ?? value;
    const bins = Array.from({ length: distanceBins }, (_, k) =>
      k < first ? known(over(k, k), over(0, first - 1)) : known(over(Math.max(first, k - 2), k + 2)),
    );
    return { at: (k) => bins[k], value };
  };
  const whole = of();
  const { vessel } = areas;
  return {
    whole: { at: whole.at, inVessel: vessel.pixels > 0 ? vessel.probe[0] / vessel.pixels : whole.value },
    resampled: (_weights, rng: Rng) => {
      const weights = new Float64Array(blocks.length);
      for (let i = 0; i < used.length; i++) weights[used[rng.integer(used.length)]]++;
      return of(weights).at;
    },
    value: whole.value,
    basis: `the slide without probe ${name}, at each distance and in vessels`,
  };
}
