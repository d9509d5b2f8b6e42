// Reads a skeleton as a graph: branchings, and the branches between them.
import { BitMask } from './bit-mask.ts';
import { findComponents, forEachRun } from './components.ts';
import { forEachPixel, skeletonOf } from './skeleton.ts';

/** A line of skeleton pixels between two branchings or free ends. */
export interface Branch {
  /** Pixel centres along the line, both ends included; at a branching, one of its pixels. */
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** Branching at the first and last pixel; -1 for a free end. Both -1 and `closed` for a ring. */
  readonly start: number;
  readonly end: number;
  readonly closed: boolean;
}

export interface SkeletonGraph {
  readonly branches: readonly Branch[];
  /** A pixel of each branching (touching skeleton pixels with three or more neighbours are one). */
  readonly branchings: readonly { readonly x: number; readonly y: number }[];
}

/** The branches of a strictly thin skeleton (`skeletonOf`). */
function traceSkeleton(skeleton: BitMask): SkeletonGraph {
  const { width } = skeleton;
  const nodes = findNodes(skeleton);
  const visited = new BitMask(skeleton.width, skeleton.height);
  const branches: Branch[] = [];

  /** Follows the line from (x, y), which is no branching, away from `from`. */
  const follow = (from: number, x: number, y: number): void => {
    const xs = [x];
    const ys = [y];
    const start = from < 0 ? -1 : nodes.of.get(from)!;
    if (from >= 0) {
      xs.unshift(from % width);
      ys.unshift(Math.floor(from / width));
    }
    visited.set(x, y, true);
    let before = from;
    for (;;) {
      const here = ys[ys.length - 1] * width + xs[xs.length - 1];
      const next = nextOf(skeleton, nodes.of, visited, here, before);
      if (next < 0) break;
      xs.push(next % width);
      ys.push(Math.floor(next / width));
      if (nodes.of.has(next)) break;
      visited.set(next % width, Math.floor(next / width), true);
      before = here;
    }
    const last = ys[ys.length - 1] * width + xs[xs.length - 1];
    const end = nodes.of.get(last) ?? -1;
    const closed = start < 0 && end < 0 && xs.length > 3 && touches(xs, ys);
    branches.push({ xs, ys, start, end, closed });
  };

  for (const node of nodes.of.keys())
    for (const [x, y] of neighbours(skeleton, node % width, Math.floor(node / width)))
      if (!nodes.of.has(y * width + x) && !visited.get(x, y)) follow(node, x, y);
  for (const endsOnly of [true, false])
    forEachPixel(skeleton, (x, y) => {
      if (visited.get(x, y) || nodes.of.has(y * width + x)) return;
      if (!endsOnly || neighbours(skeleton, x, y).length <= 1) follow(-1, x, y);
    });
  return { branches, branchings: nodes.at };
}

// The corner of a square end lies 1.41 radii from the point where its skeleton forks.
const spurReach = 1.5;
// A loop of so few pixels is a knot of the skeleton, not a ring of vessels.
const longestKnot = 5;

/**
 * The skeleton of a mask and its graph, without spurs: ends that reach no farther from their branching than 1.5
 * times the vessel's radius there are roughness of the wall or corners of its end, not vessels.
 * @param radiusPx distance from a skeleton pixel to the wall
 */
export function vesselGraph(mask: BitMask, radiusPx: (x: number, y: number) => number): SkeletonGraph {
  let skeleton = skeletonOf(mask);
  for (;;) {
    const graph = traceSkeleton(skeleton);
    let removed = 0;
    for (const branch of graph.branches) {
      const loop = branch.start >= 0 && branch.start === branch.end;
      if (loop && branch.xs.length <= longestKnot) {
        // Only what was there can be taken away, or this would never end.
        for (let i = 1; i < branch.xs.length - 1; i++)
          removed += takeOut(skeleton, branch.xs[i], branch.ys[i]);
        continue;
      }
      if (branch.start < 0 === branch.end < 0) continue;
      const at = branch.start < 0 ? branch.xs.length - 1 : 0;
      const tip = branch.xs.length - 1 - at;
      const [x, y, tipX, tipY] = [branch.xs[at], branch.ys[at], branch.xs[tip], branch.ys[tip]];
      const reach = Math.hypot(tipX - x, tipY - y) + radiusPx(tipX, tipY);
      if (reach > spurReach * radiusPx(x, y) + 1) continue;
      for (let i = 0; i < branch.xs.length; i++)
        if (i !== at) removed += takeOut(skeleton, branch.xs[i], branch.ys[i]);
    }
    if (removed === 0) return graph;
    skeleton = skeletonOf(skeleton);
  }
}

/** @returns 1 where the pixel was on, else 0 */
function takeOut(skeleton: BitMask, x: number, y: number): number {
  if (!skeleton.get(x, y)) return 0;
  skeleton.set(x, y, false);
  return 1;
}

function findNodes(skeleton: BitMask): { of: Map<number, number>; at: SkeletonGraph['branchings'] } {
  const { width, height } = skeleton;
  const branching = new BitMask(width, height);
  forEachPixel(skeleton, (x, y) => {
    if (bitCount(skeleton.around(x, y)) >= 3) branching.set(x, y, true);
  });
  const clusters = findComponents(branching, 8);
  const of = new Map<number, number>();
  const at = Array.from({ length: clusters.count }, () => ({ x: 0, y: 0 }));
  forEachRun(
    clusters,
    () => true,
    (y, start, end, label) => {
      at[label] = { x: start, y };
      for (let x = start; x < end; x++) of.set(y * width + x, label);
    },
  );
  return { of, at };
}

/** The pixel after `here` on a line: a branching first, so that a line ends where it meets one; -1 at its end. */
function nextOf(
  skeleton: BitMask,
  nodes: Map<number, number>,
  visited: BitMask,
  here: number,
  before: number,
): number {
  const { width } = skeleton;
  let next = -1;
  for (const [x, y] of neighbours(skeleton, here % width, Math.floor(here / width))) {
    const index = y * width + x;
    if (index === before) continue;
    if (nodes.has(index)) {
      // The branching that the line came from may touch its second pixel too.
      if (before >= 0 && nodes.get(before) === nodes.get(index)) continue;
      return index;
    }
    if (!visited.get(x, y) && next < 0) next = index;
  }
  return next;
}

const offsets = [
  [0, -1],
  [1, -1],
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
] as const;

function neighbours(skeleton: BitMask, x: number, y: number): [number, number][] {
  const around = skeleton.around(x, y);
  const found: [number, number][] = [];
  for (let i = 0; i < 8; i++) if ((around >> i) & 1) found.push([x + offsets[i][0], y + offsets[i][1]]);
  return found;
}

function touches(xs: readonly number[], ys: readonly number[]): boolean {
  const last = xs.length - 1;
  return Math.abs(xs[0] - xs[last]) <= 1 && Math.abs(ys[0] - ys[last]) <= 1;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let b = bits; b > 0; b &= b - 1) count++;
  return count;
}

/**
 * Length of a branch in pixels: that of its line after a moving average of five pixels, which takes out the steps
 * of the grid (the plain sum of steps is up to 8% too long, depending on direction). A ring is closed.
 */
export function branchLengthPx(branch: Branch): number {
  const { xs, ys, closed } = branch;
  const n = xs.length;
  const reach = 2;
  const at = (values: readonly number[], i: number): number => {
    const half = closed ? Math.min(reach, (n - 1) >> 1) : Math.min(reach, i, n - 1 - i);
    let sum = 0;
    for (let k = -half; k <= half; k++) sum += values[(i + k + n) % n];
    return sum / (2 * half + 1);
  };
  let length = 0;
  for (let i = 1; i < (closed ? n + 1 : n); i++) {
    const j = i % n;
    length += Math.hypot(at(xs, j) - at(xs, i - 1), at(ys, j) - at(ys, i - 1));
  }
  return length;
}
