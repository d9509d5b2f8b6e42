import { expect, test } from 'vitest';
import { NearNoise, noise2, noisePlane } from './noise.ts';

test('noise remembered between near points, and over a whole grid, is the noise of single points', () => {
  const near = new NearNoise();
  for (let n = 0; n < 2000; n++) {
    // Back and forth across lattice cells, on both sides of zero, with two seeds by turns.
    const [x, y, seed] = [3 * Math.sin(n / 7), n / 300 - 3, 5 + (Math.floor(n / 10) % 2)];
    expect(near.at(seed, x, y)).toBe(noise2(seed, x, y));
  }
  const grid = { fromX: -13.25, fromY: 4, spacing: 0.5, width: 40, height: 30 };
  for (const wavelengthUm of [0.4, 0.9, 7]) {
    const plane = noisePlane(grid, 9, wavelengthUm);
    for (let at = 0; at < plane.length; at++) {
      const x = grid.fromX + ((at % grid.width) + 0.5) * grid.spacing;
      const y = grid.fromY + (Math.floor(at / grid.width) + 0.5) * grid.spacing;
      // Float32, and places added up in another order.
      expect(plane[at]).toBeCloseTo(noise2(9, x / wavelengthUm, y / wavelengthUm), 6);
    }
  }
});
