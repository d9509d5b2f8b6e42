// Turns thresholded pixels into objects: hysteresis, small objects out, small holes filled.
import type { BitMask } from './bit-mask.ts';
import { findComponents, forEachRun } from './components.ts';

export interface CleanOptions {
  /** Smallest object kept, in pixels; 0 or 1 keeps all. */
  readonly minAreaPx: number;
  /** Largest hole filled, in pixels; Infinity fills all. A hole that touches the image's edge stays open. */
  readonly maxHolePx: number;
}

/**
 * Cleans a mask in place. Objects are 8-connected, holes 4-connected.
 * @param seeds if given, an object stays only if it has a pixel in here (hysteresis, Canny 1986)
 */
export function cleanMask(mask: BitMask, options: CleanOptions, seeds?: BitMask): void {
  if (seeds || options.minAreaPx > 1) {
    const objects = findComponents(mask, 8);
    const keep = new Uint8Array(objects.count).fill(seeds ? 0 : 1);
    if (seeds) {
      const row = new Uint8Array(mask.width);
      for (let y = 0; y < mask.height; y++) {
        seeds.readRow(y, row);
        for (let r = objects.firstRun[y]; r < objects.firstRun[y + 1]; r++) {
          if (keep[objects.label[r]]) continue;
          const hit = row.indexOf(1, objects.startX[r]);
          if (hit >= 0 && hit < objects.endX[r]) keep[objects.label[r]] = 1;
        }
      }
    }
    const gone = (label: number): boolean => keep[label] === 0 || objects.area[label] < options.minAreaPx;
    forEachRun(objects, gone, (y, start, end) => mask.fillRun(y, start, end, false));
  }
  if (options.maxHolePx > 0) {
    const holes = findComponents(mask, 4, true);
    const filled = (label: number): boolean =>
      holes.touchesEdge[label] === 0 && holes.area[label] <= options.maxHolePx;
    forEachRun(holes, filled, (y, start, end) => mask.fillRun(y, start, end, true));
  }
}
