// A control: windows dealt out at random instead of slide by slide, to show how that flatters.
import { Rng } from '../core/rng.ts';
import type { DatasetManifest, DatasetSlide, WindowRow } from './manifest.ts';
import type { Split } from './split.ts';
import type { TissueMask } from './tissue-mask.ts';

/** Where windows overlap, the earlier split takes the tissue; calibration slides stay as they are. */
const dealtSplits = ['test', 'validation', 'train'] as const satisfies readonly Split[];

/**
 * The same slides and windows, as many in each split as before, but drawn at random over all slides of training,
 * validation and test. A slide comes once for each split that it has windows in, with only the tissue of those windows,
 * so that no pixel is in two splits: what flatters is that the rest of the slide, often the tissue next to a window,
 * was trained on.
 * @param masks of the manifest's slides
 * @returns masks of the new manifest's slides, whose names say the split
 */
export function dealWindows(
  manifest: DatasetManifest,
  masks: readonly TissueMask[],
): { manifest: DatasetManifest; masks: TissueMask[] } {
  const pool = dealtSplits.flatMap((split) => manifest.windows[split]);
  const order = new Rng(manifest.seed).fork('random windows').permutation(pool.length);
  const slides: DatasetSlide[] = [];
  const partMasks: TissueMask[] = [];
  const windows: Record<Split, WindowRow[]> = { train: [], validation: [], calibration: [], test: [] };
  const add = (split: Split, index: number, rows: readonly WindowRow[], mask: TissueMask): void => {
    if (rows.length === 0) return;
    const entry = manifest.slides[index];
    const name = `${entry.name}, ${split} windows`;
    const file = `masks/${entry.name}-${split}.png`;
    slides.push({ ...entry, name, split, mask: { ...entry.mask, file } });
    partMasks.push(mask);
    for (const [, ...row] of rows) windows[split].push([slides.length - 1, ...row]);
  };
  const dealt: Partial<Record<Split, WindowRow[]>> = { calibration: manifest.windows.calibration };
  let taken = 0;
  for (const split of dealtSplits) {
    const count = manifest.windows[split].length;
    // Row by row, as evaluation wants them.
    const chosen = [...order.subarray(taken, taken + count)].sort((a, b) => a - b);
    dealt[split] = chosen.map((i) => pool[i]);
    taken += count;
  }
  manifest.slides.forEach(({ split: held }, index) => {
    const rowsOf = (split: Split): WindowRow[] => (dealt[split] ?? []).filter(([slide]) => slide === index);
    if (held === 'calibration') {
      add(held, index, rowsOf(held), masks[index]);
      return;
    }
    const free = { ...masks[index], cells: masks[index].cells.slice() };
    for (const split of dealtSplits)
      add(split, index, rowsOf(split), takeTissue(free, rowsOf(split), manifest.patch));
  });
  return { manifest: { ...manifest, slides, windows }, masks: partMasks };
}

/** Moves the cells whose middle lies in one of the windows from a mask into a new one. */
function takeTissue(free: TissueMask, windows: readonly WindowRow[], patch: number): TissueMask {
  const { cellPx, cellsWide, cellsHigh } = free;
  const cells = new Uint8Array(free.cells.length);
  const from = (at: number): number => Math.max(0, Math.ceil(at / cellPx - 0.5));
  const until = (at: number, length: number): number =>
    Math.min(length, Math.ceil((at + patch) / cellPx - 0.5));
  for (const [, x, y] of windows) {
    for (let row = from(y); row < until(y, cellsHigh); row++) {
      for (let column = from(x); column < until(x, cellsWide); column++) {
        const i = row * cellsWide + column;
        if (free.cells[i] === 0) continue;
        cells[i] = 1;
        free.cells[i] = 0;
      }
    }
  }
  return { ...free, cells };
}

/** Widest strip that two windows of one slide have in common, in pixels; 0 where they only touch. */
export function widestOverlapPx({ windows, patch }: DatasetManifest): number {
  let widest = 0;
  const all = Object.values(windows).flat();
  for (const [i, [slide, x, y]] of all.entries()) {
    // Windows of a slide follow one another.
    for (let j = i - 1; j >= 0 && all[j][0] === slide; j--) {
      widest = Math.max(widest, patch - Math.max(Math.abs(all[j][1] - x), Math.abs(all[j][2] - y)));
    }
  }
  return widest;
}
