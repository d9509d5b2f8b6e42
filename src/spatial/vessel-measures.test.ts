import { describe, expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { BitMask } from './bit-mask.ts';
import { findComponents } from './components.ts';
import { measureVessels, radiusInside } from './vessel-measures.ts';

function draw(size: number, inside: (x: number, y: number) => boolean): BitMask {
  return BitMask.fromBytes(
    Array.from({ length: size * size }, (_, i) => Number(inside(i % size, Math.floor(i / size)))),
    size,
    size,
  );
}

function measure(mask: BitMask, pixelSizeUm: number) {
  const objects = findComponents(mask, 8);
  return measureVessels(mask, objects, objects.area, mask.width * mask.height, pixelSizeUm);
}

describe('measureVessels', () => {
  it('gives straight vessels their width, length and tortuosity 1, in any direction', () => {
    const rng = new Rng(2);
    for (const width of [4, 7, 12]) {
      let [widths, lengths] = [0, 0];
      const n = 10;
      for (let i = 0; i < n; i++) {
        const angle = rng.uniform(0, Math.PI);
        const [cx, cy] = [80 + rng.uniform(), 80 + rng.uniform()];
        const { measures } = measure(
          draw(160, (x, y) => {
            const along = (x - cx) * Math.cos(angle) + (y - cy) * Math.sin(angle);
            const across = (y - cy) * Math.cos(angle) - (x - cx) * Math.sin(angle);
            return Math.abs(along) <= 50 && Math.abs(across) <= width / 2;
          }),
          0.5,
        );
        widths += measures.meanWidthUm / n;
        lengths += (measures.lengthDensityMmPerMm2 * 0.08 ** 2) / n;
        expect([measures.count, measures.branchPoints]).toEqual([1, 0]);
        expect(measures.tortuosity).toBeLessThan(1.05);
      }
      // Half a pixel, and 3% of the length.
      expect(Math.abs(widths - 0.5 * width)).toBeLessThan(0.25);
      expect(Math.abs(lengths / 0.05 - 1)).toBeLessThan(0.03);
    }
  });

  it('knows discs on a grid: density, area, distance between centres; scales with the pixel size', () => {
    const spacing = 20;
    const mask = draw(200, (x, y) => Math.hypot((x % spacing) - 10, (y % spacing) - 10) <= 4);
    const { measures, vessels } = measure(mask, 2);
    expect(measures.count).toBe(100);
    expect(measures.densityPerMm2).toBeCloseTo(100 / 0.16, 9);
    expect(measures.intercapillaryUm).toBeCloseTo(40, 9);
    expect(measures.areaFraction).toBeCloseTo(mask.count() / 40_000, 12);
    expect([vessels[0].xUm, vessels[0].yUm]).toEqual([21, 21]);
    expect(measure(mask, 1).measures.intercapillaryUm).toBeCloseTo(20, 9);
  });

  it('gives round profiles their diameter, wherever they lie on the pixels', () => {
    const rng = new Rng(1);
    for (const diameter of [4, 6, 8, 10, 14, 20]) {
      let mean = 0;
      for (let n = 0; n < 20; n++) {
        const [cx, cy] = [19 + rng.uniform(), 19 + rng.uniform()];
        const disc = draw(40, (x, y) => Math.hypot(x - cx, y - cy) <= diameter / 2);
        mean += measure(disc, 1).measures.meanWidthUm / 20;
      }
      expect(Math.abs(mean - diameter), `${diameter}`).toBeLessThan(0.5);
    }
  });

  it('finds a half circle pi / 2 times as long as its chord', () => {
    const { measures } = measure(
      draw(200, (x, y) => Math.abs(Math.hypot(x - 100, y - 100) - 60) <= 3 && y <= 100),
      1,
    );
    expect(measures.tortuosity).toBeGreaterThan(1.5);
    expect(measures.tortuosity).toBeLessThan(1.62);
  });

  it('leaves a loop that hangs on a branching out of the tortuosity, wherever its tail leaves', () => {
    for (let n = 0; n < 12; n++) {
      const angle = (n * Math.PI) / 6 + 0.1;
      const isTail = (x: number, y: number): boolean => {
        const [dx, dy] = [x - 100, y - 100];
        const along = dx * Math.cos(angle) + dy * Math.sin(angle);
        return along > 38 && along < 95 && Math.abs(dy * Math.cos(angle) - dx * Math.sin(angle)) <= 3;
      };
      const mask = draw(200, (x, y) => Math.abs(Math.hypot(x - 100, y - 100) - 40) <= 3 || isTail(x, y));
      expect(measure(mask, 1).measures.tortuosity, `${n}`).toBeLessThan(1.1);
    }
  });

  it('takes an empty and a full mask', () => {
    expect(measure(new BitMask(5, 4), 1).measures.count).toBe(0);
    expect(
      measure(
        draw(3, () => true),
        1,
      ).measures.areaFraction,
    ).toBe(1);
  });
});

describe('radiusInside', () => {
  it('is the distance to the nearest pixel outside, by trying all', () => {
    const rng = new Rng(4);
    const mask = draw(24, () => rng.uniform() < 0.85);
    for (let y = 0; y < 24; y++)
      for (let x = 0; x < 24; x++) {
        let best = Infinity;
        for (let v = 0; v < 24; v++)
          for (let u = 0; u < 24; u++) if (!mask.get(u, v)) best = Math.min(best, Math.hypot(u - x, v - y));
        expect(radiusInside(mask, x, y)).toBeCloseTo(best, 12);
      }
  });

  it('leaves out what lies outside tissue, branchings and bends too', () => {
    const cross = (x: number, y: number, cx: number): boolean =>
      Math.hypot(x - cx, y - 40) <= 30 && (Math.abs(x - cx) <= 2 || Math.abs(y - 40) <= 2);
    const mask = draw(240, (x, y) => cross(x, y, 40) || cross(x, y, 120) || cross(x, y, 200));
    const objects = findComponents(mask, 8);
    const all = measureVessels(mask, objects, objects.area, 240 * 240, 1).measures;
    const one = measureVessels(
      mask,
      objects,
      objects.area.map((n, i) => (i === 1 ? n : 0)),
      240 * 240,
      1,
    ).measures;
    expect([all.count, all.branchPoints]).toEqual([3, 3]);
    expect([one.count, one.branchPoints]).toEqual([1, 1]);
    expect(one.lengthDensityMmPerMm2).toBeCloseTo(all.lengthDensityMmPerMm2 / 3, 6);
  });
});
