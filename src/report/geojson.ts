// Outlines as GeoJSON that QuPath opens: polygons in pixels of the full resolution, with a class and measurements.
import type { Outline } from '../spatial/mask-outlines.ts';

export interface Shape {
  readonly kind: 'annotation' | 'detection';
  readonly className: string;
  /** 0xRRGGBB. */
  readonly color: number;
  readonly name?: string;
  /** Outer ring first, then holes; corner points in pixels, not closed. */
  readonly rings: readonly Outline[];
  readonly measurements?: Readonly<Record<string, number>>;
}

/** A FeatureCollection; measurements that are not finite are left out. */
export function geojsonOf(shapes: readonly Shape[]): string {
  const features = shapes.map(({ kind, className, color, name, rings, measurements }, i) =>
    JSON.stringify({
      type: 'Feature',
      id: uuid(i),
      geometry: { type: 'Polygon', coordinates: rings.map((ring) => [...ring, ring[0]]) },
      properties: {
        objectType: kind,
        ...(name === undefined ? {} : { name }),
        classification: { name: className, color: [(color >> 16) & 255, (color >> 8) & 255, color & 255] },
        ...(measurements && {
          measurements: Object.fromEntries(
            Object.entries(measurements).filter(([, value]) => Number.isFinite(value)),
          ),
        }),
      },
    }),
  );
  return `{"type":"FeatureCollection","features":[\n${features.join(',\n')}\n]}\n`;
}

/** QuPath wants identifiers of this form; they need only differ within the file. */
function uuid(i: number): string {
  return `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`;
}

/** Outer outlines with the holes inside each. An outline with positive area (y down, clockwise) is an outer one. */
export function nestOutlines(outlines: readonly Outline[]): Outline[][] {
  const outer = outlines.filter((outline) => signedArea(outline) > 0);
  const holes = outlines.filter((outline) => signedArea(outline) < 0);
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

/** Whether a hole lies in a ring: a pixel inside the hole, half a pixel from its first corner, is asked for. */
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
