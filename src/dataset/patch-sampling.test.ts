// Where training patches lie: the slide's edge is seen, and no patch leaves the slide.
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { jitterPosition } from './patch-sampling.ts';

describe('jitterPosition', () => {
  it('shows every pixel, the edge half as often as the middle at least', () => {
    const [length, patch, rounds] = [1041, 256, 2000];
    const windows = [0, 256, 512, length - patch];
    const rng = new Rng(1);
    const seen = new Float64Array(length);
    for (let round = 0; round < rounds; round++)
      for (const at of windows) {
        const from = jitterPosition(at, length, patch, rng);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(from + patch).toBeLessThanOrEqual(length);
        for (let i = from; i < from + patch; i++) seen[i]++;
      }
    expect(Math.min(...seen) / rounds).toBeGreaterThan(0.4);
    expect(Math.max(...seen) / rounds).toBeLessThan(2);
  });

  it('leaves a slide smaller than a patch at 0', () => {
    expect(jitterPosition(0, 100, 256, new Rng(1))).toBe(0);
  });
});
