import { describe, expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { smooth } from './gaussian.ts';
import type { GridField } from './grid-field.ts';
import { findHotSpots } from './hot-spots.ts';

const [wide, high] = [48, 40];

/** Cut from the middle of a larger smoothed noise, so that its edges are like its middle. */
function correlatedField(rng: Rng, sigma: number): GridField {
  const margin = Math.ceil(5 * sigma);
  const [w, h] = [wide + 2 * margin, high + 2 * margin];
  const noise = Float32Array.from({ length: w * h }, () => rng.normal());
  const smoothed = sigma > 0 ? smooth(noise, w, h, sigma) : noise;
  const values = new Float64Array(wide * high);
  for (let y = 0; y < high; y++)
    for (let x = 0; x < wide; x++)
      // Skewed like a probe's brightness.
      values[y * wide + x] = Math.exp(
        smoothed[(y + margin) * w + x + margin] / (sigma > 0 ? 0.28 / sigma : 1),
      );
  return { wide, high, valid: new Uint8Array(wide * high).fill(1), values };
}

describe('findHotSpots', () => {
  it('shows a spot by chance on about 5% of slides whose cells are correlated', () => {
    const rng = new Rng(5);
    const slides = 20;
    let found = 0;
    for (let i = 0; i < slides; i++)
      if (findHotSpots(correlatedField(rng, 1), { draws: 39, seed: i }).spots.length > 0) found++;
    // 20 slides at 5%: 1 expected, 5 or more with a chance of 0.3%. More slides: docs/analysis.md.
    expect(found).toBeLessThan(5);
  });

  it('finds a spot that is there, where it is', () => {
    const field = correlatedField(new Rng(8), 1);
    for (let y = 10; y < 16; y++) for (let x = 20; x < 26; x++) field.values[y * wide + x] *= 40;
    const { spots } = findHotSpots(field);
    expect(spots.map(({ kind }) => kind)).toContain('hot');
    const [spot] = spots;
    expect(spot.x).toBeGreaterThanOrEqual(17);
    expect(spot.x + spot.wide).toBeLessThanOrEqual(29);
    expect(spot.p).toBeLessThanOrEqual(0.05);
  });

  it('finds nothing on a constant field, on few cells, and nowhere outside the tissue', () => {
    const field = correlatedField(new Rng(1), 1);
    expect(findHotSpots({ ...field, values: field.values.fill(3) }).spots).toEqual([]);
    const small = { wide: 3, high: 3, valid: new Uint8Array(9).fill(1), values: new Float64Array(9) };
    expect(findHotSpots(small).spots).toEqual([]);
  });
});
