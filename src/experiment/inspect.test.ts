import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inspectCommand } from '../contract/inspect.ts';
import { createRaster } from '../core/raster.ts';
import { createSlide } from '../slide/create-slide.ts';
import { inspect } from './inspect.ts';

it('says what a slide holds, with roles as given, recorded and told by names', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'hrpn-inspect-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const slide = join(folder, 'a.ome.tif');
  const sink = await createSlide(slide, {
    width: 600,
    height: 20,
    channels: [{ name: 'DAPI' }, { name: 'CD31' }, { name: 'lectin' }, { name: 'red', role: 'probe' }],
    sampleType: 'uint16',
    pixelSizeUm: 0.5,
  });
  await sink.write(0, 0, createRaster(4, 20, 600));
  await sink.finish();
  const result = await inspect({ slide, roles: { vessel: 'lectin' } });
  expect(inspectCommand.result.parse(result)).toEqual({
    path: slide,
    format: 'OME-TIFF',
    width: 600,
    height: 20,
    pixelSizeUm: 0.5,
    channels: [
      { name: 'DAPI', role: 'nuclei', dtype: 'uint16' },
      { name: 'CD31', dtype: 'uint16' },
      { name: 'lectin', role: 'vessel', dtype: 'uint16' },
      { name: 'red', role: 'probe', dtype: 'uint16' },
    ],
    levels: [
      { width: 600, height: 20 },
      { width: 300, height: 10 },
    ],
  });
  await expect(inspect({ slide, roles: { vessel: 'CD99' } })).rejects.toThrow(
    /no channel 'CD99'. Its channels are 'DAPI', 'CD31', 'lectin', 'red'/,
  );
  await expect(inspect({ slide, z: 3 })).rejects.toThrow(/--z 3/);
});
