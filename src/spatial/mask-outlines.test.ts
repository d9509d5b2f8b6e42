import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BitMask } from './bit-mask.ts';
import { findComponents } from './components.ts';
import { maskOutlines, type Outline, outlinesByComponent } from './mask-outlines.ts';

/** Shoelace; positive for clockwise on screen (y down). */
function signedArea(outline: Outline): number {
  return (
    outline.reduce((sum, [x, y], i) => {
      const [nextX, nextY] = outline[(i + 1) % outline.length];
      return sum + x * nextY - nextX * y;
    }, 0) / 2
  );
}

test('a rectangle with a hole has two outlines, corners only', () => {
  const mask = BitMask.fromBytes([1, 1, 1, 1, 0, 1, 1, 1, 1], 3, 3);
  expect(maskOutlines(mask)).toEqual([
    [
      [0, 0],
      [3, 0],
      [3, 3],
      [0, 3],
    ],
    [
      [1, 2],
      [2, 2],
      [2, 1],
      [1, 1],
    ],
  ]);
});

test('pixels that touch by a corner are outlined apart', () => {
  expect(maskOutlines(BitMask.fromBytes([1, 0, 0, 1], 2, 2))).toHaveLength(2);
});

test('areas of outlines and holes add up to the pixels of any mask', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 63, maxLength: 63 }), (bits) => {
      const mask = BitMask.fromBytes(bits.map(Number), 9, 7);
      const area = maskOutlines(mask).reduce((sum, outline) => sum + signedArea(outline), 0);
      expect(area).toBe(mask.count());
    }),
  );
});

test('each component has its own outlines, once it has ended: parts that share a corner, holes with the part around them', () => {
  const rows = [
    '11110000', //
    '10010000',
    '11110000',
    '00001111',
    '01001001',
    '00001111',
  ];
  const mask = BitMask.fromBytes([...rows.join('')].map(Number), 8, 6);
  const components = findComponents(mask, 8);
  const found = [...outlinesByComponent(mask, components)];
  expect(found.map(({ parts }) => parts.map((rings) => rings.length))).toEqual([[1], [2, 2]]);
  for (const { label, parts } of found) {
    const area = parts.flat().reduce((sum, ring) => sum + signedArea(ring), 0);
    expect(area).toBe(components.area[label]);
    for (const [outer, ...holes] of parts) {
      expect(signedArea(outer)).toBeGreaterThan(0);
      for (const hole of holes) expect(signedArea(hole)).toBeLessThan(0);
    }
  }
  expect(found.map(({ label }) => label)).toEqual([1, 0]);
});
