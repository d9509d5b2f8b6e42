import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CancelledError, UsageError } from '../core/errors.ts';
import { openSlide } from '../slide/open-slide.ts';
import { simulate } from './simulate.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-simulate-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const options = { preset: 'tiny', slides: 1, size: 200, seed: 5 } as const;

test('the same bytes from one thread and from two; never over an earlier slide; what is written is what the ceilings say', async () => {
  const one = join(folder, 'one');
  const two = join(folder, 'two');
  const result = await simulate({ ...options, out: one, threads: 1 });
  await simulate({ ...options, out: two, threads: 2 });
  expect(await sameFiles(one, two)).toBe(6);
  await expect(simulate({ ...options, out: one })).rejects.toBeInstanceOf(UsageError);

  // What is written is what the ceilings say.
  const [{ path, truthPath, ceilings }] = result.slides;
  const slide = await openSlide(path);
  const truth = await openSlide(join(truthPath, 'expected.ome.tif'));
  const distance = await openSlide(join(truthPath, 'distance.ome.tif'));
  const all = { x: 0, y: 0, width: 200, height: 200 };
  expect(slide.channels.map(({ name }) => name)).toEqual(['CD31 (vessel)', 'DAPI (nuclei)', 'QD (probe)']);
  expect(slide.pixelSizeUm).toBe(0.5);
  const measured = (await slide.read(all, [2])).data;
  const expected = (await truth.read(all, [0])).data;
  const [zero] = (await distance.read(all, [0])).data.toSorted();
  expect(zero).toBe(0);
  let [bias, error] = [0, 0];
  for (let at = 0; at < measured.length; at++) {
    bias += (measured[at] - expected[at]) / measured.length;
    error += (measured[at] - expected[at]) ** 2 / measured.length;
  }
  expect(Math.abs(bias)).toBeLessThan(5 * Math.sqrt(error / measured.length));
  expect(error).toBeLessThan(1.5 * Number(ceilings.noiseMse));
  expect(ceilings.noise).toBeGreaterThan(Number(ceilings.visible));
  expect(ceilings.visible).toBeGreaterThan(0.5);
  // Every vessel in the image has its truth, and no other; a closed one lets nothing through.
  const vessels = await openSlide(join(truthPath, 'vessels.ome.tif'));
  const ids = new Set((await vessels.read(all, [0])).data);
  ids.delete(0);
  const told = JSON.parse(await readFile(join(truthPath, 'truth.json'), 'utf8'));
  expect(new Set(told.vessels.map(({ id }: { id: number }) => id))).toEqual(ids);
  for (const { perfused, permeability } of told.vessels) expect(permeability > 0).toBe(perfused);
  expect(told).toMatchObject({ preset: 'tiny', particleNm: 20, seed: 5, ceilings });
  expect(told.model).toMatchObject({ widthPx: 200, pixelSizeUm: 0.5, transport: { probe: 'vessels' } });
  await Promise.all([slide, truth, distance, vessels].map((source) => source.close()));
});

test('an interrupted run goes on with the same options and the tiles it has, to the same bytes', async () => {
  const whole = join(folder, 'whole');
  const parts = join(folder, 'parts');
  const control = { preset: 'no-probe', slides: 1, size: 520, seed: 6, threads: 1, overwrite: true } as const;
  await simulate({ ...control, out: whole });
  const controller = new AbortController();
  const stopping = simulate(
    { ...control, out: parts },
    { signal: controller.signal, onProgress: ({ done }) => done === 2 && controller.abort() },
  );
  await expect(stopping).rejects.toBeInstanceOf(CancelledError);
  const reports: number[] = [];
  await simulate({ ...control, out: parts, resume: true }, { onProgress: ({ done }) => reports.push(done) });
  expect(reports[0]).toBeGreaterThanOrEqual(2);
  expect(await sameFiles(whole, parts)).toBe(6);
});

/** @returns how many files there are, the same in both folders */
async function sameFiles(a: string, b: string): Promise<number> {
  const names = async (of: string): Promise<string[]> =>
    (await readdir(of, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(of.length))
      .sort();
  const files = await names(a);
  expect(await names(b)).toEqual(files);
  for (const file of files) {
    expect((await readFile(join(a, file))).equals(await readFile(join(b, file))), file).toBe(true);
  }
  return files.length;
}
