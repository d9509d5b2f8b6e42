import { expect, test } from 'vitest';
import { Rng } from '../core/rng.ts';
import { ScreenedSolver } from './multigrid.ts';

/** Largest relative error that the closed forms may be missed by. */
const closedFormTolerance = 0.01;

function free(width: number, height: number, spacing: number, lambda: number) {
  return {
    width,
    height,
    mobility: new Float32Array(width * height).fill(1),
    loss: new Float32Array(width * height).fill((spacing / lambda) ** 2),
  };
}

test('a plane source decays as exp(-x / lambda), half of it within lambda ln 2', () => {
  const [width, height, spacing, lambda] = [512, 16, 1, 30];
  const solver = new ScreenedSolver({ ...free(width, height, spacing, lambda), hasFixedRing: false });
  const source = new Float32Array(width * height);
  for (let j = 0; j < height; j++) source[j * width] = 1;
  const u = new Float32Array(width * height);
  solver.solve(source, u, 1e-6);
  const row = 8 * width;
  // The wall lies on the left edge of the first cell: flux 1 gives u = lambda / spacing exp(-x / lambda).
  for (const x of [3, 10, 30, 60, 120]) {
    const exact = (lambda / spacing) * Math.exp(-(x + 0.5) / lambda);
    expect(Math.abs(u[row + x] / exact - 1)).toBeLessThan(closedFormTolerance);
  }
  const wall = (lambda / spacing) as number;
  const i = u.subarray(row, row + width).findIndex((value) => value < wall / 2);
  const crossing = i - 0.5 + (u[row + i - 1] - wall / 2) / (u[row + i - 1] - u[row + i]);
  expect(Math.abs(crossing / (lambda * Math.LN2) - 1)).toBeLessThan(closedFormTolerance);
});

test('around a cylinder the field goes as K0(r / lambda)', () => {
  const [size, spacing, lambda, radius] = [320, 1, 25, 6];
  const n = size * size;
  const mobility = new Float32Array(n);
  const loss = new Float32Array(n);
  const source = new Float32Array(n);
  const far = (x: number, y: number): number => Math.hypot(x - size / 2, y - size / 2);
  for (let at = 0; at < n; at++) {
    const [i, j] = [at % size, Math.floor(at / size)];
    // Share of the cell outside the cylinder.
    let open = 0;
    const isNear = Math.abs(far(i, j) - radius) < 3;
    for (let s = 0; s < 64 && isNear; s++) {
      if (far(i + ((s % 8) + 0.5) / 8, j + (Math.floor(s / 8) + 0.5) / 8) > radius) open++;
    }
    if (!isNear && far(i, j) > radius) open = 64;
    mobility[at] = open / 64;
    loss[at] = (open / 64) * (spacing / lambda) ** 2;
    const r = far(i + 0.5, j + 0.5);
    source[at] = mobility[at] * Math.max(0, 1.5 - Math.abs(r - radius));
  }
  const total = source.reduce((a, b) => a + b, 0);
  for (let at = 0; at < n; at++) source[at] *= (2 * Math.PI * radius) / total;
  const u = new Float32Array(n);
  new ScreenedSolver({ width: size, height: size, mobility, loss, hasFixedRing: false }).solve(
    source,
    u,
    1e-6,
  );
  // Flux 1 through the wall: A K0(r / lambda) with A = lambda / K1(radius / lambda).
  const amplitude = lambda / besselK(1, radius / lambda);
  for (const r of [10, 15, 25, 50, 75]) {
    for (const [dx, dy] of [
      [1, 0],
      [0, -1],
      [Math.SQRT1_2, Math.SQRT1_2],
    ]) {
      const i = Math.floor(size / 2 + r * dx);
      const j = Math.floor(size / 2 + r * dy);
      const exact = amplitude * besselK(0, far(i + 0.5, j + 0.5) / lambda);
      expect(Math.abs(u[j * size + i] / exact - 1)).toBeLessThan(closedFormTolerance);
    }
  }
});

test('what enters is taken up, whatever stands in the way, and every cycle about halves what is left', () => {
  const [width, height] = [192, 128];
  const rng = new Rng(4);
  const mobility = new Float32Array(width * height).fill(1);
  for (let disc = 0; disc < 120; disc++) {
    const [x, y, r] = [rng.uniform(0, width), rng.uniform(0, height), rng.uniform(3, 6)];
    for (let at = 0; at < mobility.length; at++) {
      if (Math.hypot((at % width) - x, Math.floor(at / width) - y) < r) mobility[at] = disc % 2 ? 0 : 0.05;
    }
  }
  const loss = mobility.map((m) => m / 900);
  const source = mobility.map((m) => (m > 0.5 && rng.uniform() < 0.02 ? rng.uniform() : 0));
  const u = new Float32Array(source.length);
  const solver = new ScreenedSolver({ width, height, mobility, loss, hasFixedRing: false });
  const left = solver.solve(source, u, 0, undefined, 6);
  expect(left).toBeLessThan(0.55 ** 5);
  solver.solve(source, u, 1e-5);
  const entered = source.reduce((a, b) => a + b, 0);
  const takenUp = u.reduce((sum, value, at) => sum + value * loss[at], 0);
  expect(Math.abs(takenUp / entered - 1)).toBeLessThan(1e-3);
});

/** Modified Bessel function of the second kind by its integral, to about 1e-9. */
function besselK(order: number, x: number): number {
  let sum = 0;
  const step = 0.002;
  for (let t = step / 2; t < 12; t += step) sum += Math.exp(-x * Math.cosh(t)) * Math.cosh(order * t) * step;
  return sum;
}
