import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { BitMask } from './bit-mask.ts';
import { DistanceMap } from './distance-map.ts';
import { thin } from './skeleton.ts';
import { branchLengthPx, vesselGraph } from './vessel-graph.ts';

const golden: { cases: { mask: string[]; skeleton: string[] }[] } = JSON.parse(
  readFileSync(new URL('../../fixtures/spatial/skeleton.json', import.meta.url), 'utf8'),
);

function fromRows(rows: string[]): BitMask {
  return BitMask.fromBytes(
    rows.flatMap((row) => [...row].map((c) => (c === '#' ? 1 : 0))),
    rows[0].length,
    rows.length,
  );
}

function draw(size: number, inside: (x: number, y: number) => boolean): BitMask {
  return BitMask.fromBytes(
    Array.from({ length: size * size }, (_, i) => Number(inside(i % size, Math.floor(i / size)))),
    size,
    size,
  );
}

function graphOf(mask: BitMask) {
  const squared = new Float64Array(mask.width * mask.height);
  new DistanceMap(mask.inverted()).squared(0, mask.height, squared);
  const radius = (x: number, y: number): number => Math.sqrt(squared[y * mask.width + x]);
  return { ...vesselGraph(mask, radius), radius };
}

describe('thin', () => {
  it.each(golden.cases)('equals Guo and Hall by the book', ({ mask, skeleton }) => {
    expect(thin(fromRows(mask)).toBytes()).toEqual(fromRows(skeleton).toBytes());
  });
});

describe('vesselGraph', () => {
  it('gives a straight vessel one branch of its length, whatever its width and direction', () => {
    const rng = new Rng(3);
    const length = 90;
    for (const width of [1.5, 3, 5, 8, 13]) {
      let errors = 0;
      for (let i = 0; i < 12; i++) {
        const angle = rng.uniform(0, Math.PI);
        const [cx, cy] = [70 + rng.uniform(), 70 + rng.uniform()];
        const mask = draw(140, (x, y) => {
          const along = (x - cx) * Math.cos(angle) + (y - cy) * Math.sin(angle);
          const across = (y - cy) * Math.cos(angle) - (x - cx) * Math.sin(angle);
          return Math.abs(along) <= length / 2 && Math.abs(across) <= width / 2;
        });
        const { branches, radius } = graphOf(mask);
        let found = 0;
        for (const branch of branches) {
          found += branchLengthPx(branch);
          if (branch.start < 0) found += radius(branch.xs[0], branch.ys[0]) - 0.5;
          if (branch.end < 0) found += radius(branch.xs.at(-1)!, branch.ys.at(-1)!) - 0.5;
        }
        expect(Math.abs(found - length) / length).toBeLessThan(0.07);
        errors += (found - length) / length / 12;
      }
      expect(Math.abs(errors)).toBeLessThan(0.02);
    }
  });

  it('finds the branchings and ends of a Y, a cross and a ring', () => {
    const y = graphOf(
      draw(120, (x, y) => {
        const [u, v] = [x - 60, 60 - y];
        return (
          (Math.abs(u) <= 2 && v <= 0 && v > -50) ||
          (v >= 0 && v < 45 && Math.min(Math.abs(u - v), Math.abs(u + v)) <= 3)
        );
      }),
    );
    expect([y.branchings.length, y.branches.map((b) => (b.start < 0 ? 1 : 0) + (b.end < 0 ? 1 : 0))]).toEqual(
      [1, [1, 1, 1]],
    );
    const cross = graphOf(
      draw(
        120,
        (x, y) => (Math.abs(x - 60) <= 3 || Math.abs(y - 50) <= 3) && Math.min(x, y, 119 - x, 119 - y) > 5,
      ),
    );
    expect([cross.branchings.length, cross.branches.length]).toEqual([1, 4]);
    const ring = graphOf(draw(120, (x, y) => Math.abs(Math.hypot(x - 60, y - 60) - 40) <= 3));
    expect([ring.branchings.length, ring.branches.map((b) => b.closed)]).toEqual([0, [true]]);
    expect(branchLengthPx(ring.branches[0]) / (2 * Math.PI * 40)).toBeCloseTo(1, 1);
  });

  it('leaves out spurs of a rough wall, keeps a side branch', () => {
    const rough = graphOf(
      draw(120, (x, y) => Math.abs(y - 60) <= 5 + (x % 4 === 0 ? 1 : 0) && x > 10 && x < 110),
    );
    expect(rough.branches.length).toBe(1);
    const sided = graphOf(
      draw(
        120,
        (x, y) => (Math.abs(y - 60) <= 5 && x > 10 && x < 110) || (Math.abs(x - 60) <= 2 && y > 60 && y < 90),
      ),
    );
    expect([sided.branchings.length, sided.branches.length]).toEqual([1, 3]);
  });

  it('takes empty and full masks', () => {
    expect(graphOf(new BitMask(4, 3)).branches).toEqual([]);
    expect(graphOf(draw(1, () => true)).branches.length).toBe(1);
  });
});
