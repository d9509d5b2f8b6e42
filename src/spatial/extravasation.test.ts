/** Intervals of measures that a piece of tissue may be too small to show. */
import { expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { bootstrapBlocks, extravasationOf, profileOf } from './extravasation.ts';
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
  const none = { whole: () => 0, resampled: () => () => 0 };
  const intervalOf = (plateau: number, sd: number) =>
    bootstrapBlocks({ blocks: blocksOf(plateau, sd, new Rng(3)), blocksWide: 6 }, 0, none, options).measures
      .halfDistanceUm;
  const near = intervalOf(0.1, 0.01);
  expect(near.low).toBeGreaterThan(7);
  expect(near.high).toBeLessThan(12);
  // The truth is never half; by chance some resamples are.
  const never = intervalOf(0.48, 0.08);
  expect(never.low).toBeGreaterThan(15);
  expect(never.high).toBeNaN();
});

it('quantiles beyond the last bin are not known, and it is no part of the profile', () => {
  const block = emptyBlock(1);
  const last = block.pixels.length - 1;
  // A fifth of the tissue lies some 400 um from the walls, and the probe is everywhere alike.
  for (const [k, pixels, um] of [
    [10, 400, 10.5],
    [20, 400, 20.5],
    [last, 200, 400],
  ] as const) {
    block.pixels[k] = pixels;
    block.distance[k] = pixels * um;
    block.probe[0][k] = pixels;
  }
  block.border[last] = 1000;
  const found = extravasationOf(block, 0, () => 0);
  expect(found).toMatchObject({ p90Um: Number.NaN, uniformP90Um: Number.NaN });
  expect(found.medianUm).toBeCloseTo(20.25, 9);
  expect(found.meanUm).toBeCloseTo(0.4 * 10.5 + 0.4 * 20.5 + 0.2 * 400, 9);
  expect(profileOf(block, 0, () => 0).map(({ fromUm }) => fromUm)).toEqual([10, 20]);
});
