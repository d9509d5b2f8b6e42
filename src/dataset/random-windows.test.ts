import { expect, it } from 'vitest';
import type { DatasetManifest, WindowRow } from './manifest.ts';
import { dealWindows, widestOverlapPx } from './random-windows.ts';
import type { Split } from './split.ts';
import type { TissueMask } from './tissue-mask.ts';

const [patch, cellPx, cells] = [64, 8, 20];
const splits: readonly Split[] = ['train', 'train', 'train', 'validation', 'test', 'calibration'];

/** Slides of 160 px with 3 x 3 windows that overlap by 16 px. */
function dataset(): { manifest: DatasetManifest; masks: TissueMask[] } {
  const windows: Record<Split, WindowRow[]> = { train: [], validation: [], calibration: [], test: [] };
  splits.forEach((split, slide) => {
    for (const y of [0, 48, 96]) for (const x of [0, 48, 96]) windows[split].push([slide, x, y, 1, slide]);
  });
  const slides = splits.map((split, i) => ({ name: `s${i}`, split, mask: { file: '' } }));
  const masks = splits.map(() => ({
    cellPx,
    cellsWide: cells,
    cellsHigh: cells,
    cells: new Uint8Array(cells ** 2).fill(1),
  }));
  return { manifest: { patch, seed: 3, slides, windows } as unknown as DatasetManifest, masks };
}

it('deals every window out once, over all slides, and no tissue twice', () => {
  const { manifest, masks } = dataset();
  const dealt = dealWindows(manifest, masks);
  const count = (split: Split): number => dealt.manifest.windows[split].length;
  expect([count('train'), count('validation'), count('test'), count('calibration')]).toEqual([27, 9, 9, 9]);
  const places = Object.values(dealt.manifest.windows)
    .flat()
    .map(([slide, x, y, , mean]) => `${dealt.manifest.slides[slide].name.split(',')[0]} ${x} ${y} ${mean}`);
  expect(new Set(places).size).toBe(54);
  // The mean came along, so each window is still of its own slide.
  for (const place of places) expect(place).toMatch(/^s(\d) .* \1$/);
  const testSlides = dealt.manifest.slides.filter(({ split }) => split === 'test');
  expect(testSlides.length).toBeGreaterThan(2);

  const seen = splits.map(() => new Uint8Array(cells ** 2));
  for (const [split, rows] of Object.entries(dealt.manifest.windows)) {
    for (const [slide] of rows) expect(dealt.manifest.slides[slide].split).toBe(split);
  }
  dealt.manifest.slides.forEach(({ name, split }, i) => {
    const of = seen[Number(name[1])];
    dealt.masks[i].cells.forEach((cell, at) => {
      of[at] += cell;
    });
    if (split !== 'test') return;
    // Test windows come first and are whole.
    const rows = dealt.manifest.windows.test.filter(([slide]) => slide === i);
    for (const [, x, y] of rows) {
      expect(dealt.masks[i].cells[((y + 32) / cellPx) * cells + (x + 32) / cellPx]).toBe(1);
      expect(dealt.masks[i].cells[(y / cellPx) * cells + x / cellPx]).toBe(1);
    }
  });
  for (const of of seen) expect([...of].every((times) => times === 1)).toBe(true);
  expect(masks.every(({ cells: left }) => !left.includes(0))).toBe(true);
});

it('measures how far windows overlap', () => {
  expect(widestOverlapPx(dataset().manifest)).toBe(16);
});
