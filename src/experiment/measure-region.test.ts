import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { createOmeTiff } from '../slide/create-ome-tiff.ts';
import { measureRegion } from './measure-region.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-region-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('measureRegion', () => {
  it('leaves a pixel that is not finite out of its ring, and the ring stays known', async () => {
    const [size, centre, radius] = [96, 48, 6];
    const rng = new Rng(3);
    const raster = createRaster(2, size, size);
    for (let i = 0; i < size * size; i++) {
      const d = Math.hypot((i % size) - centre, Math.floor(i / size) - centre) - radius;
      raster.data[i] = d <= 0 ? 200 : 10 + rng.uniform(0, 2);
      raster.data[size * size + i] = 50;
    }
    raster.data[size * size + centre * size + centre + radius + 5] = Number.NaN;
    const slide = join(folder, 'holed.ome.tif');
    const sink = await createOmeTiff(slide, {
      width: size,
      height: size,
      channels: [{ name: 'CD31' }, { name: 'QD' }],
      sampleType: 'float32',
      pixelSizeUm: 1,
    });
    await sink.write(0, 0, raster);
    await sink.finish();
    const corners: [number, number][] = [
      [0, 0],
      [size, 0],
      [size, size],
      [0, size],
    ];
    const { profile, measured } = await measureRegion({ slide, polygon: corners, roles: {} });
    expect(measured?.mean).toBe(50);
    const rings = profile.filter(({ pixels }) => pixels > 0);
    expect(rings.length).toBeGreaterThan(5);
    expect(rings.map((ring) => ring.measured)).toEqual(rings.map(() => 50));
  });
});
