import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { kernelWeights } from '../model/baselines/transport.ts';
import { fitTransport } from './fit-transport.ts';
import { isotonic } from './isotonic.ts';
import { NormalEquations } from './normal-equations.ts';

describe('isotonic', () => {
  it('pools neighbours that go the wrong way', () => {
    // Worked by hand: 3 and 1 pool to 2 (weights 1 and 1), 5 and 4 to 4.25 (weights 1 and 3).
    const fit = isotonic(Float64Array.of(3, 1, 0, 5, 12), Float64Array.of(1, 1, 0, 1, 3));
    expect([...fit]).toEqual([2, 2, 3.125, 4.25, 4.25]);
  });

  it('is monotone, keeps the mean, and leaves what is monotone as it is', () => {
    const bins = fc.array(
      fc.tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.integer({ min: 1, max: 9 })),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(bins, (given) => {
        const counts = Float64Array.from(given, ([, n]) => n);
        const sums = Float64Array.from(given, ([v, n]) => v * n);
        const fit = isotonic(sums, counts);
        const steps = [...fit.slice(1)].map((v, i) => v - fit[i]);
        expect(steps.every((s) => s >= -1e-9) || steps.every((s) => s <= 1e-9)).toBe(true);
        const total = fit.reduce((sum, v, i) => sum + v * counts[i], 0);
        expect(total).toBeCloseTo(
          sums.reduce((a, b) => a + b),
          6,
        );
        const sorted = given.map(([v]) => v).sort((a, b) => b - a);
        const again = isotonic(
          Float64Array.from(sorted, (v, i) => v * counts[i]),
          counts,
        );
        for (const [i, v] of sorted.entries()) expect(again[i]).toBeCloseTo(v, 6);
      }),
      { numRuns: 200 },
    );
  });
});

/** Rows of smooth random features, with a target made from them. */
function rows(features: number, target: (x: Float64Array) => number, count = 4000): NormalEquations {
  const rng = new Rng(1);
  const sums = new NormalEquations(features);
  const row = new Float64Array(features + 1);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < features; i++) row[i] = 300 + rng.normal(0, 1 + i);
    row[features] = target(row);
    sums.add(row);
  }
  return sums;
}

it('NormalEquations finds the coefficients a target was made with, and the error of leaving one out', () => {
  const sums = rows(3, ([a, b, c]) => 5 + 2 * a - b + 0.25 * c);
  const unit = (k: number) => Float64Array.from({ length: 3 }, (_, i) => +(i === k));
  const all = sums.solve([unit(0), unit(1), unit(2)], 0);
  expect(all.intercept).toBeCloseTo(5, 3);
  expect([...all.coefficients].map((v) => Number(v.toFixed(5)))).toEqual([2, -1, 0.25]);
  expect(Math.abs(all.mse)).toBeLessThan(1e-6);
  // Feature 2 has standard deviation 3: without it 0.25^2 * 9 of the variance is left.
  expect(sums.solve([unit(0), unit(1)], 0).mse / 0.5625).toBeCloseTo(1, 1);
});

it('fitTransport finds length, permeability and background, and no leakage where signal is lower outside', () => {
  const kernel = kernelWeights(13);
  const field = (x: Float64Array): number => kernel.reduce((sum, w, i) => sum + w * x[i], 0);
  const fit = fitTransport(rows(18, (x) => 7 + 3 * x[0] + 20 * field(x)));
  expect(fit.lengthUm).toBeGreaterThan(12.4);
  expect(fit.lengthUm).toBeLessThan(13.6);
  expect(fit.permeability).toBeCloseTo(20, 0);
  expect(fit.intravascular).toBeCloseTo(3, 0);
  const control = fitTransport(rows(18, (x) => 7 + 3 * x[0] - 20 * field(x)));
  expect(control.permeability).toBe(0);
});
