import { describe, expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { smooth } from './gaussian.ts';
import { fitVariogram, variogramValue } from './variogram.ts';

const [wide, high] = [48, 40];

describe('fitVariogram', () => {
  it('finds variance and correlation of smooth fields, on tissue with a hole, though their mean is not known', () => {
    // White noise smoothed by s has the correlation exp(-h^2 / 4 s^2): power 2, range 2 s.
    const [s, margin, fields] = [3, 15, 12];
    const rng = new Rng(2);
    const at = [2, 4, 8, 40].map((h) => ({ h, sum: 0 }));
    for (let i = 0; i < fields; i++) {
      const [w, h] = [wide + 2 * margin, high + 2 * margin];
      const noise = Float32Array.from({ length: w * h }, () => 2 * Math.sqrt(Math.PI) * s * rng.normal());
      const smoothed = smooth(noise, w, h, s);
      const values = new Float64Array(wide * high).map(
        (_, k) => 7 + smoothed[(Math.floor(k / wide) + margin) * w + (k % wide) + margin],
      );
      const valid = new Uint8Array(wide * high).map((_, k) =>
        Math.hypot((k % wide) - 30, Math.floor(k / wide) - 12) > 6 ? 1 : 0,
      );
      for (let k = 0; k < values.length; k++) if (valid[k] === 0) values[k] = 1e6;
      const fitted = fitVariogram({ wide, high, valid, values });
      for (const each of at) each.sum += variogramValue(fitted, each.h) / fields;
    }
    // A covariance about each field's own mean would end a quarter lower: 16 patches of 4 pi s^2 cells.
    for (const { h, sum } of at) {
      const truth = 1 - Math.exp(-(h * h) / (4 * s * s));
      expect(Math.abs(sum / truth - 1), `at ${h} cells`).toBeLessThan(0.12);
    }
  });

  it('finds white noise uncorrelated', () => {
    const rng = new Rng(4);
    const values = Float64Array.from({ length: wide * high }, () => rng.normal());
    const fitted = fitVariogram({ wide, high, valid: new Uint8Array(values.length).fill(1), values });
    expect(variogramValue(fitted, 1) / variogramValue(fitted, 20)).toBeGreaterThan(0.9);
  });
});
