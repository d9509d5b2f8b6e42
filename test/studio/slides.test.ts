// Slides as the studio's pixel process reads them, without the process: tiles, and regions of predictions.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRaster } from '../../src/core/raster.ts';
import { measureRegion } from '../../src/experiment/measure-region.ts';
import { readTile, viewSlide } from '../../src/experiment/view-slide.ts';
import { createOmeTiff } from '../../src/slide/create-ome-tiff.ts';
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
  const tile = { slide, level: 0, x: 0, y: 0, width: size, height: size, channel: 0 };
  const others = await Promise.all(
    Array.from({ length: 8 }, (_, i) => writeDrawnSlide(join(folder, `other-${i}.ome.tif`))),
  );

  const isWritten = (data: Float32Array): boolean => data.every((value, i) => value === raster.data[i]);

  const putAway = readTile(tile);
  await Promise.all(others.map((other) => readTile({ ...tile, slide: other, width: 9, height: 9 })));
  expect(isWritten(await putAway)).toBe(true);

  const reading = readTile(tile);
  await viewSlide(slide);
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
