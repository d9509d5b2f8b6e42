import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { writeComparisonFigure } from './comparison-figure.ts';
import { label, labelWidth } from './label.ts';
import { formatTick, roundDown, ticks } from './nice-scale.ts';

describe('writeComparisonFigure', () => {
  it.each([
    ['a landscape', 320, 120, (i: number) => i % 97],
    ['one pixel', 1, 1, () => 5],
    ['a constant', 30, 40, () => 0],
    ['nothing finite', 8, 8, () => Number.NaN],
  ])('draws %s', async (_, width, height, value) => {
    const folder = await mkdtemp(join(tmpdir(), 'hrpn-figure-'));
    const path = join(folder, 'figure.png');
    const data = Float32Array.from({ length: width * height }, (_, i) => value(i));
    await writeComparisonFigure(path, {
      measured: { data, width, height },
      predicted: { data: data.map((v) => v * 0.5), width, height },
      pixelSizeUm: 0.65,
      title: 'slide 1: probe',
      quantity: 'stored units',
    });
    const { dominant, isOpaque } = await sharp(path).stats();
    const { width: pixels } = await sharp(path).metadata();
    expect(pixels).toBeGreaterThan(900);
    expect(isOpaque).toBe(true);
    expect(dominant).toBeDefined();
  });
});

describe('labels and scales', () => {
  it('draws every character, unknown ones as a question mark', () => {
    expect(labelWidth('a漢', 10)).toBeCloseTo(labelWidth('a?', 10));
    expect(label('µm', 0, 0, { size: 10 })).toMatch(/^<path [^<]*d="M0 0m/);
  });

  it('chooses round numbers', () => {
    expect([0.3, 1, 7, 49, 230].map(roundDown)).toEqual([0.2, 1, 5, 20, 200]);
    expect(ticks(-23, 31, 5)).toEqual([-20, -10, 0, 10, 20, 30]);
    expect([formatTick(-0, 1), formatTick(0.30000000000000004, 0.1), formatTick(-20, 10)]).toEqual([
      '0',
      '0.3',
      '−20',
    ]);
  });
});
