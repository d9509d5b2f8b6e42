import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitMask } from './bit-mask.ts';
import { DistanceMap } from './distance-map.ts';

interface Golden {
  cases: { name: string; mask: string[]; squared: number[] }[];
}
const golden: Golden = JSON.parse(
  readFileSync(new URL('../../fixtures/spatial/distance.json', import.meta.url), 'utf8'),
);

function maskOf(rows: string[]): BitMask {
  return BitMask.fromBytes(
    rows.flatMap((row) => [...row].map((c) => (c === '#' ? 1 : 0))),
    rows[0].length,
    rows.length,
  );
}

describe('DistanceMap', () => {
  it.each(golden.cases)('equals SciPy exactly: $name', ({ mask, squared }) => {
    const bits = maskOf(mask);
    const out = new Float64Array(squared.length);
    new DistanceMap(bits).squared(0, bits.height, out);
    expect([...out]).toEqual(squared);
  });

  it('gives the same rows whatever rows are asked for, across the kept checkpoints', () => {
    const width = 7;
    const height = 1300;
    const bits = new BitMask(width, height);
    for (const y of [3, 511, 512, 1299]) bits.fillRun(y, y % width, (y % width) + 1, true);
    const map = new DistanceMap(bits);
    const whole = new Float64Array(width * height);
    map.squared(0, height, whole);
    for (const [from, rows] of [
      [0, 1],
      [500, 30],
      [1290, 10],
      [511, 2],
    ]) {
      const part = new Float64Array(rows * width);
      map.squared(from, rows, part);
      expect(part).toEqual(whole.slice(from * width, (from + rows) * width));
    }
  });

  it('equals brute force, and names a nearest pixel', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 35, maxLength: 35 }), (pixels) => {
        const bits = BitMask.fromBytes(pixels.map(Number), 7, 5);
        const out = new Float64Array(35);
        const nearest = new Float64Array(35);
        new DistanceMap(bits).squared(0, 5, out, nearest);
        const squaredTo = (i: number, j: number): number =>
          ((i % 7) - (j % 7)) ** 2 + (Math.floor(i / 7) - Math.floor(j / 7)) ** 2;
        for (let i = 0; i < 35; i++) {
          const all = pixels.flatMap((on, j) => (on ? [squaredTo(i, j)] : []));
          expect(out[i]).toBe(Math.min(...all));
          if (all.length > 0) expect([pixels[nearest[i]], squaredTo(i, nearest[i])]).toEqual([true, out[i]]);
          else expect(nearest[i]).toBe(-1);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is in micrometres, and infinite where there is no mask', () => {
    const bits = new BitMask(3, 1);
    const rows = () => [new DistanceMap(bits).um(0, 1, 0.5), new DistanceMap(bits).wallUm(0, 1, 0.5)];
    for (const row of rows()) expect([...row]).toEqual([Infinity, Infinity, Infinity]);
    bits.fillRun(0, 0, 1, true);
    const [toCentres, toWall] = rows();
    expect([...toCentres]).toEqual([0, 0.5, 1]);
    expect([...toWall]).toEqual([0, 0.25, 0.75]);
  });
});
