/** A run that was interrupted and resumed ends with the same weights as one that was not. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CancelledError } from '../core/errors.ts';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { BlockCache } from '../dataset/block-cache.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { relu } from '../engine/ops/relu.ts';
import { adamW } from '../engine/optimisers.ts';
import { readModelFile } from '../model/model-file.ts';
import type { NetworkFunction } from '../model/network.ts';
import { findModel } from '../model/registry.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { learningRateAt, recipeOf } from './recipes.ts';
import { type TrainingTask, trainNetwork } from './trainer.ts';

const [patch, extent] = [32, 96];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-train-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Two slides of random squares whose probe follows the vessels. */
function dataset(): Dataset {
  const maps = { vessel: { offset: 0, scale: 2 }, nuclei: { offset: 0, scale: 2 } };
  const mask = {
    cellPx: 8,
    cellsWide: extent / 8,
    cellsHigh: extent / 8,
    cells: new Uint8Array((extent / 8) ** 2).fill(1),
  };
  const slides = ['train', 'validation'].map((split, index) => {
    const rng = new Rng(index);
    const raster = createRaster(3, extent, extent);
    const plane = extent * extent;
    for (let i = 0; i < plane; i++) {
      const square = i - (i % 8) - (Math.floor(i / extent) % 8) * extent;
      raster.data[i] = square === i ? rng.uniform(0, 2) : raster.data[square];
      raster.data[plane + i] = rng.uniform(0, 2);
      raster.data[2 * plane + i] = 5.6 + 1.4 * raster.data[i];
    }
    return {
      entry: { name: split, split, width: extent, height: extent },
      source: memorySource({ raster, channelNames: ['v', 'n', 'p'] }),
      mask,
      inputChannels: [0, 1],
      targetChannel: 2,
      inputMaps: [maps.vessel, maps.nuclei],
      focus: [0, 0],
    };
  });
  const windows = (slide: number) => [0, 32, 64].flatMap((y) => [0, 32, 64].map((x) => [slide, x, y, 1, 7]));
  return {
    folder: 'memory',
    manifest: {
      patch,
      pixelSizeUm: 0.5,
      minTissue: 0.1,
      overlap: 0,
      inputRoles: ['vessel', 'nuclei'],
      targetRole: 'probe',
      targetMap: { offset: 7, scale: 0.8 },
      sharedMaps: null,
      reaches: { vessel: 1, nuclei: 1 },
      spectra: { vessel: null, nuclei: null },
      splitBy: 'slide',
      slides: slides.map(({ entry }) => entry),
      windows: { train: windows(0), validation: windows(1), calibration: [], test: [] },
    },
    slides,
    cache: new BlockCache(2 ** 24),
    close: async () => {},
  } as unknown as Dataset;
}

async function task(name: string, model = 'hrpn'): Promise<TrainingTask> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  return {
    model: findModel(model),
    recipe: recipeOf(model),
    dataset: dataset(),
    settings: {
      model, dataset: 'd', from: null, seed: 3, epochs: 3, stepsPerEpoch: 4, batch: 2, microBatch: null, memory: null, patch, learningRate: 2e-3, stopAfter: null, recipe: 'own',
      schedule: 'cosine', averageDecay: 0.99, augment: 'flips', balance: false, loss: 'mse', turns: 1, device: 'cpu',
    }, // biome-ignore format: settings
    folder: path,
    threads: 2,
    writtenBy: 'test',
  };
}

describe('trainNetwork', () => {
  it('ends with the same weights when interrupted at any step', async () => {
    const whole = await task('whole');
    const outcome = await trainNetwork(whole);
    expect(outcome).toMatchObject({ steps: 12, stoppedBecause: 'schedule done' });

    const parts = await task('parts');
    for (const stopAt of [3, 8, 9]) {
      const controller = new AbortController();
      const onProgress = ({ done }: { done: number }): void => {
        if (done === stopAt) controller.abort();
      };
      await expect(trainNetwork(parts, { signal: controller.signal, onProgress })).rejects.toThrow(
        CancelledError,
      );
    }
    const resumed = await trainNetwork(parts);
    const withoutTime = (o: typeof outcome) => o.history.map(({ seconds: _, ...rest }) => rest);
    expect(withoutTime(resumed)).toEqual(withoutTime(outcome));
    const [a, b] = await Promise.all(
      [whole, parts].map(({ folder: run }) => readCheckpoint(join(run, 'last.safetensors'))),
    );
    expect(a.vectors.size).toBe(6);
    for (const [name, vector] of a.vectors) expect(b.vectors.get(name), name).toEqual(vector);
    const models = await Promise.all(
      [whole, parts].map(({ folder: run }) => readFile(join(run, 'best.onnx'))),
    );
    expect(models[0].equals(models[1])).toBe(true);

    const withAdam = { ...parts, recipe: { ...parts.recipe, optimiser: adamW() } };
    await expect(trainNetwork(withAdam)).rejects.toThrow(/another version's training: .*muon\.m \(\d+\)/);
  });

  it('takes the same steps in micro-batches, interrupted or not', async () => {
    const network: NetworkFunction = (b, input) => {
      const x = b.channelDropout(relu(b.graph, b.conv(input, 'first', { out: 8 })), 'dropout', 0.3);
      return b.conv(x, 'second', { out: 1 });
    };
    const runs: TrainingTask[] = [];
    for (const [name, microBatch] of [['at-once', null], ['twos', 2], ['ones', 1]] as const) {
      const plain = await task(name);
      // Clipped, so that a part clipped on its own would show.
      const recipe = { ...plain.recipe, clipNorm: 0.1 };
      const settings = { ...plain.settings, epochs: 1, batch: 4, microBatch };
      runs.push({ ...plain, model: { ...plain.model, network }, recipe, settings });
    } // biome-ignore format: pairs
    const [atOnce] = await Promise.all(runs.slice(0, 2).map((run) => trainNetwork(run)));
    const controller = new AbortController();
    const stop = { signal: controller.signal, onProgress: () => controller.abort() };
    await expect(trainNetwork(runs[2], stop)).rejects.toThrow(CancelledError);
    const resumed = await trainNetwork(runs[2]);
    expect(resumed.history[0].trainLoss / atOnce.history[0].trainLoss).toBeCloseTo(1, 5);
    const vectors = await Promise.all(
      runs.map(async (run) => (await readCheckpoint(join(run.folder, 'last.safetensors'))).vectors),
    );
    for (const [name, expected] of vectors[0]) {
      const largest = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      for (const found of vectors.slice(1)) {
        const off = expected.map((v, i) => Math.abs(v - found.get(name)![i]));
        expect(Math.max(...off), name).toBeLessThan(1e-5 * largest);
      }
    }
    expect(vectors[1].get('gradientSum')!.every((v) => v === 0)).toBe(true);
    const { settings } = runs[2];
    await expect(trainNetwork({ ...runs[2], settings: { ...settings, memory: 1e-3 } })).rejects.toThrow(
      /needs at least 1 MB for its activations/,
    );
  });

  it('a time budget stops it without changing the schedule; the model file says what it is', async () => {
    const short = { ...(await task('short')), timeBudgetSeconds: 1e-3 };
    const outcome = await trainNetwork(short);
    expect(outcome).toMatchObject({ steps: 1, stoppedBecause: 'time budget', best: { epoch: 1, step: 1 } });
    // Opened again, it has no time for another step.
    expect(await trainNetwork(short)).toMatchObject({ steps: 1, stoppedBecause: 'time budget' });
    // Gone on, it is the run that was never stopped, with one look at its errors more.
    const resumed = await trainNetwork({ ...short, timeBudgetSeconds: undefined });
    const whole = await trainNetwork(await task('never-stopped'));
    const withoutTime = (o: typeof outcome) => o.history.map(({ seconds: _, ...rest }) => rest);
    expect(withoutTime(resumed).slice(1)).toEqual(withoutTime(whole));
    expect(resumed.steps).toBe(12);
    const { manifest } = await readModelFile(join(short.folder, 'best.onnx'));
    expect(manifest).toMatchObject({
      model: 'hrpn',
      roles: ['vessel', 'nuclei'],
      inputMaps: { reaches: [1, 1], spectra: [null, null] },
      targetMap: { offset: 7, scale: 0.8 },
      halo: 144,
      stride: 16,
    });
  });

  it('a time budget that ends in a validation leaves no time for another step, nor is the pace lost', async () => {
    const given = await task('budget-in-validation');
    let reads = 0;
    // The start, three readings a step, and that before the validation come before it; it takes a hundred seconds.
    const before = 1 + 3 * given.settings.stepsPerEpoch + 1;
    const clock = (): number => (reads++ < before ? reads : reads + 100);
    const outcome = await trainNetwork({ ...given, clock, timeBudgetSeconds: 50 });
    expect(outcome).toMatchObject({ steps: given.settings.stepsPerEpoch, stoppedBecause: 'time budget' });
    expect(outcome.seconds).toBeGreaterThan(100);
    const again = await trainNetwork({ ...given, timeBudgetSeconds: 50 });
    expect(again.secondsPerPatch).toBe(outcome.secondsPerPatch);
    expect(again.secondsPerPatch).toBeGreaterThan(0);
  });

  it('is interrupted right before it validates, and goes on', async () => {
    const given = await task('before-validation');
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done === 4) controller.abort();
    };
    await expect(trainNetwork(given, { signal: controller.signal, onProgress })).rejects.toThrow(
      CancelledError,
    );
    const outcome = await trainNetwork(given);
    const steps = outcome.history.map(({ step }) => step);
    expect(steps).toEqual([4, 8, 12]);
  });

  it('stops where the loss is no number, and keeps what was good', async () => {
    const wild = await task('wild');
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done === 5) controller.abort();
    };
    const stop = { signal: controller.signal, onProgress };
    await expect(trainNetwork(wild, stop)).rejects.toThrow(CancelledError);
    const best = await readFile(join(wild.folder, 'best.onnx'));
    const { settings } = wild;
    const diverging = { ...settings, learningRate: Number.NaN, schedule: 'constant' as const };
    await expect(trainNetwork({ ...wild, settings: diverging })).rejects.toThrow(
      /diverged: the loss of step 7 is not a finite number/,
    );
    expect((await readFile(join(wild.folder, 'best.onnx'))).equals(best)).toBe(true);
    expect((await trainNetwork(wild)).steps).toBe(12);
  });

  it('learns what can be learnt, and starts from a trained model', async () => {
    const first = await task('first');
    const { history } = await trainNetwork({
      ...first,
      settings: { ...first.settings, epochs: 12, learningRate: 0.01 },
    });
    expect(history.at(-1)!.validation!.r2).toBeGreaterThan(0.5);
    const { path, tensors } = await readModelFile(join(folder, 'first', 'best.onnx'));
    const still = await task('still');
    await trainNetwork({
      ...still,
      settings: { ...still.settings, learningRate: 0 },
      initial: { path, tensors },
    });
    const after = (await readModelFile(join(folder, 'still', 'best.onnx'))).tensors;
    for (const [name, values] of tensors) {
      if (!/mean|variance/.test(name)) expect(after.get(name), name).toEqual(values);
    }
  });
});

it('a checkpoint comes back as it was, and a damaged one is refused', async () => {
  const path = join(folder, 'c.safetensors');
  const vectors = new Map([['a', Float32Array.of(1, -0, 3e-40)], ['b', new Float32Array(0)]]); // biome-ignore format: short
  await writeCheckpoint(path, { state: { step: 3, text: 'µ' }, vectors });
  expect(await readCheckpoint(path)).toEqual({ state: { step: 3, text: 'µ' }, vectors });
  await writeFile(path, (await readFile(path)).subarray(0, -4));
  await expect(readCheckpoint(path)).rejects.toThrow(/not a whole checkpoint/);
});

it('the learning rate warms up, then falls to 0 along half a cosine', () => {
  const recipe = { schedule: 'cosine', warmUpSteps: 10 } as const;
  expect(learningRateAt(recipe, 2, 0, 110)).toBeCloseTo(0.2);
  expect(learningRateAt(recipe, 2, 9, 110)).toBe(2);
  expect(learningRateAt(recipe, 2, 60, 110)).toBeCloseTo(1);
  expect(learningRateAt(recipe, 2, 110, 110)).toBeCloseTo(0);
});
