// Thins a mask to its one-pixel-wide centre lines.
import type { BitMask } from './bit-mask.ts';
import { GrowingInts } from './growing-ints.ts';

/**
 * The skeleton of a mask by Guo and Hall (1989; unlike Zhang and Suen's, it does not eat diagonal lines from their
 * ends), then made strictly thin: a
 * corner pixel whose removal disconnects nothing is removed, so that a pixel with three or more neighbours is a
 * branching and not a step of a staircase.
 */
export function skeletonOf(mask: BitMask): BitMask {
  const skeleton = thin(mask);
  removeCorners(skeleton);
  return skeleton;
}

/** For every arrangement of neighbours: bit 0 and 1 say that the first, the second pass removes the pixel. */
const removable = Uint8Array.from({ length: 256 }, (_, around) => {
  const [n, ne, e, se, s, sw, w, nw] = Array.from({ length: 8 }, (_, i) => (around >> i) & 1);
  const parts = ((1 - n) & (ne | e)) + ((1 - e) & (se | s)) + ((1 - s) & (sw | w)) + ((1 - w) & (nw | n));
  const pairs = Math.min(
    (nw | n) + (ne | e) + (se | s) + (sw | w),
    (n | ne) + (e | se) + (s | sw) + (w | nw),
  );
  if (parts !== 1 || pairs < 2 || pairs > 3) return 0;
  return (((s | sw | (1 - nw)) & w) === 0 ? 1 : 0) | (((n | ne | (1 - se)) & e) === 0 ? 2 : 0);
});

/** Guo and Hall's thinning alone; a border of the image counts as background. */
export function thin(mask: BitMask): BitMask {
  const out = mask.clone();
  const { width, height } = mask;
  let xs = new GrowingInts();
  let ys = new GrowingInts();
  forEachPixel(out, (x, y) => {
    if (out.around(x, y) !== 255) {
      xs.push(x);
      ys.push(y);
    }
  });
  // Only a pixel with a neighbour removed in the last two passes can become removable, so only those are looked at.
  const queued = mask.clone();
  forEachPixel(queued, (x, y) => queued.set(x, y, false));
  const goneX = new GrowingInts();
  const goneY = new GrowingInts();
  while (xs.length > 0) {
    const nextX = new GrowingInts();
    const nextY = new GrowingInts();
    for (const pass of [1, 2]) {
      goneX.length = 0;
      goneY.length = 0;
      for (let i = 0; i < xs.length; i++) {
        const x = xs.at(i);
        const y = ys.at(i);
        if (out.get(x, y) && removable[out.around(x, y)] & pass) {
          goneX.push(x);
          goneY.push(y);
        }
      }
      for (let i = 0; i < goneX.length; i++) out.set(goneX.at(i), goneY.at(i), false);
      for (let i = 0; i < goneX.length; i++) {
        for (let y = Math.max(0, goneY.at(i) - 1); y <= Math.min(height - 1, goneY.at(i) + 1); y++)
          for (let x = Math.max(0, goneX.at(i) - 1); x <= Math.min(width - 1, goneX.at(i) + 1); x++) {
            if (!out.get(x, y) || queued.get(x, y)) continue;
            queued.set(x, y, true);
            nextX.push(x);
            nextY.push(y);
            if (pass === 1) {
              xs.push(x);
              ys.push(y);
            }
          }
      }
    }
    for (let i = 0; i < nextX.length; i++) queued.set(nextX.at(i), nextY.at(i), false);
    xs = nextX;
    ys = nextY;
  }
  return out;
}

/** Calls `visit` for every yes pixel, in row order; changes by `visit` to later rows are seen. */
export function forEachPixel(mask: BitMask, visit: (x: number, y: number) => void): void {
  const row = new Uint8Array(mask.width);
  for (let y = 0; y < mask.height; y++) {
    mask.readRow(y, row);
    for (let x = row.indexOf(1); x >= 0; x = row.indexOf(1, x + 1)) visit(x, y);
  }
}

/**
 * 1 where a pixel with these neighbours is the corner of a step (two of its edge neighbours meet at a corner) and
 * its removal leaves the neighbours 8-connected (Yokoi's number 1). The end of a line is no such corner.
 */
const redundant = Uint8Array.from({ length: 256 }, (_, around) => {
  const on = (i: number): number => (around >> (i & 7)) & 1;
  let connectivity = 0;
  let corner = false;
  for (const k of [0, 2, 4, 6]) {
    connectivity += (1 - on(k)) * (1 - (1 - on(k + 1)) * (1 - on(k + 2)));
    corner ||= on(k) === 1 && on(k + 2) === 1;
  }
  return corner && connectivity === 1 ? 1 : 0;
});

function removeCorners(skeleton: BitMask): void {
  forEachPixel(skeleton, (x, y) => {
    if (redundant[skeleton.around(x, y)]) skeleton.set(x, y, false);
  });
}
