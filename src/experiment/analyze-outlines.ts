// The outlines of `analyze` for QuPath: vessels with their measurements, tissue, hot and cold spots.
import { nestOutlines, type Shape } from '../report/geojson.ts';
import { labelAt } from '../spatial/components.ts';
import { spotMask } from '../spatial/hot-spots.ts';
import { maskOutlines, type Outline } from '../spatial/mask-outlines.ts';
import type { Analysis } from './analysis.ts';

export function vesselShapes({ vessels, objects, vesselObjects, measures }: Analysis): Shape[] {
  const byLabel = new Map(vesselObjects.map((vessel) => [vessel.label, vessel]));
  return nestOutlines(maskOutlines(vessels.mask)).flatMap((rings) => {
    const [x, y] = rings[0][0];
    const vessel = byLabel.get(labelAt(objects, x, y));
    if (!vessel) return [];
    const measurements: Record<string, number> = {
      'Area µm^2': vessel.areaUm2,
      'Length µm': vessel.lengthUm,
      'Width µm': vessel.widthUm,
    };
    for (const { name, found } of measures) {
      measurements[`Probe ${name}: inside, stored units`] = found.perVessel[vessel.label].inside;
      measurements[`Probe ${name}: within 10 µm, stored units`] = found.perVessel[vessel.label].near;
      measurements[`Probe ${name}: penetration µm`] = found.perVessel[vessel.label].penetrationUm;
    }
    return [{ kind: 'detection' as const, className: 'Vessel', color: 0xff3b30, rings, measurements }];
  });
}

export function regionShapes({ tissue, measures, sums }: Analysis): Shape[] {
  const { wide, high, edgePx } = sums.cells;
  const scaled = (outlines: readonly Outline[], factor: number): Outline[] =>
    outlines.map((outline) =>
      outline.map(([x, y]): [number, number] => [
        Math.min(tissue.width, x * factor),
        Math.min(tissue.height, y * factor),
      ]),
    );
  const shapes: Shape[] = nestOutlines(maskOutlines(tissue)).map((rings) => ({
    kind: 'annotation',
    className: 'Tissue',
    color: 0x8a94a0,
    rings,
  }));
  for (const { name, found } of measures)
    for (const [kind, sign, color] of [
      ['Hot spot', 1, 0xffb000],
      ['Cold spot', -1, 0x2f7fff],
    ] as const)
      for (const rings of nestOutlines(maskOutlines(spotMask(found.spots.kind, wide, high, sign))))
        shapes.push({
          kind: 'annotation',
          className: `${kind}, ${name}`,
          color,
          rings: scaled(rings, edgePx),
        });
  return shapes;
}
