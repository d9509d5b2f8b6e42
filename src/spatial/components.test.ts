import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BitMask } from './bit-mask.ts';
import { cleanMask } from './clean-mask.ts';
import { findComponents, forEachRun } from './components.ts';

interface Golden {
  cases: { mask: string[]; labels4: number[]; labels8: number[] }[];
}
const golden: Golden = JSON.parse(
  readFileSync(new URL('../../fixtures/spatial/components.json', import.meta.url), 'utf8'),
);

function draw(...rows: string[]): BitMask {
  return BitMask.fromBytes(
    rows.flatMap((row) => [...row].map((c) => (c === '#' ? 1 : 0))),
    rows[0].length,
    rows.length,
  );
}

function show(mask: BitMask): string[] {
  const bytes = mask.toBytes();
  return Array.from({ length: mask.height }, (_, y) =>
    [...bytes.subarray(y * mask.width, (y + 1) * mask.width)].map((v) => (v ? '#' : '.')).join(''),
  );
}

describe('findComponents', () => {
  it.each(golden.cases)('numbers components as SciPy does', ({ mask, labels4, labels8 }) => {
    const bits = draw(...mask);
    for (const [connectivity, expected] of [
      [4, labels4],
      [8, labels8],
    ] as const) {
      const found = findComponents(bits, connectivity);
      const labels = new Array(expected.length).fill(0);
      forEachRun(
        found,
        () => true,
        (y, start, end, label) => labels.fill(label + 1, y * bits.width + start, y * bits.width + end),
      );
      expect(labels).toEqual(expected);
      expect(found.area.reduce((a, b) => a + b, 0)).toBe(bits.count());
    }
  });
});

describe('cleanMask', () => {
  it('keeps objects with a seed, drops small ones, fills small inner holes', () => {
    const mask = draw('#####...#', '#...#....', '#.#.#.##.', '#...#.##.', '#####....');
    const seeds = draw('.........', '#........', '.........', '.......#.', '.........');
    cleanMask(mask, { minAreaPx: 2, maxHolePx: 9 }, seeds);
    expect(show(mask)).toEqual(['#####....', '#####....', '#####.##.', '#####.##.', '#####....']);
  });

  it('leaves holes that are too large or open to the edge', () => {
    const mask = draw('.##.####', '#..##..#', '.##.####');
    cleanMask(mask, { minAreaPx: 0, maxHolePx: 1 });
    expect(show(mask)).toEqual(['.##.####', '#..##..#', '.##.####']);
    cleanMask(mask, { minAreaPx: 0, maxHolePx: 2 });
    expect(show(mask)).toEqual(['.##.####', '########', '.##.####']);
  });
});
