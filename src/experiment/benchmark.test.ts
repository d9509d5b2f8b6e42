/** A whole benchmark on drawn slides: its table, its intervals, and that finished runs are kept. */
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawBlobs, writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import { benchmarkCommand } from '../contract/benchmark.ts';
import { flagOf } from '../contract/command.ts';
import { evaluateCommand } from '../contract/evaluate.ts';
import { channelOf, createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { readManifest } from '../dataset/manifest.ts';
import { readModelFile } from '../model/model-file.ts';
import { createSlide } from '../slide/create-slide.ts';
import { openSlide } from '../slide/open-slide.ts';
import { smooth } from '../spatial/gaussian.ts';
import { readRunSettings } from '../training/run-folder.ts';
import { benchmark } from './benchmark.ts';
import { machineName } from './benchmark-runs.ts';
import { evaluate } from './evaluate.ts';
import { predict } from './predict.ts';
import { prepare } from './prepare.ts';
import { train } from './train.ts';

let folder: string;
let slides: string[];
let dataset: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-benchmark-'));
  slides = [];
  for (let i = 0; i < 4; i++) slides.push(await drawSlide(i));
  dataset = join(folder, 'dataset');
  await prepare({
    slides,
    test: [slides[3]],
    calibration: [slides[2]],
    validation: ['none'],
    patch: 128,
    out: dataset,
  });
});
afterAll(() => rm(folder, { recursive: true }));

const extent = 192;

/** Vessels as squares, a probe that is three times the smoothed vessel stain plus noise, and a made-up truth. */
async function drawSlide(index: number): Promise<string> {
  const rng = new Rng(index);
  const plane = extent * extent;
  const raster = createRaster(3, extent, extent);
  const [vessel, nuclei, probe] = [0, 1, 2].map((c) => channelOf(raster, c));
  for (let n = 0; n < 14; n++) {
    const [x, y] = [rng.integer(extent - 12), rng.integer(extent - 12)];
    for (let k = 0; k < 144; k++) vessel[(y + Math.floor(k / 12)) * extent + x + (k % 12)] = 150;
  }
  const smoothed = smooth(vessel, extent, extent, 4);
  for (let i = 0; i < plane; i++) {
    probe[i] = 40 + smoothed[i] + rng.normal(0, 2);
    vessel[i] += rng.uniform(10, 30);
    nuclei[i] = (i >> 3) % 3 === 0 ? rng.uniform(80, 120) : rng.uniform(10, 30);
  }
  const path = join(folder, `slide-${index}.ome.tif`);
  const sink = await createSlide(path, {
    width: extent,
    height: extent,
    channels: ['vessel', 'nuclei', 'probe'].map((name) => ({ name, role: name })),
    sampleType: 'uint8',
    pixelSizeUm: 1,
  });
  await sink.write(0, 0, raster);
  await sink.finish();
  const truth = { ceilings: { visible: 0.9, visibleMse: 2 }, pixels: { tissue: 100 } };
  await mkdir(join(folder, `slide-${index}.truth`));
  await writeFile(join(folder, `slide-${index}.truth`, 'truth.json'), JSON.stringify(truth));
  return path;
}

it('takes no folder that holds what others made', async () => {
  const notes = join(folder, 'notes', 'report.html');
  await mkdir(dirname(notes), { recursive: true });
  await writeFile(notes, 'mine');
  const options = { dataset, models: 'constant', out: dirname(notes), threads: 1 };
  await expect(benchmark(options)).rejects.toThrow(/holds other files \(such as 'report.html'\)/);
  expect(await readFile(notes, 'utf8')).toBe('mine');
});

it('compares models on held-out slides and keeps what is finished', { timeout: 300_000 }, async () => {
  const options = {
    dataset,
    out: join(folder, 'out'),
    models: 'linear, constant, linear@nuclei, linear@vessel, linear%vessel',
    seeds: 2,
    threads: 2,
  };
  const first = await benchmark(options);
  expect(benchmarkCommand.result.parse(first)).toEqual(first);
  const { linear, constant, 'linear@nuclei': blind, 'linear@vessel': seeing } = first.models;
  const turned = first.models['linear%vessel'];
  expect(linear.r2).toBeGreaterThan(0.5);
  // A fit does not depend on the seed.
  expect(linear.runs).toBe(1);
  expect(blind.r2).toBeLessThan(0.1);
  expect(seeing.r2).toBeGreaterThan(0.5);
  expect(turned.r2).toBeLessThan(0.1);
  expect(linear.mse).toBeLessThan(constant.mse);
  expect(first.ceiling?.mse).toBe(2);
  expect(linear.excessMse).toBeCloseTo(linear.mse - (first.ceiling?.mse ?? 0), 6);
  expect(constant.r2).toBeLessThan(0.01);
  const { predicted, measured } = linear.vesselGradient;
  expect(predicted.mean / measured.mean).toBeGreaterThan(0.6);
  expect(predicted.mean / measured.mean).toBeLessThan(1.4);
  expect(measured.low).toBeGreaterThan(0);
  expect(constant.vesselGradient.predicted.mean).toBeCloseTo(0, 5);
  expect(first.notes.join()).toMatch(
    /measured probe is brighter beside vessels .* Models that say it is, by 0.1 or more: linear,/,
  );
  expect(linear.coverage).toBeGreaterThan(0.3);
  expect(first.differences.map(({ against, better }) => [against, better])).toEqual([
    ['constant', 1],
    ['linear@nuclei', 1],
    ['linear@vessel', expect.any(Number)],
    ['linear%vessel', 1],
  ]);

  expect(first.notes.join()).toMatch(/linear: The 90% interval is within-cohort: .* 1 slide, and at least 9/);

  const model = join(options.out, 'runs', 'test', 'linear-seed0', 'best.onnx');
  const written = (await stat(model)).mtimeMs;
  const again = await benchmark({ ...options, models: 'linear,distance', randomPatches: true });
  expect((await stat(model)).mtimeMs).toBe(written);
  expect(again.models.linear).toEqual(linear);
  for (const [models, message] of [
    ['linear@vessel%nuclei', /linear@vessel reads vessel, so that turning 'nuclei' would change nothing/],
    ['distance%nuclei', /distance reads vessel, so/],
    ['linear%nuclei%vessel', /expected NAME\[:standard\]\[@ROLE/],
    ['hrpn@vessel@vessel', /each role once/],
  ] as const) {
    await expect(benchmark({ ...options, models })).rejects.toThrow(message);
  }
  await expect(
    benchmark({ ...options, out: join(folder, 'started'), models: 'linear', from: model }),
  ).rejects.toThrow(
    /--from .*best.onnx: expected a network that sees all inputs among --models .* found linear/,
  );
  await expect(benchmark({ ...options, timeBudgetSeconds: 5 })).rejects.toThrow(
    /holds runs with --time-budget 1800, not 5/,
  );
  expect(JSON.parse(await readFile(join(options.out, 'benchmark.json'), 'utf8')).models.distance.runs).toBe(
    1,
  );
  expect(await readFile(join(options.out, 'report.html'), 'utf8')).toContain('<th scope="row">distance</th>');

  // Elsewhere it goes on from the records alone.
  const elsewhere = join(folder, 'elsewhere');
  for (const file of ['settings.json', join('runs', 'test', 'linear-seed0', 'scores.json')]) {
    const text = await readFile(join(options.out, file), 'utf8');
    await mkdir(dirname(join(elsewhere, file)), { recursive: true });
    await writeFile(join(elsewhere, file), text.replace(machineName(), 'Another Processor'));
  }
  const carried = await benchmark({ ...options, out: elsewhere, models: 'linear,constant' });
  expect(carried.models.linear).toEqual(linear);
  expect(await readdir(join(elsewhere, 'runs', 'test', 'linear-seed0'))).toEqual(['scores.json']);
  expect(carried.machine).toMatch(/^Another Processor and .+, 2 threads$/);

  // Four windows of four slides overlap by 64 px; one slide's share of them, and those of all others, were drawn.
  const scattered = again.models['linear, random patches'];
  expect(scattered.runs).toBe(1);
  expect(scattered.r2).toBeGreaterThan(0.5);
  expect(scattered.mse).not.toBe(linear.mse);
  expect(again.folds.map(({ test }) => test)).toEqual([['slide-3']]);
  expect(again.differences.map(({ against }) => against)).toEqual(['distance']);
  expect(again.notes.join()).toMatch(
    /windows of 128 px .* overlap by up to 64 px; .* R2, a mean over slides, is then linear 0\.\d+ instead of 0\.\d+; distance/,
  );
  const dealt = await readManifest(join(options.out, 'folds', 'random-patches', 'dataset'));
  expect(dealt.windows.test.length).toBe(4);
  expect(new Set(dealt.windows.test.map(([slide]) => slide)).size).toBeGreaterThan(1);

  // One calibration slide is too few for any level, and the prediction says so.
  const into = { model, slide: slides[3], threads: 2 };
  const half = await predict({ ...into, out: join(folder, 'half.ome.tif'), interval: 0.5 });
  expect(half.notes.join()).toMatch(/50% interval is within-cohort: .* 1 slide, and at least 2/);
  const wide = await predict({ ...into, out: join(folder, 'wide.ome.tif'), interval: 0.9 });
  expect(wide.notes.join()).toMatch(/90% interval is within-cohort: .* 1 slide, and at least 9/);
  await expect(predict({ ...into, out: join(folder, 'odd.ome.tif'), interval: 0.77 })).rejects.toThrow(
    /has intervals of 0.5, 0.8, 0.9, 0.95/,
  );
});

it('a network gets quantile heads, whose intervals predict writes and evaluate scores, derived measures on their own', {
  timeout: 300_000,
}, async () => {
  const run = join(folder, 'run');
  await train({
    dataset,
    out: run,
    epochs: 1,
    patch: 64,
    threads: 2,
    balance: true,
    loss: 'huber',
    turns: '2',
  });
  // What decides the result is recorded, and a resumed run takes nothing else.
  expect(await readRunSettings(run)).toMatchObject({
    balance: true,
    loss: 'huber',
    augment: 'flips,focus=0.5',
    turns: 2,
  });
  for (const other of [
    { augment: 'none' },
    { loss: 'mse' },
    { schedule: 'constant' },
    { averageDecay: 0 },
    { turns: '1' },
  ] as const) {
    const [key] = Object.keys(other);
    await expect(train({ dataset, out: run, resume: true, ...other })).rejects.toThrow(
      new RegExp(`the run in .* has ${flagOf(key)} `),
    );
  }
  await expect(train({ dataset, out: run, resume: true, augment: 'flip' })).rejects.toThrow(
    /--augment: expected/,
  );
  // Slides that the start was trained on are held out in other folds.
  await expect(
    benchmark({
      ...{ dataset, out: join(folder, 'leaking'), models: 'hrpn', patch: 64 },
      ...{ leaveOneOut: true, from: join(run, 'best.onnx') },
    }),
  ).rejects.toThrow(/trained on slides of this dataset, which --leave-one-out holds out/);
  const fresh = { dataset, out: join(folder, 'fresh') };
  await expect(train({ ...fresh, model: 'linear', balance: true })).rejects.toThrow(/takes no --balance/);
  await expect(train({ ...fresh, model: 'ganda', patch: 64, loss: 'mse' })).rejects.toThrow(
    /losses of its own/,
  );
  const model = join(run, 'best.onnx');
  const { manifest } = await readModelFile(model);
  expect(manifest.turns).toBe(2);
  expect(manifest.intervals?.every(({ scaled }) => scaled)).toBe(true);

  const slide = slides[3];
  const read = async (name: string, interval?: number) => {
    const out = join(folder, `${name}.ome.tif`);
    await predict({ model, slide, out, threads: 2, interval });
    const source = await openSlide(out);
    const region = { x: 0, y: 0, width: extent, height: extent };
    const raster = await source.read(
      region,
      source.channels.map((_, c) => c),
    );
    await source.close();
    return raster;
  };
  const [plain, wide] = [await read('plain'), await read('heads', 0.9)];
  expect([plain.channels, wide.channels]).toEqual([1, 3]);
  expect(channelOf(wide, 0)).toEqual(plain.data);
  // Pixels that share a predicted value do not share a width.
  const [probe, lower, upper] = [0, 1, 2].map((c) => channelOf(wide, c));
  const middle = probe.slice().sort()[probe.length >> 1];
  const widths = [...probe.keys()].filter((i) => Math.abs(probe[i] - middle) < 0.02);
  const spans = widths.map((i) => upper[i] - lower[i]).sort((a, b) => a - b);
  expect(spans[0]).toBeGreaterThan(0);
  expect(spans.at(-1)).toBeGreaterThan(1.01 * spans[0]);

  const scored = await evaluate({ model, dataset, threads: 2, out: join(folder, 'scored') });
  expect(evaluateCommand.result.parse(scored)).toEqual(scored);
  const { coverage, derivedCoverage, perSlide } = scored;
  const inside = [...probe.keys()].map((i) => upper[i] - lower[i]);
  expect(coverage?.meanWidth).toBeCloseTo(inside.reduce((a, b) => a + b, 0) / inside.length, 0);
  expect(derivedCoverage?.meanUm).toMatchObject({
    nominal: 0.9,
    slides: 1,
    basis: 'within-cohort',
    scored: 1,
  });
  const report = await readFile(join(folder, 'scored', 'report.html'), 'utf8');
  const share = `${(100 * (coverage?.byPredictedDecile[9].coverage ?? Number.NaN)).toFixed(1)}%`;
  expect(report).toMatch(
    new RegExp(`tenth 10 of the predicted values.*?<td>90.0%</td>\\s*<td>${share}</td>`, 's'),
  );
  const { predicted, low, high } = perSlide[0].derived.meanUm;
  expect((low ?? 0) + (high ?? 0)).toBeCloseTo(2 * predicted, 6);
  expect(perSlide[0].derived).toHaveProperty('share of vessel');
});

it('names what it cannot compare before it trains anything', async () => {
  const out = join(folder, 'none');
  await expect(benchmark({ out })).rejects.toThrow(/either a DATASET .* or --preset/);
  await expect(benchmark({ dataset, out, models: 'hrpm' })).rejects.toThrow(/Unknown model 'hrpm'/);
  await expect(benchmark({ dataset, out, models: 'hrpn@fap' })).rejects.toThrow(/not 'fap'/);
  await expect(benchmark({ dataset, out, models: 'linear, linear' })).rejects.toThrow(/linear twice/);
  await expect(benchmark({ dataset, out, models: 'linear, distance@nuclei' })).rejects.toThrow(
    /distance@nuclei: distance needs the role 'vessel', which it does not see/,
  );
  await expect(benchmark({ dataset, out: join(folder, 'given'), slides: 3 })).rejects.toThrow(
    /--slides goes with --preset/,
  );
  const given = { preset: 'tiny', out: join(folder, 'given') } as const;
  await expect(benchmark({ ...given, slides: 4, calibrationSlides: 2 })).rejects.toThrow(
    /--calibration-slides 2 of 4 slides leaves fewer than 3/,
  );
  const odd = join(folder, 'odd');
  await prepare({ slides, test: [slides[3]], validation: ['none'], patch: 96, out: odd });
  await expect(benchmark({ dataset: odd, out, models: 'linear,hrpn,ganda' })).rejects.toThrow(
    /--patch: expected a multiple of 64 for ganda, found 96/,
  );
  // One of fixed tiles has a patch of its own, and is no reason to refuse.
  await expect(
    benchmark({ dataset, out, models: 'hrpn-published,unet', from: join(folder, 'none.onnx') }),
  ).rejects.toThrow(/Expected a model file/);
  await expect(benchmark({ dataset, out, models: 'hrpn', from: join(folder, 'none.onnx') })).rejects.toThrow(
    /Expected a model file .*none.onnx/,
  );
  await expect(access(out)).rejects.toThrow();
  const older = join(folder, 'older');
  await mkdir(older);
  await writeFile(join(older, 'settings.json'), JSON.stringify({ preset: null, threads: 2 }));
  await expect(benchmark({ dataset, out: older, models: 'linear' })).rejects.toThrow(
    /holds runs of a version of hrpn with other recipes or learning rates/,
  );
  const unvalidated = benchmark({
    ...{ dataset, out: join(folder, 'chosen') },
    ...{ models: 'unet', chooseLearningRate: true },
  });
  await expect(unvalidated).rejects.toThrow(/goes by the validation error, and .* has no validation slides/);
});

it('scores no model on other slides than the rest, and gives the others their rows where one diverges', {
  timeout: 300_000,
}, async () => {
  const faint = await Promise.all(
    [0, 1, 2].map((seed) =>
      writeDrawnSlide(join(folder, `faint-${seed}.ome.tif`), {
        seed,
        draw: (channel, width, height, rng) =>
          seed === 0 && channel === 1
            ? Uint8Array.from({ length: width * height }, () => 40 + rng.integer(20))
            : drawBlobs(channel, width, height, rng),
      }),
    ),
  );
  const own = join(folder, 'faint');
  await prepare({ slides: faint, test: [faint[2]], validation: ['none'], patch: 64, out: own });
  const options = { dataset: own, out: join(folder, 'uneven'), patch: 64, threads: 2 };
  await expect(benchmark({ ...options, models: 'constant,constant@nuclei' })).rejects.toThrow(
    /faint-0.* cannot be used by a model that sees nuclei only: .* Rows must be on the same slides/,
  );

  const unnamed = await Promise.all(
    [4, 5].map((seed) =>
      writeDrawnSlide(join(folder, `unnamed-${seed}.ome.tif`), { seed, channels: ['X', 'DAPI', 'dextran'] }),
    ),
  );
  const blind = join(folder, 'blind');
  const split = { test: [unnamed[1]], validation: ['none'] };
  await prepare({ slides: unnamed, ...split, inputs: ['nuclei'], patch: 64, out: blind });
  const seen = await benchmark({
    ...options,
    dataset: blind,
    out: join(folder, 'unseen'),
    models: 'constant',
  });
  expect(seen.notes.join()).toMatch(
    /No vessel channel is known on unnamed-4, unnamed-5: all tissue there counts/,
  );

  const choice = join(options.out, 'choices', 'test', 'unet', 'choice.json');
  await mkdir(dirname(choice), { recursive: true });
  await writeFile(choice, JSON.stringify({ learningRate: 1e30, epochs: 1, stepsPerEpoch: 8 }));
  const { models, notes } = await benchmark({ ...options, models: 'unet,constant' });
  expect(Object.keys(models)).toEqual(['constant']);
  expect(notes.join()).toMatch(/unet, test, seed 0 has no result: training diverged/);
});
