// The outlines of `analyze` for QuPath: vessels with their measurements, tissue, hot and cold spots.
import type { Shape } from '../report/geojson.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import { findComponents } from '../spatial/components.ts';
import { spotMask } from '../spatial/hot-spots.ts';
import { type Outline, outlinesByComponent } from '../spatial/mask-outlines.ts';
import type { Analysis } from './analysis.ts';

/** One a vessel, as they are come to: a whole slide's would fill the memory. */
export function* vesselShapes({
  vessels,
  objects,
  vesselObjects,
  measures,
  filePx,
}: Analysis): Generator<Shape> {
  const byLabel = new Map(vesselObjects.map((vessel) => [vessel.label, vessel]));
  for (const { label, parts } of outlinesByComponent(vessels.mask, objects)) {
    const vessel = byLabel.get(label);
    if (!vessel) continue;
    const measurements: Record<string, number> = {
      'Area µm^2': vessel.areaUm2,
      'Length µm': vessel.lengthUm,
      'Width µm': vessel.widthUm,
    };
    for (const { name, found } of measures) {
      measurements[`Probe ${name}: inside, stored units`] = found.perVessel[label].inside;
      measurements[`Probe ${name}: within 10 µm, stored units`] = found.perVessel[label].near;
      measurements[`Probe ${name}: penetration µm`] = found.perVessel[label].penetrationUm;
    }
    const scaled = inFile(parts, filePx);
    yield { kind: 'detection', className: 'Vessel', color: 0xff3b30, parts: scaled, measurements };
  }
}

export function* regionShapes({ tissue, measures, sums, filePx }: Analysis): Generator<Shape> {
  const { wide, high, edgePx } = sums.cells;
  const scaled = (outline: Outline): Outline =>
    outline.map(([x, y]): [number, number] => [
      Math.min(tissue.width, x * edgePx),
      Math.min(tissue.height, y * edgePx),
    ]);
  for (const parts of partsOf(tissue)) {
    yield { kind: 'annotation', className: 'Tissue', color: 0x8a94a0, parts: inFile(parts, filePx) };
  }
  for (const { name, found } of measures)
    for (const [kind, sign, color] of [
      ['Hot spot', 1, 0xffb000],
      ['Cold spot', -1, 0x2f7fff],
    ] as const)
      for (const parts of partsOf(spotMask(found.spots.kind, wide, high, sign)))
        yield {
          kind: 'annotation',
          className: `${kind}, ${name}`,
          color,
          parts: inFile(
            parts.map((rings) => rings.map(scaled)),
            filePx,
          ),
        };
}

/** In pixels of the slide's file, to a hundredth. */
function inFile(parts: Shape['parts'], filePx: number): Shape['parts'] {
  if (filePx === 1) return parts;
  const to = (value: number): number => Math.round(100 * value * filePx) / 100;
  return parts.map((rings) => rings.map((ring) => ring.map(([x, y]): [number, number] => [to(x), to(y)])));
}

/** One entry a region. */
function* partsOf(mask: BitMask): Generator<readonly (readonly Outline[])[]> {
  for (const { parts } of outlinesByComponent(mask, findComponents(mask, 8))) yield parts;
}
