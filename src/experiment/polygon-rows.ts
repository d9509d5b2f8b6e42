// Which pixels a drawn polygon covers.
import type { Region } from '../core/raster.ts';

export type Polygon = readonly (readonly [number, number])[];

/** The smallest rectangle of whole pixels around a polygon, cut to width x height; undefined where none is left. */
export function polygonBounds(polygon: Polygon, width: number, height: number): Region | undefined {
  const xs = polygon.map(([x]) => x);
  const ys = polygon.map(([, y]) => y);
  const left = Math.max(0, Math.floor(xs.reduce((a, b) => Math.min(a, b))));
  const top = Math.max(0, Math.floor(ys.reduce((a, b) => Math.min(a, b))));
  const right = Math.min(width, Math.ceil(xs.reduce((a, b) => Math.max(a, b))));
  const bottom = Math.min(height, Math.ceil(ys.reduce((a, b) => Math.max(a, b))));
  if (right <= left || bottom <= top) return undefined;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** One byte a pixel of `region`, 1 where the pixel's centre is inside by the even-odd rule. */
export function fillPolygon(polygon: Polygon, region: Region): Uint8Array {
  const mask = new Uint8Array(region.width * region.height);
  for (let row = 0; row < region.height; row++) {
    const y = region.y + row + 0.5;
    const crossings: number[] = [];
    polygon.forEach(([x1, y1], i) => {
      const [x2, y2] = polygon[(i + 1) % polygon.length];
      if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i] - 0.5 - region.x));
      const to = Math.min(region.width, Math.ceil(crossings[i + 1] - 0.5 - region.x));
      if (to > from) mask.fill(1, row * region.width + from, row * region.width + to);
    }
  }
  return mask;
}
