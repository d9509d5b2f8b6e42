import { expect, it } from 'vitest';
import type { TissueMask } from './tissue-mask.ts';
import { gridWindows } from './windows.ts';

const full = (width: number, height: number, cellPx = 10): TissueMask => {
  const cellsWide = Math.ceil(width / cellPx);
  const cellsHigh = Math.ceil(height / cellPx);
  return { cellPx, cellsWide, cellsHigh, cells: new Uint8Array(cellsWide * cellsHigh).fill(1) };
};

it('covers the slide with evenly spread windows that end flush', () => {
  const { windows, dropped } = gridWindows(1041, 600, 512, full(1041, 600), { minTissue: 0.5 });
  expect(windows.map(({ x, y }) => [x, y])).toEqual([
    [0, 0],
    [265, 0],
    [529, 0],
    [0, 88],
    [265, 88],
    [529, 88],
  ]);
  expect(dropped).toBe(0);
  expect(windows.every(({ tissue }) => tissue === 1)).toBe(true);
});

it('gives a slide smaller than the patch one window, its outside counted as no tissue', () => {
  const { windows } = gridWindows(100, 50, 128, full(100, 50), { minTissue: 0.1 });
  expect(windows).toEqual([{ x: 0, y: 0, tissue: (100 * 50) / (128 * 128) }]);
});

it('keeps the overlap asked for', () => {
  const { windows } = gridWindows(512, 128, 128, full(512, 128), { minTissue: 0, overlap: 0.5 });
  expect(windows.map(({ x }) => x)).toEqual([0, 64, 128, 192, 256, 320, 384]);
});

it('drops windows below the tissue share, and those without any tissue always', () => {
  const mask = full(200, 100);
  for (let row = 0; row < 10; row++) mask.cells.fill(0, row * 20 + 12, row * 20 + 20);
  expect(gridWindows(200, 100, 100, mask, { minTissue: 0.25 })).toEqual({
    windows: [{ x: 0, y: 0, tissue: 1 }],
    dropped: 1,
  });
  expect(gridWindows(200, 100, 100, mask, { minTissue: 0.2 }).windows[1]).toEqual({
    x: 100,
    y: 0,
    tissue: 0.2,
  });
  mask.cells.fill(0);
  expect(gridWindows(200, 100, 100, mask, { minTissue: 0 }).windows).toEqual([]);
});
