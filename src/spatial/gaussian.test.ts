import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { smooth } from './gaussian.ts';
import { localMaximum } from './local-maximum.ts';
import { otsuThreshold } from './otsu.ts';

const golden: {
  width: number;
  height: number;
  plane: number[];
  cases: { sigmaPx: number; expected: number[] }[];
} = JSON.parse(readFileSync(new URL('../../fixtures/spatial/gaussian.json', import.meta.url), 'utf8'));
// Results are float32 around 100.
const float32Rounding = 1e-5;

describe('smooth', () => {
  it.each(golden.cases)('equals SciPy at sigma $sigmaPx', ({ sigmaPx, expected }) => {
    const out = smooth(Float32Array.from(golden.plane), golden.width, golden.height, sigmaPx);
    out.forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThan(float32Rounding);
    });
  });
});

describe('localMaximum', () => {
  it('equals brute force at radii smaller and larger than the image', () => {
    const { width, height } = golden;
    const plane = Float32Array.from(golden.plane);
    plane[5] = Number.NaN;
    for (const radius of [1, 3, 40]) {
      const out = localMaximum(plane, width, height, radius);
      for (let i = 0; i < plane.length; i++) {
        const x = i % width;
        const y = Math.floor(i / width);
        let expected = -Infinity;
        for (let j = 0; j < plane.length; j++)
          if (Math.abs((j % width) - x) <= radius && Math.abs(Math.floor(j / width) - y) <= radius)
            if (plane[j] > expected) expected = plane[j];
        expect(out[i]).toBe(expected);
      }
    }
  });
});

describe('otsuThreshold', () => {
  it('splits two groups between them', () => {
    expect(otsuThreshold([1, 1, 2, 2, 3, 50, 51, 52])).toBe(3);
  });
  it('is not defined on one value', () => {
    expect(otsuThreshold([4, 4, 4])).toBeNaN();
  });
});
