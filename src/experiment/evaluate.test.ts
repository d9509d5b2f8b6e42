import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import type { EvaluateOptions } from '../contract/evaluate.ts';
import { DataError, UsageError } from '../core/errors.ts';
import { createSlide } from '../slide/create-slide.ts';
import { openSlide } from '../slide/open-slide.ts';
import { analyze } from './analyze.ts';
import { evaluate } from './evaluate.ts';
import { predict } from './predict.ts';
import { prepare } from './prepare.ts';
import { train } from './train.ts';

/** Predicts at 0.5 um; the drawn slides have 0.65. */
const model = fileURLToPath(new URL('../../models/hrpn-simulated.onnx', import.meta.url));

let folder: string;
let slide: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-evaluate-'));
  slide = await writeDrawnSlide(join(folder, 'slide.ome.tif'));
});
afterAll(() => rm(folder, { recursive: true }));

async function predicted(name: string, interval?: number): Promise<string> {
  const out = join(folder, `${name}.ome.tif`);
  await predict({ model, slide, out, interval, threads: 2 });
  return out;
}

describe('evaluate --prediction', () => {
  it('takes what predict resampled, and counts its interval where it is the one that is scored', async () => {
    const wide = await evaluate({ slide, prediction: await predicted('wide', 0.9) });
    expect(wide.notes.join()).toMatch(/resampled from 0.65 to 0.5 um/);
    expect(wide.peak).toBe(255);
    expect(wide.coverage).toMatchObject({ nominal: 0.9, perSlide: [{ slide: 'slide' }] });
    const half = await evaluate({ slide, prediction: await predicted('half', 0.5) });
    expect(half.pooled).toEqual(wide.pooled);
    expect(half.coverage).toBeNull();
    expect(half.notes.join()).toMatch(/intervals of level 0.5; .* counted for 0.9 only/);
  }, 60_000);

  it('scores the floor on the same pixels, says how many are left out, and refuses what leaves none', async () => {
    const source = await openSlide(slide);
    const { width, height, pixelSizeUm = Number.NaN } = source;
    const measured = await source.read({ x: 0, y: 0, width, height }, [2]);
    await source.close();
    const written = async (name: string, leftOut: (x: number) => boolean): Promise<string> => {
      const out = join(folder, `${name}.ome.tif`);
      const channels = [{ name: 'probe' }];
      const sink = await createSlide(out, { width, height, channels, sampleType: 'float32', pixelSizeUm });
      const data = measured.data.map((value, i) => (leftOut(i % width) ? Number.NaN : 0.9 * value + 2));
      await sink.write(0, 0, { ...measured, data });
      await sink.finish();
      return out;
    };
    const prediction = await written('half-known', (x) => x < width / 2);
    const { floor, pooled, notes } = await evaluate({ slide, prediction });
    expect(floor.pooled.r2).toBeCloseTo(0, 9);
    expect(floor.pooled.pixels).toBe(pooled.pixels);
    expect(pooled.pixelsNotFinite).toBeGreaterThan(1000);
    expect(notes.join()).toMatch(/[\d,]+ of the [\d,]+ pixels of tissue are left out/);
    const nothing = await written('unknown', () => true);
    await expect(evaluate({ slide, prediction: nothing })).rejects.toThrow(/there is nothing to score/);
  });

  it('refuses channels that are not there, and says where tissue is told from the probe', async () => {
    const prediction = await predicted('stained');
    await expect(evaluate({ slide, prediction, roles: { nuclei: 'none' } })).rejects.toThrow(
      /has no channel 'none'/,
    );
    const bare = await writeDrawnSlide(join(folder, 'bare.ome.tif'), { channels: ['dextran'] });
    const { notes } = await evaluate({ slide: bare, prediction: bare, roles: { probe: 'dextran' } });
    expect(notes.join()).toMatch(/where the tissue is was told from the probe/);
  }, 60_000);

  it('refuses what is no prediction', async () => {
    await expect(evaluate({ slide, prediction: slide })).rejects.toThrow(DataError);
  });
});

it('replaces an earlier evaluation only with --overwrite, and nothing else ever', async () => {
  const pair = { slide, prediction: await predicted('plain') };
  const out = join(folder, 'evaluation');
  const { files } = await evaluate({ ...pair, out });
  expect((await readdir(out)).sort()).toEqual(['figures', 'metrics.json', 'report.html']);
  expect(files).toEqual(['report.html', 'figures/slide.png', 'metrics.json'].map((name) => join(out, name)));
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('data:image/png;base64,');
  await expect(evaluate({ ...pair, out })).rejects.toThrow(/exists already.*--overwrite/);
  await evaluate({ ...pair, out, overwrite: true });

  const analysis = join(folder, 'analysis');
  await mkdir(analysis);
  for (const name of ['report.html', 'result.json']) await writeFile(join(analysis, name), 'kept');
  await expect(evaluate({ ...pair, out: analysis, overwrite: true })).rejects.toThrow(/holds other files/);
  expect(await readFile(join(analysis, 'report.html'), 'utf8')).toBe('kept');
}, 60_000);

it('reads the same plane of a stack as the dataset, or the one that is asked for, as analyze does', async () => {
  const slides = await Promise.all(
    [1, 2].map((seed) => writeDrawnSlide(join(folder, `stack-${seed}.ome.tif`), { seed, focalPlanes: 2 })),
  );
  const [dataset, run] = ['dataset', 'run'].map((name) => join(folder, name));
  await prepare({ slides, z: 1, test: [slides[1]], validation: ['none'], patch: 64, out: dataset });
  const { model: linear } = await train({ dataset, model: 'linear', out: run, threads: 2 });
  const scored = await evaluate({ model: linear, dataset, threads: 2 });
  await expect(evaluate({ model: linear, dataset, z: 1 })).rejects.toThrow(UsageError);
  await expect(evaluate({ model: linear, dataset, roles: { nuclei: 'DAPI' } })).rejects.toThrow(
    /--role nuclei=.* A dataset knows its channels/,
  );
  await expect(evaluate({ model, dataset })).rejects.toThrow(
    /works at 0.5 um a pixel, and the dataset .* is at 0.65. Prepare .* --dataset-pixel-size-um 0.5/,
  );

  const prediction = join(folder, 'stack-predicted.ome.tif');
  const given = { slide: slides[1], z: 1 };
  await predict({ ...given, model: linear, out: prediction, threads: 2 });
  const pair = await evaluate({ ...given, prediction });
  expect(pair.pooled.mse).toBeCloseTo(scored.pooled.mse, 3);
  await expect(evaluate({ slide: slides[1], prediction })).rejects.toThrow(/Say which with --z/);
  const { agreement } = await analyze({ ...given, prediction, out: join(folder, 'stack-analysis') });
  expect(agreement?.pixels.r2).toBeCloseTo(pair.pooled.r2, 3);
}, 60_000);

it('refuses what it would pass over', async () => {
  const refused = (given: EvaluateOptions) => expect(evaluate(given)).rejects;
  const dataset = join(folder, 'none');
  for (const extra of [{ slide }, { prediction: slide }, { slide, prediction: slide }])
    await refused({ model, dataset, ...extra }).toThrow(/takes either MODEL and DATASET, or --prediction/);
  await refused({ dataset, slide, prediction: slide }).toThrow(/found dataset, prediction, slide\./);
  await refused({ slide, prediction: slide, split: 'train' }).toThrow(/--split is for MODEL and DATASET/);
  await refused({ slide, prediction: slide, threads: 1 }).toThrow(/--threads is for MODEL and DATASET/);
});

it('says where a model and a dataset cannot make a test, and what is wrong before it predicts', async () => {
  const slides = await Promise.all(
    [3, 4].map((seed) => writeDrawnSlide(join(folder, `field-${seed}.ome.tif`), { seed })),
  );
  const prepared = { slides, test: [slides[1]], validation: ['none'], patch: 64 };
  const [fields, whole] = ['fields', 'whole'].map((name) => join(folder, name));
  await prepare({ ...prepared, splitBy: 'field', out: fields });
  await prepare({ ...prepared, splitBy: 'slide', out: whole });
  const run = join(folder, 'field-run');
  const { model: linear } = await train({ dataset: fields, model: 'linear', out: run, threads: 2 });

  const own = await evaluate({ model: linear, dataset: fields, threads: 2 });
  expect(own.withinSlide).toBe(true);
  expect(own.notes.join()).not.toMatch(/another dataset/);
  const other = await evaluate({ model: linear, dataset: whole, threads: 2 });
  expect(other.withinSlide).toBe(true);
  expect(other.notes.join()).toMatch(/trained on another dataset .* and then this is no test/);

  const stages: string[] = [];
  const work = { onProgress: ({ stage }: { stage: string }) => stages.push(stage) };
  const given = { model: linear, dataset: whole, threads: 2 };
  await expect(evaluate({ ...given, target: 'expected' }, work)).rejects.toThrow(/no noise-free truth/);
  await expect(evaluate({ ...given, roles: { vessel: 'NOPE' } }, work)).rejects.toThrow(
    /has no channel 'NOPE'/,
  );
  expect(stages).toEqual([]);
}, 60_000);
