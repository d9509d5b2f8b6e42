// The outlines of a mask as closed polygons along pixel edges.
import type { BitMask } from './bit-mask.ts';
import { type Components, findComponents } from './components.ts';

/** Corner points [x, y] in pixels, not closed; outer outlines run clockwise on screen, holes the other way. */
export type Outline = [number, number][];

/** The outlines of one component: parts that share no more than corners, each its outer outline first, then its holes. */
export interface ComponentOutlines {
  readonly label: number;
  readonly parts: readonly (readonly Outline[])[];
}

/** Every outline of the mask; a component's follow one another. */
export function maskOutlines(mask: BitMask): Outline[] {
  return [...outlinesByComponent(mask, findComponents(mask, 8))].flatMap(({ parts }) => parts.flat());
}

/**
 * The outlines of each component, corners only, in order of the components' last rows. Pixels that touch by a corner are
 * outlined apart. Memory is that of the components which reach over the row that has been come to.
 * @param components of the same mask
 */
export function* outlinesByComponent(mask: BitMask, components: Components): Generator<ComponentOutlines> {
  const { width, height } = mask;
  const { firstRun, startX, endX, label } = components;
  const isOn = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && mask.get(x, y);
  const lastRow = new Int32Array(components.count);
  for (let y = 0; y < height; y++) for (let r = firstRun[y]; r < firstRun[y + 1]; r++) lastRow[label[r]] = y;
  // An outline starts at a pixel whose upper edge is boundary; each upper edge belongs to one outline.
  const visited = new Map<number, Set<number>>();
  const open = new Map<number, Outline[]>();
  for (let y = 0; y < height; y++) {
    for (let r = firstRun[y]; r < firstRun[y + 1]; r++) {
      for (let x = startX[r]; x < endX[r]; x++) {
        if (isOn(x, y - 1) || visited.get(y)?.has(x)) continue;
        const outlines = open.get(label[r]) ?? [];
        open.set(label[r], outlines);
        outlines.push(trace(x, y));
      }
    }
    visited.delete(y);
    for (let r = firstRun[y]; r < firstRun[y + 1]; r++) {
      const outlines = lastRow[label[r]] === y ? open.get(label[r]) : undefined;
      if (outlines === undefined) continue;
      open.delete(label[r]);
      yield { label: label[r], parts: nest(outlines) };
    }
  }

  /** Walks with the object on the right: along upper edges to the right, down right edges, and so on. */
  function trace(startX: number, startY: number): Outline {
    const outline: Outline = [];
    let x = startX;
    let y = startY;
    let direction = 0;
    let last = -1;
    do {
      const [dx, dy] = steps[direction];
      if (direction === 0) {
        const row = visited.get(y) ?? new Set();
        visited.set(y, row.add(x));
      }
      if (direction !== last) outline.push([x, y]);
      last = direction;
      x += dx;
      y += dy;
      // The two pixels ahead, on the left and on the right of the way.
      const left = isOn(x + aheadLeft[direction][0], y + aheadLeft[direction][1]);
      const right = isOn(x + aheadRight[direction][0], y + aheadRight[direction][1]);
      if (!right) direction = (direction + 1) % 4;
      else if (left) direction = (direction + 3) % 4;
    } while (x !== startX || y !== startY || direction !== 0);
    return outline;
  }
}

/** Right, down, left, up. */
const steps = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** Pixels ahead of a corner, relative to it, for each way. */
const aheadLeft = [
  [0, -1],
  [0, 0],
  [-1, 0],
  [-1, -1],
] as const;
const aheadRight = [
  [0, 0],
  [-1, 0],
  [-1, -1],
  [0, -1],
] as const;

/** Outer outlines with the holes inside each. An outline with positive area (y down, clockwise) is an outer one. */
function nest(outlines: readonly Outline[]): Outline[][] {
  const outer = outlines.filter((outline) => signedArea(outline) > 0);
  const holes = outlines.filter((outline) => signedArea(outline) < 0);
  if (outer.length === 1) return [[...outer, ...holes]];
  const groups = outer.map((ring) => ({ ring, box: boxOf(ring), size: signedArea(ring), rings: [ring] }));
  for (const hole of holes) {
    const [x, y] = [hole[0][0], hole[0][1]];
    let best: (typeof groups)[number] | undefined;
    for (const group of groups) {
      const [left, top, right, bottom] = group.box;
      if (x < left || x > right || y < top || y > bottom) continue;
      if ((best === undefined || group.size < best.size) && contains(group.ring, hole)) best = group;
    }
    best?.rings.push(hole);
  }
  return groups.map(({ rings }) => rings);
}

function signedArea(outline: Outline): number {
  let sum = 0;
  for (let i = 0; i < outline.length; i++) {
    const [x, y] = outline[i];
    const [u, v] = outline[(i + 1) % outline.length];
    sum += x * v - u * y;
  }
  return sum / 2;
}

function boxOf(outline: Outline): [number, number, number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of outline) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return [left, top, right, bottom];
}

/** Whether a hole is one of a ring's: asked for the pixel below its first corner, which belongs to the object. */
function contains(ring: Outline, hole: Outline): boolean {
  const [x, y] = [hole[0][0] + 0.25, hole[0][1] + 0.25];
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [a, b] = ring[i];
    const [c, d] = ring[j];
    if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) inside = !inside;
  }
  return inside;
}
