import { describe, expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { smooth } from './gaussian.ts';
import type { GridField } from './grid-field.ts';
import { nearnessChance } from './nearness-chance.ts';

const edge = 24;
const weights = new Float64Array(edge * edge).fill(1);

function field(values: ArrayLike<number>): GridField {
  return {
    wide: edge,
    high: edge,
    valid: new Uint8Array(edge * edge).fill(1),
    values: Float64Array.from(values),
  };
}

/** Cut from the middle of a larger smoothed noise. */
function correlated(rng: Rng, sigma: number): Float64Array {
  const margin = Math.ceil(4 * sigma);
  const size = edge + 2 * margin;
  const all = smooth(
    Float32Array.from({ length: size * size }, () => rng.normal()),
    size,
    size,
    sigma,
  );
  const out = new Float64Array(edge * edge);
  for (let y = 0; y < edge; y++)
    for (let x = 0; x < edge; x++) out[y * edge + x] = all[(y + margin) * size + x + margin];
  return out;
}

describe('nearnessChance', () => {
  it('keeps its level for fields that are both correlated', () => {
    const rng = new Rng(7);
    let low = 0;
    const trials = 80;
    for (let i = 0; i < trials; i++)
      if (nearnessChance(field(correlated(rng, 1.5)), correlated(rng, 1.5), weights) <= 0.05) low++;
    // 80 at 5%: 4 expected, 11 or more with a chance of 0.2%; a test that takes cells as independent gives some 25.
    expect(low).toBeLessThan(11);
  });

  it('is the plain t-test where cells are independent', () => {
    const rng = new Rng(3);
    const noise = Float64Array.from({ length: edge * edge }, () => rng.normal());
    const distances = Float64Array.from({ length: edge * edge }, () => rng.normal());
    const values = noise.map((v, i) => v - 0.07 * distances[i]);
    // scipy.stats.pearsonr(values, distances, alternative='less') on these numbers, to the share of the variogram's own error.
    const p = nearnessChance(field(values), distances, weights);
    const n = edge * edge;
    const mean = (a: Float64Array): number => a.reduce((s, v) => s + v, 0) / n;
    const [mv, md] = [mean(values), mean(distances)];
    let [vv, dd, vd] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      vv += (values[i] - mv) ** 2;
      dd += (distances[i] - md) ** 2;
      vd += (values[i] - mv) * (distances[i] - md);
    }
    const z = (vd / Math.sqrt(vv * dd)) * Math.sqrt(n - 2);
    // 574 degrees of freedom: the normal distribution to a few thousandths.
    expect(Math.abs(p - normalTail(-z))).toBeLessThan(0.02);
  });

  it('finds a probe that keeps to the vessels, and knows nothing of too few cells or a constant probe', () => {
    const rng = new Rng(11);
    const distances = correlated(rng, 1.5);
    const probe = correlated(rng, 1.5).map((v, i) => v - 1.5 * distances[i]);
    expect(nearnessChance(field(probe), distances, weights)).toBeLessThan(0.001);
    expect(nearnessChance(field(probe.map((v) => -v)), distances, weights)).toBeGreaterThan(0.999);
    expect(nearnessChance(field(new Float64Array(edge * edge).fill(2)), distances, weights)).toBeNaN();
    const few = { ...field(probe), valid: new Uint8Array(edge * edge).fill(1, 0, 30).fill(0, 30) };
    expect(nearnessChance(few, distances, weights)).toBeNaN();
  });
});

/** By the trapezoidal rule. */
function normalTail(z: number): number {
  let sum = 0;
  for (let t = z; t < 8; t += 1e-4) sum += Math.exp(-t * t * 0.5) * 1e-4;
  return sum / Math.sqrt(2 * Math.PI);
}
