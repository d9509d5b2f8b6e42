// Outlines as GeoJSON that QuPath opens: polygons in pixels of the full resolution, with a class and measurements.
import type { Outline } from '../spatial/mask-outlines.ts';

export interface Shape {
  readonly kind: 'annotation' | 'detection';
  readonly className: string;
  /** 0xRRGGBB. */
  readonly color: number;
  readonly name?: string;
  /** Of each part the outer ring first, then holes; corner points in pixels, not closed. */
  readonly parts: readonly (readonly Outline[])[];
  readonly measurements?: Readonly<Record<string, number>>;
}

/** Characters that are put together before they are written. */
const chunk = 1 << 20;

/** A FeatureCollection, piece by piece: whole slides have more than one text can hold. Measurements that are not finite are left out. */
export function* geojsonOf(shapes: Iterable<Shape>): Generator<string> {
  let text = '{"type":"FeatureCollection","features":[';
  let count = 0;
  for (const shape of shapes) {
    text += `${count === 0 ? '' : ','}\n${JSON.stringify(featureOf(shape, count++))}`;
    if (text.length < chunk) continue;
    yield text;
    text = '';
  }
  yield `${text}\n]}\n`;
}

function featureOf({ kind, className, color, name, parts, measurements }: Shape, i: number): object {
  const polygons = parts.map((rings) => rings.map((ring) => [...ring, ring[0]]));
  return {
    type: 'Feature',
    id: uuid(i),
    geometry:
      polygons.length === 1
        ? { type: 'Polygon', coordinates: polygons[0] }
        : { type: 'MultiPolygon', coordinates: polygons },
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
  };
}

/** QuPath wants identifiers of this form; they need only differ within the file. */
function uuid(i: number): string {
  return `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`;
}
