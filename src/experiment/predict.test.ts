/** What is special to a predicted file: integer samples, its provenance, and going on after an interruption. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import type { PredictOptions } from '../contract/predict.ts';
import { CancelledError, WriteError } from '../core/errors.ts';
import type { Raster } from '../core/raster.ts';
import { readModelFile, withManifest } from '../model/model-file.ts';
import { openSlide } from '../slide/open-slide.ts';
import { integerScale, predict } from './predict.ts';

const model = fileURLToPath(new URL('../../models/hrpn-simulated.onnx', import.meta.url));
let folder: string;
let options: Omit<PredictOptions, 'out'>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-predict-'));
  const slide = await writeDrawnSlide(join(folder, 'slide one.ome.tif'), {
    ...{ width: 1100, height: 600, pixelSizeUm: 0.5 },
  });
  options = { model, slide, interval: 0.9, tile: 512, threads: 2 };
});
afterAll(() => rm(folder, { recursive: true }));

async function readAll(path: string): Promise<Raster> {
  const source = await openSlide(path);
  try {
    return await source.read({ x: 0, y: 0, width: source.width, height: source.height }, [0, 1, 2]);
  } finally {
    await source.close();
  }
}

it('is not saved among the channels of its own slide', async () => {
  const out = join(folder, 'predicted.ome.tif');
  await expect(predict({ ...options, slide: folder, out })).rejects.toThrow(
    /lies in the folder .* would be read as a part of it/,
  );
});

it('a slide that is near enough to the model keeps its own pixel size', async () => {
  const slide = await writeDrawnSlide(join(folder, 'near.ome.tif'), {
    ...{ width: 300, height: 300, pixelSizeUm: 0.502 },
  });
  const out = join(folder, 'near.predicted.ome.tif');
  await predict({ ...options, slide, out });
  const predicted = await openSlide(out);
  expect(predicted).toMatchObject({ width: 300, pixelSizeUm: 0.502 });
  await predicted.close();
}, 60_000);

it('uint16 holds the prediction and its interval to half a step of the recorded scale, in both formats', async () => {
  const out = (name: string): string => join(folder, name);
  await predict({ ...options, out: out('values.ome.tif') });
  const { data: values } = await readAll(out('values.ome.tif'));
  // 64 standard deviations of the training slides' target in 65,534 steps.
  const step = (64 * (await readModelFile(model)).manifest.targetMap.scale) / 65_534;
  for (const name of ['stored.ome.tif', 'stored.ome.zarr']) {
    const { notes } = await predict({ ...options, out: out(name), sampleType: 'uint16' });
    expect(notes.join()).not.toMatch(/clipped/);
    const { data: stored } = await readAll(out(name));
    const gap = stored.reduce((most, v, i) => Math.max(most, Math.abs(v - values[i])), 0);
    // Half a step, and float32's rounding of values up to 20,000.
    expect(gap).toBeLessThan(step / 2 + 0.002);
    expect(gap).toBeGreaterThan(step / 4);
  }
  const { attributes } = JSON.parse(await readFile(join(out('stored.ome.zarr'), 'zarr.json'), 'utf8'));
  expect(attributes.hrpn).toMatchObject({
    slide: 'slide one.ome.tif',
    modelSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    command:
      "hrpn predict --interval=0.9 --role=vessel=CD31 --role=nuclei=DAPI --sample-type=uint16 hrpn-simulated.onnx 'slide one.ome.tif'",
  });
}, 60_000);

it('uint16 holds as many standard deviations where a network learned in grey levels', () => {
  const targetStatistics = { offset: 900, scale: 700 };
  const [raw, normalised] = [{ offset: 0, scale: 1 }, targetStatistics].map((targetMap) =>
    integerScale({ targetMap, targetStatistics }),
  );
  expect(raw).toEqual(normalised);
});

it('failed, interrupted and resumed, writes the same bytes', async () => {
  const [whole, cut] = ['whole.ome.tif', 'cut.ome.tif'].map((name) => join(folder, name));
  await predict({ ...options, out: whole });
  const fails = ({ stage, done }: { stage: string; done: number }): void => {
    if (stage === 'predicting' && done > 0) throw new WriteError(cut, 'the disk is full.');
  };
  await expect(predict({ ...options, out: cut }, { onProgress: fails })).rejects.toThrow(
    'the disk is full. What is done is kept; add --resume',
  );
  const stop = new AbortController();
  const onProgress = ({ stage, done }: { stage: string; done: number }): void => {
    if (stage === 'predicting' && done > 600 * 512) stop.abort();
  };
  await expect(
    predict({ ...options, out: cut, resume: true }, { signal: stop.signal, onProgress }),
  ).rejects.toThrow(CancelledError);
  const { tiles, tilesComputed } = await predict({ ...options, out: cut, resume: true });
  expect(tilesComputed).toBeGreaterThan(0);
  expect(tilesComputed).toBeLessThan(tiles);
  const [one, other] = await Promise.all([whole, cut].map((path) => readFile(path)));
  expect(one.equals(other)).toBe(true);
}, 60_000);

it('resumes for the same slide only, and never for another one of its name', async () => {
  const fixed = await fieldModel();
  const [here, there] = await Promise.all(
    ['a', 'b'].map(async (place, seed) => {
      await mkdir(join(folder, place));
      const drawn = { width: 1100, height: 600, pixelSizeUm: 0.5, seed };
      return writeDrawnSlide(join(folder, place, 's.ome.tif'), drawn);
    }),
  );
  const out = join(folder, 'mixed.ome.tif');
  const stop = new AbortController();
  const onProgress = ({ stage, done }: { stage: string; done: number }): void => {
    if (stage === 'predicting' && done > 600 * 512) stop.abort();
  };
  const given = { model: fixed, out, tile: 512, threads: 2 };
  await expect(predict({ ...given, slide: here }, { signal: stop.signal, onProgress })).rejects.toThrow(
    CancelledError,
  );
  await expect(predict({ ...given, slide: there, resume: true })).rejects.toThrow(/for another slide/);
  expect((await predict({ ...given, slide: here, resume: true })).tilesComputed).toBeGreaterThan(0);
});

it('refuses a slide with nothing to read, whatever the model takes', async () => {
  const fixed = await fieldModel();
  const blank = (_: number, w: number, h: number) => new Uint8Array(w * h);
  const slide = await writeDrawnSlide(join(folder, 'blank.ome.tif'), { draw: blank });
  const out = join(folder, 'blank-out.ome.tif');
  await expect(predict({ model: fixed, slide, out })).rejects.toThrow(/holds no tissue/);
  await expect(stat(out)).rejects.toThrow();
});

it('replaces neither what it reads nor what others keep under its temporary name', async () => {
  const slide = await writeDrawnSlide(join(folder, 'kept.ome.tif'), { pixelSizeUm: 0.5 });
  await expect(predict({ ...options, slide, out: slide, overwrite: true })).rejects.toThrow(
    /is the file that is read/,
  );
  for (const name of ['mine.ome.tif', 'mine.ome.zarr']) {
    const notes = join(folder, `${name}.partial`, 'notes.txt');
    await mkdir(dirname(notes), { recursive: true });
    await writeFile(notes, 'mine');
    await expect(predict({ ...options, slide, out: join(folder, name) })).rejects.toThrow(
      /holds other files \(such as 'notes.txt'\)/,
    );
    expect(await readFile(notes, 'utf8')).toBe('mine');
  }
});

/** The shipped model as one that takes stains as they are. */
async function fieldModel(): Promise<string> {
  const file = await readModelFile(model);
  const path = join(folder, 'field.onnx');
  const inputMaps = [
    { offset: 10, scale: 100 },
    { offset: 10, scale: 100 },
  ];
  await writeFile(path, withManifest(file, { ...file.manifest, inputMaps }));
  return path;
}
