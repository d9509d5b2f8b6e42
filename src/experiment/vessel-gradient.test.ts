/** The error of a gradient is what repeated images show. */
import { expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { GradientTally, meanGradient } from './vessel-gradient.ts';

const extent = 320;
const cells = new Uint8Array((extent / 16) ** 2).fill(1);
const solid = { cellPx: 16, cellsWide: extent / 16, cellsHigh: extent / 16, cells };

/** Vessels every 64 px; brightness changes from place to place over 20 px, and by `gradient` beside the vessels. */
function image(rng: Rng, gradient: number, rim = 0): GradientTally {
  const tally = new GradientTally(solid, 1);
  const coarse = Float32Array.from({ length: 17 ** 2 }, () => rng.normal(0, 1));
  for (let y = 0; y < extent; y++) {
    const distanceUm = Float32Array.from({ length: extent }, (_, x) => Math.abs(((x + 32) % 64) - 32));
    const values = distanceUm.map(
      (d, x) =>
        (d <= 10 ? gradient : 0) + coarse[Math.floor(y / 20) * 17 + Math.floor(x / 20)] + (x < 16 ? rim : 0),
    );
    tally.add(values, { y, distanceUm, inTissue: new Uint8Array(extent).fill(1) });
  }
  return tally;
}

it('measures what is brighter beside vessels, with the error that repetitions have', () => {
  const rng = new Rng(4);
  const found = Array.from({ length: 200 }, () => image(rng, 0.5).gradient());
  const mean = found.reduce((sum, { value }) => sum + value, 0) / found.length;
  const sd = Math.sqrt(found.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (found.length - 1));
  const error = found.reduce((sum, { error }) => sum + error, 0) / found.length;
  expect(mean).toBeCloseTo(0.5, 1);
  expect(error / sd).toBeGreaterThan(0.75);
  expect(error / sd).toBeLessThan(1.35);
  expect(meanGradient(found).error).toBeCloseTo(error / Math.sqrt(found.length), 2);
});

it('leaves out what is beside glass', () => {
  for (let y = 0; y < solid.cellsHigh; y++) cells[y * solid.cellsWide] = 0;
  const [with1, without] = [image(new Rng(1), 0, -50), image(new Rng(1), 0)];
  expect(with1.gradient()).toEqual(without.gradient());
  cells.fill(1);
  expect(image(new Rng(1), 0, -50).gradient().value).not.toBeCloseTo(without.gradient().value, 1);
});
