/** How long a contestant trains, and at which learning rate. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawBlobs, writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import { readRunSettings } from '../training/run-folder.ts';
import { benchmark } from './benchmark.ts';
import { rateForLonger, scheduleFor } from './benchmark-schedule.ts';
import { prepare } from './prepare.ts';

let folder: string;
let dataset: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-schedule-'));
  const slides = await Promise.all(
    [0, 1, 2].map((seed) =>
      writeDrawnSlide(join(folder, `slide-${seed}.ome.tif`), { seed, draw: drawBlobs }),
    ),
  );
  dataset = join(folder, 'dataset');
  await prepare({ slides, test: [slides[2]], validation: [slides[1]], patch: 64, out: dataset });
});
afterAll(() => rm(folder, { recursive: true }));

it('fits a schedule to the time, and says whose time ended before it', { timeout: 300_000 }, async () => {
  const budget = { dataset, models: 'unet', patch: 64, threads: 2 };
  const whole = { ...budget, out: join(folder, 'whole'), timeBudgetSeconds: 4 };
  const { models } = await benchmark(whole);
  expect(models.unet.runs).toBe(1);
  // Fewer steps than the pass over the windows, at least 50 steps, that an epoch is otherwise.
  const made = join(whole.out, 'runs', 'test', 'unet-seed0');
  const run = await readRunSettings(made);
  expect(run.stepsPerEpoch).toBeLessThan(50);
  const { steps } = JSON.parse(await readFile(join(made, 'scores.json'), 'utf8'));
  expect(models.unet.trainingPixels).toBe(steps * run.batch * 64 ** 2);

  // A choice made on a faster machine.
  const out = join(folder, 'cut');
  await mkdir(join(out, 'choices', 'test', 'unet'), { recursive: true });
  await writeFile(
    join(out, 'choices', 'test', 'unet', 'choice.json'),
    JSON.stringify({ learningRate: 1e-3, epochs: 1, stepsPerEpoch: 100_000 }),
  );
  const cut = await benchmark({ ...budget, out, timeBudgetSeconds: 0.5 });
  expect(cut.notes.join()).toMatch(
    /unet: the time ended before .* in 1 of its runs \(after \d+ of 100000 steps/,
  );
});

it('takes the rate of the least validation error, lowered for the longer run', {
  timeout: 300_000,
}, async () => {
  const out = join(folder, 'rated');
  const { notes } = await benchmark({
    ...{ dataset, out, models: 'unet', patch: 64, threads: 2 },
    ...{ chooseLearningRate: true, timeBudgetSeconds: 6 },
  });
  const folderOf = join(out, 'choices', 'test', 'unet');
  const read = async (name: string) => JSON.parse(await readFile(join(folderOf, name), 'utf8'));
  const tried = (await readdir(folderOf)).filter((name) => name.startsWith('rate-'));
  expect(tried.length).toBe(3);
  const errors = await Promise.all(
    tried.map(async (name) => {
      const lines = (await readFile(join(folderOf, name, 'history.jsonl'), 'utf8')).trim().split('\n');
      return {
        rate: Number(name.slice(5)),
        mse: Math.min(...lines.map((line) => JSON.parse(line).validation.mse)),
      };
    }),
  );
  const best = errors.reduce((a, b) => (b.mse < a.mse ? b : a));
  const [trial, choice] = await Promise.all([read('trials.json'), read('choice.json')]);
  const [short, long] = [trial, choice].map(({ epochs, stepsPerEpoch }) => epochs * stepsPerEpoch);
  expect(long).toBeGreaterThan(2 * short);
  expect(choice.learningRate).toBe(rateForLonger(best.rate, short, long));
  const byRate = (a: { learningRate: number }, b: { learningRate: number }) =>
    a.learningRate - b.learningRate;
  expect([...choice.trials.tried].sort(byRate)).toEqual(
    errors.map(({ rate, mse }) => ({ learningRate: rate, validationMse: mse })).sort(byRate),
  );
  const atEnd =
    errors.every(({ rate }) => rate >= best.rate) || errors.every(({ rate }) => rate <= best.rate);
  expect(/unet: of the learning rates tried/.test(notes.join())).toBe(atEnd);
  const run = await readRunSettings(join(out, 'runs', 'test', 'unet-seed0'));
  expect(run.learningRate).toBe(choice.learningRate);
});

it('a schedule takes 95% of the time, and at most a tenth of that for validation', () => {
  // 1000 s: 950 s, of which 95 s pay for 9 validations of 10 s, and the last is free; 870 s are left for steps of 2 s.
  expect(scheduleFor(1000, 2, 10)).toEqual({ epochs: 9, stepsPerEpoch: 48 });
  expect(scheduleFor(1000, 2, 0.1)).toEqual({ epochs: 20, stepsPerEpoch: 23 });
  expect(scheduleFor(1000, 2, 500)).toEqual({ epochs: 1, stepsPerEpoch: 475 });
  expect(scheduleFor(1, 2, 5)).toEqual({ epochs: 1, stepsPerEpoch: 1 });
});

it('a learning rate found by short runs is lowered for a longer one, and never raised', () => {
  expect(rateForLonger(0.012, 1000, 6000)).toBeCloseTo(0.00676, 5); // 0.012 * 6^-0.32
  expect(rateForLonger(0.012, 1000, 1000)).toBe(0.012);
  expect(rateForLonger(0.012, 1000, 500)).toBe(0.012);
});
