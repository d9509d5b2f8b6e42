// The outlines of a mask as closed polygons along pixel edges.
import type { BitMask } from './bit-mask.ts';

/** Corner points [x, y] in pixels, not closed; outer outlines run clockwise on screen, holes the other way. */
export type Outline = [number, number][];

/**
 * Every outline of the mask, corners only. Objects that touch by a corner are kept apart.
 * Memory is that of the corners and one entry a vertical boundary edge.
 */
export function maskOutlines(mask: BitMask): Outline[] {
  const { width, height } = mask;
  const isOn = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && mask.get(x, y);
  // An outline starts at a pixel whose upper edge is boundary; each upper edge belongs to one outline.
  const visited = new Set<number>();
  const outlines: Outline[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (isOn(x, y) && !isOn(x, y - 1) && !visited.has(y * width + x)) outlines.push(trace(x, y));
    }
  }
  return outlines;

  /** Walks with the object on the right: along upper edges to the right, down right edges, and so on. */
  function trace(startX: number, startY: number): Outline {
    const outline: Outline = [];
    let x = startX;
    let y = startY;
    let direction = 0;
    let last = -1;
    do {
      const [dx, dy] = steps[direction];
      if (direction === 0) visited.add(y * width + x);
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
