import { mkdirSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SimulateOptions } from '../contract/simulate.ts';
import { CancelledError, FileAccessError, UsageError } from '../core/errors.ts';
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

/** One tile. */
const quick = { preset: 'no-probe', slides: 1, size: 100, threads: 1 } as const;

test('a finished slide of other options is never mixed with the one asked for', async () => {
  const [fresh, before, out] = ['fresh', 'before', 'mixed'].map((name) => join(folder, name));
  await simulate({ ...quick, seed: 2, out: fresh });
  await simulate({ ...quick, seed: 1, out: before });
  await simulate({ ...quick, seed: 1, out });

  const other = { ...quick, seed: 2, out, resume: true } as const;
  for (const truth of ['full', 'expected'] as const) {
    await expect(simulate({ ...other, truth })).rejects.toThrow(
      /slide-01\.ome\.tif was made by hrpn .* --size 100 --seed 1 .*--overwrite/,
    );
  }
  expect(await sameFiles(before, out)).toBe(6);

  await stopAfter(1, { ...other, overwrite: true });
  await simulate({ ...other, overwrite: true });
  expect(await sameFiles(fresh, out)).toBe(6);

  // Finished means that the truth asked for is there too.
  await simulate({ ...other, overwrite: true, resume: false, truth: 'expected' });
  expect(await readdir(join(out, 'slide-01.truth'))).toHaveLength(2);
  await simulate(other);
  expect(await sameFiles(fresh, out)).toBe(6);
  const reports: number[] = [];
  await simulate({ ...other, truth: 'expected' }, { onProgress: ({ done }) => reports.push(done) });
  expect(reports).toEqual([]);
});

test('what an interrupted run has done is kept from a resume with other options', async () => {
  const four = { ...quick, size: 140, out: join(folder, 'interrupted') } as const;
  await stopAfter(1, four);
  const before = (await readdir(join(four.out, 'slide-01.truth'))).sort();
  await expect(simulate({ ...four, seed: 5, resume: true })).rejects.toThrow(
    /what an interrupted run left of .*slide-01\.ome\.tif was made with others/,
  );
  expect((await readdir(join(four.out, 'slide-01.truth'))).sort()).toEqual(before);
});

test('an image beside which nothing says that a simulation made it is not replaced', async () => {
  const out = join(folder, 'unknown');
  await mkdir(out);
  await writeFile(join(out, 'slide-01.ome.tif'), 'mine');
  for (const resume of [false, true]) {
    await expect(simulate({ ...quick, out, resume })).rejects.toBeInstanceOf(UsageError);
  }
  expect(await readFile(join(out, 'slide-01.ome.tif'), 'utf8')).toBe('mine');
});

test('a journal with a torn line keeps the tiles before and after it', async () => {
  const out = join(folder, 'torn');
  const journal = join(out, 'slide-01.truth', 'tiles.jsonl');
  const four = { ...quick, size: 140, truth: 'expected', out, resume: true } as const;
  await stopAfter(2, four);
  const whole = await readFile(journal, 'utf8');
  const [head, first, second] = whole.trimEnd().split('\n');
  expect(JSON.parse(second)).toMatchObject({ tileX: 1, tileY: 0 });

  await writeFile(journal, `${head}\n${first}\n${second.slice(0, -20)}`);
  await stopAfter(2, four);
  expect(await readFile(journal, 'utf8')).toBe(whole);

  await writeFile(journal, `${head}\n${first.slice(0, -20)}\n${second}\n`);
  await stopAfter(1, four);
  expect(await readFile(journal, 'utf8')).toBe(`${head}\n${second}\n${first}\n`);
});

test('a journal that cannot be written is an error that names it', async () => {
  const out = join(folder, 'unwritable');
  const journal = join(out, 'slide-01.truth', 'tiles.jsonl');
  const block = (): void => {
    rmSync(journal, { recursive: true });
    mkdirSync(journal);
  };
  const failing = simulate({ ...quick, out }, { onProgress: ({ done }) => done === 0 && block() });
  await expect(failing).rejects.toSatisfy(
    (error) => error instanceof FileAccessError && error.path === journal,
  );
});

test('slides larger than the ids of vessels reach are refused', async () => {
  await expect(simulate({ ...quick, size: 38_001, out: folder })).rejects.toThrow(/38000|38,000/);
});

/** Stops a run once `tiles` tiles are done. */
async function stopAfter(tiles: number, given: SimulateOptions): Promise<void> {
  const controller = new AbortController();
  const onProgress = ({ done }: { done: number }): void => {
    if (done >= tiles) controller.abort();
  };
  const stopping = simulate(given, { signal: controller.signal, onProgress });
  await expect(stopping).rejects.toBeInstanceOf(CancelledError);
}

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
