// Drawn regions and their way to a file that QuPath and others read.
import type { RegionResult } from '../../../src/contract/studio.ts';

export type Point = readonly [number, number];

export interface DrawnRegion {
  readonly id: number;
  readonly name: string;
  /** Slide pixels, not closed. */
  readonly points: readonly Point[];
  readonly result?: RegionResult;
  readonly error?: string;
}

const regionColors = ['#ffd166', '#5ad1c4', '#ff8fab', '#9db4ff', '#c3f584', '#ffb26b'];

export function regionColor(id: number): string {
  return regionColors[id % regionColors.length];
}

export function rectangle([x1, y1]: Point, [x2, y2]: Point): Point[] {
  return [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ];
}

/** A FeatureCollection in slide pixels, as QuPath writes and reads annotations. */
export function regionsGeoJson(regions: readonly DrawnRegion[], pixelSizeUm: number | null): string {
  const features = regions.map(({ name, points, result }) => ({
    type: 'Feature',
    geometry: {
      type: 'Polygon',
      coordinates: [[...points, points[0]].map(([x, y]) => [round(x), round(y)])],
    },
    properties: {
      objectType: 'annotation',
      name,
      measurements: result === undefined ? {} : measurementsOf(result),
    },
  }));
  return `${JSON.stringify({ type: 'FeatureCollection', pixelSizeUm, features }, null, 1)}\n`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function measurementsOf({
  areaUm2,
  measured,
  predicted,
  metrics,
  vesselShare,
}: RegionResult): Record<string, number> {
  const all: Record<string, number | null | undefined> = {
    'Area um^2': areaUm2,
    'Vessel share': vesselShare,
    'Measured mean': measured?.mean,
    'Predicted mean': predicted?.mean,
    R2: metrics?.r2,
    Pearson: metrics?.pearson,
    RMSE: metrics?.rmse,
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

/** The rings of a GeoJSON file, whatever it holds them in. Lines are kept as they are. */
export function ringsOf(geoJson: unknown): Point[][] {
  const rings: Point[][] = [];
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    const { type, features, geometry, geometries, coordinates } = value as Record<string, unknown>;
    if (Array.isArray(features)) features.forEach(visit);
    if (Array.isArray(geometries)) geometries.forEach(visit);
    if (geometry !== undefined) visit(geometry);
    if (type === 'Polygon') rings.push(...(coordinates as Point[][]));
    else if (type === 'MultiPolygon') rings.push(...(coordinates as Point[][][]).flat());
    else if (type === 'LineString') rings.push(coordinates as Point[]);
    else if (type === 'MultiLineString') rings.push(...(coordinates as Point[][]));
  };
  visit(geoJson);
  return rings.filter((ring) => ring.length > 1);
}
