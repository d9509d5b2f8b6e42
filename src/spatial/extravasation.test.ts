/** Intervals of measures that a piece of tissue may be too small to show. */
import { expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { bootstrapBlocks } from './extravasation.ts';
import { type BlockSums, emptyBlock } from './space-sums.ts';

/** Probe that falls from `plateau` + 0.5 to `plateau`, which varies from block to block. */
function blocksOf(plateau: number, sd: number, rng: Rng): BlockSums[] {
  return Array.from({ length: 24 }, () => {
    const block = emptyBlock(1);
    const own = plateau + sd * rng.normal();
    for (let k = 0; k < 80; k++) {
      block.pixels[k] = 100;
      block.distance[k] = 100 * (k + 0.5);
      block.probe[0][k] = 100 * (0.5 * Math.exp(-(k + 0.5) / 10) + own);
    }
    block.border[block.border.length - 1] = 8000;
    return block;
  });
}

it('half-distance: resamples that do not reach half count as far ones, not as missing ones', () => {
  const options = { resamples: 150, level: 0.95, seed: 1 };
  const intervalOf = (plateau: number, sd: number) =>
    bootstrapBlocks(blocksOf(plateau, sd, new Rng(3)), 0, () => () => 0, options).measures.halfDistanceUm;
  const near = intervalOf(0.1, 0.01);
  expect(near.low).toBeGreaterThan(7);
  expect(near.high).toBeLessThan(12);
  // The truth is never half; by chance some resamples are.
  const never = intervalOf(0.48, 0.08);
  expect(never.low).toBeGreaterThan(15);
  expect(never.high).toBeNaN();
});
