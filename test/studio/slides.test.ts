// Slides as the studio's pixel process reads them, without the process: tiles, and regions of predictions.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRaster } from '../../src/core/raster.ts';
import { measureRegion } from '../../src/experiment/measure-region.ts';
import { readTile } from '../../src/experiment/view-slide.ts';
import { createOmeTiff } from '../../src/slide/create-ome-tiff.ts';
import { readTiffTile } from '../../studio/src/viewer/tiff-tile.ts';
import { writeDrawnSlide } from '../e2e/drawn-slide.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-slides-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a slide that is opened anew, or put away for others, is closed only after the tiles that are being read', async () => {
  // Of many blocks, which are read a few at a time.
  const size = 2048;
  const slide = join(folder, 'large.ome.tif');
  const raster = createRaster(1, size, size);
  raster.data.forEach((_, i) => {
    raster.data[i] = i % 251;
  });
  const channels = [{ name: 'DAPI' }];
  const sink = await createOmeTiff(slide, {
    width: size,
    height: size,
    channels,
    sampleType: 'uint8',
    pixelSizeUm: 1,
  });
  await sink.write(0, 0, raster);
  await sink.finish();
  const tile = { slide, stamp: 'first', level: 0, x: 0, y: 0, width: size, height: size, channel: 0 };
  const others = await Promise.all(
    Array.from({ length: 8 }, (_, i) => writeDrawnSlide(join(folder, `other-${i}.ome.tif`))),
  );

  const isWritten = (data: Float32Array): boolean => data.every((value, i) => value === raster.data[i]);

  const putAway = readTile(tile);
  await Promise.all(others.map((other) => readTile({ ...tile, slide: other, width: 9, height: 9 })));
  expect(isWritten(await putAway)).toBe(true);

  const reading = readTile(tile);
  await readTile({ ...tile, stamp: 'written anew' });
  expect(isWritten(await reading)).toBe(true);
});

test('a region refuses a prediction of several channels without the probe, as analyze does', async () => {
  const slide = await writeDrawnSlide(join(folder, 'slide.ome.tif'));
  const measure = (prediction: string) =>
    measureRegion({
      slide,
      prediction,
      polygon: [
        [20, 20],
        [120, 20],
        [120, 120],
      ],
      roles: {},
    });
  await expect(measure(slide)).rejects.toThrow(
    `the prediction ${slide} has the channels 'CD31', 'DAPI', 'dextran'; expected one called 'probe'`,
  );
  const alone = await writeDrawnSlide(join(folder, 'alone.ome.tif'), { channels: ['dose'] });
  expect((await measure(alone)).predicted?.mean).toBeGreaterThan(0);
});

test('a large region is measured on a level that the prediction has too', async () => {
  const size = 2100;
  const slide = join(folder, 'pyramid.ome.tif');
  const raster = createRaster(1, size, size);
  raster.data.fill(9);
  const shape = { width: size, height: size, pixelSizeUm: 0.65, sampleType: 'uint8' as const };
  const sink = await createOmeTiff(slide, { ...shape, channels: [{ name: 'QD' }] });
  await sink.write(0, 0, raster);
  await sink.finish();
  const prediction = await writeDrawnSlide(join(folder, 'flat.ome.tif'), {
    ...{ width: size, height: size, channels: ['probe'] },
    draw: (_, width, height) => new Uint8Array(width * height).fill(5),
  });
  const polygon: [number, number][] = [
    [0, 0],
    [size, 0],
    [size, size],
    [0, size],
  ];
  const whole = { slide, polygon, roles: { probe: 'QD' } };
  expect(await measureRegion(whole)).toMatchObject({ reduction: 2, measured: { mean: 9 } });
  const both = await measureRegion({ ...whole, prediction });
  expect(both).toMatchObject({ reduction: 1, measured: { mean: 9 }, predicted: { mean: 5 } });
});

test('the browser takes a stored tile for one of its own only where it is as large', async () => {
  const edge = 256;
  const image = (tile: number) => ({
    ...{ isTiled: true, littleEndian: true, fileDirectory: { Compression: 1 } },
    ...{ getWidth: () => 1000, getHeight: () => 300, getSamplesPerPixel: () => 1 },
    ...{ getTileWidth: () => tile, getTileHeight: () => tile },
    getTileOrStrip: async () => ({ data: new Uint8Array(tile * tile).fill(3).buffer }),
  });
  const source = (tile: number) => ({ dtype: 'Uint8', tileSize: edge, _indexer: async () => image(tile) });
  expect(await readTiffTile(source(384), 1, 0, {})).toBeUndefined();
  const held = await readTiffTile(source(edge), 3, 1, {});
  expect(held).toMatchObject({ width: 1000 - 3 * edge, height: 300 - edge });
  expect(held?.data.every((value) => value === 3)).toBe(true);
});
