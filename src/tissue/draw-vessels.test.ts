import { expect, it } from 'vitest';
import { drawVessels } from './draw-vessels.ts';
import type { VesselPiece } from './vessel-path.ts';

it('a pixel belongs to the vessel that fills most of the section there, not to the last one in it', () => {
  const sectionUm = 8;
  const grid = { fromX: 0, fromY: 0, spacing: 0.5, width: 60, height: 60 };
  const straight = (id: number, along: 'x' | 'y', z: number, radius: number): VesselPiece => ({
    ...{ x0: along === 'x' ? 0 : 15, x1: along === 'x' ? 30 : 15 },
    ...{ y0: along === 'y' ? 0 : 15, y1: along === 'y' ? 30 : 15 },
    ...{ z0: z, z1: z, r0: radius, r1: radius, nx: 0, ny: 0, nz: 1, s0: 1, s1: 1 },
    vessel: { id, key: 12_345 * id, radiusUm: radius, flattening: 1, stain: 1 },
  });
  // Section heights are -3, -1, 1 and 3 um: the thick vessel fills three, the thin one the topmost.
  const [thick, thin] = [straight(1, 'x', -1.5, 3.4), straight(2, 'y', 3.6, 1.5)];
  for (const pieces of [
    [thick, thin],
    [thin, thick],
  ]) {
    const { label, inside } = drawVessels(grid, pieces, [1, 1, 1, 1], sectionUm);
    let crossed = 0;
    for (let y = 28; y < 32; y++)
      for (let x = 28; x < 32; x++) {
        if (inside[y * grid.width + x] < 0.9) continue;
        crossed++;
        expect(label[y * grid.width + x]).toBe(1);
      }
    expect(crossed).toBeGreaterThan(4);
    expect(new Set(label)).toEqual(new Set([0, 1, 2]));
  }
});
