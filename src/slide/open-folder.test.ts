import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PixelSource } from '../core/pixel-source.ts';
import { createRaster } from '../core/raster.ts';
import { openFolder } from './open-folder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-folder-'));
  for (const name of ['CD31.tif', 'DAPI.tif']) await writeFile(join(folder, name), 'x');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every pixel holds the width of the level that it was read from. */
function pyramid(path: string, widths: readonly number[]): PixelSource {
  const levels = widths.map((width) => ({ width, height: 100 }));
  return {
    ...{ path, format: 'TIFF', ...levels[0], levels, pixelSizeUm: 1 },
    channels: [{ name: 'channel 0', sampleType: 'uint16' }],
    async read({ width, height }, _, options) {
      const raster = createRaster(1, height, width);
      raster.data.fill(widths[options?.level ?? 0]);
      return raster;
    },
    close: async () => {},
  };
}

it('refuses two files of one channel, for a role could not tell them apart', async () => {
  await writeFile(join(folder, 'DAPI.png'), 'x');
  await expect(openFolder(folder, {}, async (path) => pyramid(path, [1]))).rejects.toThrow(
    "DAPI.png and DAPI.tif would be one channel, 'DAPI'",
  );
  await rm(join(folder, 'DAPI.png'));
});

it('refuses a prediction that was saved among the channels', async () => {
  const open = openFolder(folder, {}, async (path) => ({
    ...pyramid(path, [1]),
    ...(path.endsWith('DAPI.tif') && { annotations: new Map([['predictedBy', 'hrpn 0.1.0']]) }),
  }));
  await expect(open).rejects.toThrow('DAPI.tif is a prediction and no channel of the slide');
});

it('has the levels that all of its files have, wherever each keeps them', async () => {
  const slide = await openFolder(folder, {}, async (path) =>
    pyramid(path, path.endsWith('CD31.tif') ? [1025, 513, 256] : [1025, 512, 256, 128]),
  );
  expect(slide.levels.map(({ width }) => width)).toEqual([1025, 256]);
  for (const [level, width] of [1025, 256].entries()) {
    const { data } = await slide.read({ x: 0, y: 0, width: 2, height: 1 }, [0, 1], { level });
    expect([...data]).toEqual([width, width, width, width]);
  }
});
