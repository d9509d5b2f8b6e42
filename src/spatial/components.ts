// Connected components of a bit mask, found on runs of pixels so that memory follows content, not slide size.
import type { BitMask } from './bit-mask.ts';
import { GrowingInts } from './growing-ints.ts';

/** The components of a mask, as runs in row order. Component numbers start at 0, in order of first pixel. */
export interface Components {
  readonly width: number;
  readonly height: number;
  readonly count: number;
  /** Run r covers pixels startX[r] to endX[r] - 1 of its row and belongs to component label[r]. */
  readonly startX: Int32Array;
  readonly endX: Int32Array;
  readonly label: Int32Array;
  /** Runs of row y are firstRun[y] to firstRun[y + 1] - 1. */
  readonly firstRun: Int32Array;
  /** Pixels of each component. */
  readonly area: Float64Array;
  /** 1 where a component has a pixel on the edge of the image. */
  readonly touchesEdge: Uint8Array;
}

/**
 * Labels the yes pixels (or, inverted, the no pixels) of a mask by union-find over runs.
 * @param connectivity 8 joins pixels that share a corner, 4 only those that share an edge
 */
export function findComponents(mask: BitMask, connectivity: 4 | 8, inverted = false): Components {
  const { width, height } = mask;
  const startX = new GrowingInts();
  const endX = new GrowingInts();
  const parent = new GrowingInts();
  const firstRun = new Int32Array(height + 1);
  const bytes = new Uint8Array(width);
  const wanted = inverted ? 0 : 1;
  const reach = connectivity === 8 ? 1 : 0;

  for (let y = 0; y < height; y++) {
    const before = y > 0 ? firstRun[y - 1] : 0;
    let above = before;
    firstRun[y] = startX.length;
    mask.readRow(y, bytes);
    for (let x = 0; x < width; ) {
      if (bytes[x] !== wanted) {
        x++;
        continue;
      }
      let end = x + 1;
      while (end < width && bytes[end] === wanted) end++;
      const run = startX.length;
      startX.push(x);
      endX.push(end);
      parent.push(run);
      while (above < firstRun[y] && endX.at(above) + reach <= x) above++;
      for (let r = above; r < firstRun[y] && startX.at(r) < end + reach; r++) unite(parent, r, run);
      x = end;
    }
  }
  firstRun[height] = startX.length;
  return number(width, height, startX.take(), endX.take(), parent.take(), firstRun);
}

function unite(parent: GrowingInts, a: number, b: number): void {
  const rootA = rootOf(parent, a);
  const rootB = rootOf(parent, b);
  // The earlier run is the root, so that components are numbered by their first pixel.
  if (rootA < rootB) parent.set(rootB, rootA);
  else if (rootB < rootA) parent.set(rootA, rootB);
}

function rootOf(parent: GrowingInts, run: number): number {
  let at = run;
  while (parent.at(at) !== at) {
    parent.set(at, parent.at(parent.at(at)));
    at = parent.at(at);
  }
  return at;
}

function number(
  width: number,
  height: number,
  startX: Int32Array,
  endX: Int32Array,
  parent: Int32Array,
  firstRun: Int32Array,
): Components {
  const label = parent;
  let count = 0;
  // Parents come before their children, so one pass in order resolves every run.
  for (let r = 0; r < label.length; r++) label[r] = label[r] === r ? count++ : label[label[r]];
  const area = new Float64Array(count);
  const touchesEdge = new Uint8Array(count);
  for (let y = 0; y < height; y++) {
    for (let r = firstRun[y]; r < firstRun[y + 1]; r++) {
      area[label[r]] += endX[r] - startX[r];
      if (y === 0 || y === height - 1 || startX[r] === 0 || endX[r] === width) touchesEdge[label[r]] = 1;
    }
  }
  return { width, height, count, startX, endX, label, firstRun, area, touchesEdge };
}

/** Calls `visit` for every run of the chosen components, in row order. */
export function forEachRun(
  components: Components,
  chosen: (label: number) => boolean,
  visit: (y: number, startX: number, endX: number, label: number) => void,
): void {
  for (let y = 0; y < components.height; y++) {
    for (let r = components.firstRun[y]; r < components.firstRun[y + 1]; r++) {
      if (chosen(components.label[r]))
        visit(y, components.startX[r], components.endX[r], components.label[r]);
    }
  }
}

/** The component of a pixel that belongs to one. */
export function labelAt(components: Components, x: number, y: number): number {
  const { firstRun, startX, label } = components;
  let [low, high] = [firstRun[y], firstRun[y + 1] - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (startX[middle] <= x) low = middle;
    else high = middle - 1;
  }
  return label[low];
}
