/** What folds are called and which slides they hold out. */
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import type { BenchmarkSettings } from '../contract/benchmark.ts';
import { type DatasetManifest, readManifest } from '../dataset/manifest.ts';
import { benchmark } from './benchmark.ts';
import { planFolds } from './benchmark-folds.ts';
import { prepare } from './prepare.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-folds-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('calls slides and folds what the dataset calls them, also where names are taken or the dataset was moved', {
  timeout: 300_000,
}, async () => {
  const own = join(folder, 'own');
  const paths: string[] = [];
  // All of one name; the second is a copy and is left out, so that the rest would be numbered otherwise without it.
  for (const [i, seed] of [0, 0, 1, 2, 3].entries()) {
    const place = join(own, `mouse${i}`, '20x');
    await mkdir(place, { recursive: true });
    paths.push(await writeDrawnSlide(join(place, 'slide.ome.tif'), { seed }));
  }
  const data = join(own, 'dataset');
  const { slides: prepared } = await prepare({ slides: paths, validation: ['none'], patch: 64, out: data });
  const names = prepared.map(({ name }) => name);
  expect(names).toEqual(['1-slide', '3-slide', '4-slide', '5-slide']);
  const out = join(folder, 'named');
  await benchmark({ dataset: data, out, models: 'constant', leaveOneOut: true });
  const held = (csv: string): string[][] =>
    csv
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((line) => line.split(',').slice(1));
  const csv = await readFile(join(out, 'slides.csv'), 'utf8');
  const [head] = csv.split(/\r?\n/);
  const [fold, slide] = ['fold', 'slide'].map((name) => head.split(',').slice(1).indexOf(name));
  expect(held(csv).map((row) => [row[fold], row[slide]])).toEqual(names.map((name) => [name, name]));

  // Its slides are where they were beside it.
  const moved = join(folder, 'moved');
  await rename(own, moved);
  const random = await benchmark({
    ...{ dataset: join(moved, 'dataset'), out: join(folder, 'dealt') },
    ...{ models: 'constant', leaveOneOut: true, randomPatches: true },
  });
  expect(Object.keys(random.models)).toEqual(['constant', 'constant, random patches']);

  const taken = await Promise.all(
    ['a', 'b', 'c', 'test'].map((name, seed) => writeDrawnSlide(join(folder, `${name}.ome.tif`), { seed })),
  );
  const ordinary = join(folder, 'ordinary');
  await prepare({ slides: taken, test: [taken[2]], validation: ['none'], patch: 64, out: ordinary });
  const options = { dataset: ordinary, out: join(folder, 'taken'), models: 'constant' };
  await benchmark(options);
  const { folds } = await benchmark({ ...options, leaveOneOut: true });
  expect(folds.map(({ name, test }) => [name, test])).toEqual([
    ['a', ['a']],
    ['b', ['b']],
    ['c', ['c']],
    ['held-out-test', ['test']],
  ]);
  const rows = held(await readFile(join(options.out, 'slides.csv'), 'utf8'));
  expect(rows.map((row) => row[slide])).toEqual(['a', 'b', 'c', 'test']);
});

it('validates what sees fewer inputs on the slides of the others, whatever it takes for tissue', {
  timeout: 300_000,
}, async () => {
  const paths = await Promise.all(
    [0, 1, 2, 3].map((seed) => writeDrawnSlide(join(folder, `other-${seed}.ome.tif`), { seed })),
  );
  const data = join(folder, 'four');
  await prepare({ slides: paths, validation: ['none'], patch: 64, out: data });
  const out = join(folder, 'reduced');
  const [fold] = await planFolds({ leaveOneOut: true, out } as BenchmarkSettings, data);
  const validation = ({ slides }: DatasetManifest): string[] =>
    slides.filter(({ split }) => split === 'validation').map(({ name }) => name);
  const whole = await fold.dataset(undefined, {});
  const { slides } = await readManifest(whole);
  // As if the tissue of all inputs had led to another choice.
  const other = slides.findIndex(({ split }) => split === 'train');
  await rm(whole, { recursive: true });
  const held = slides.findIndex(({ split }) => split === 'test');
  const options = { patch: 64, test: [paths[held]], validation: [paths[other]], out: whole };
  await prepare({ slides: paths, ...options });
  expect(validation(await readManifest(await fold.dataset(['vessel'], {})))).toEqual([slides[other].name]);
});
