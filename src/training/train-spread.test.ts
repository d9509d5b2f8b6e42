/** Quantile heads find quantiles of errors that only the inputs tell apart, and leave the prediction as it is. */
import { expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { BlockCache } from '../dataset/block-cache.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { gradients } from '../engine/autodiff.ts';
import { Graph } from '../engine/graph.ts';
import { createGraphSession, createModelSession } from '../engine/graph-session.ts';
import { reduceSum } from '../engine/ops/sum-expand.ts';
import { constant } from '../model/baselines/constant.ts';
import { encodeModelFile, parseModelFile } from '../model/model-file.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { pinball, trainSpread } from './train-spread.ts';

const [patch, extent, cell] = [64, 256, 32];
const targetMap = { offset: 7, scale: 0.8 };

/** One slide of dark and bright squares; where it is bright, the target is ten times as uncertain, and skewed. */
function slide() {
  const rng = new Rng(4);
  const raster = createRaster(2, extent, extent);
  const plane = extent * extent;
  for (let i = 0; i < plane; i++) {
    const isBright = (Math.floor((i % extent) / cell) + Math.floor(i / extent / cell)) % 2;
    raster.data[i] = 300 * isBright;
    raster.data[plane + i] = targetMap.offset + (isBright ? rng.uniform(-2, 8) : rng.uniform(-0.5, 0.5));
  }
  return raster;
}

function dataset(): Dataset {
  const cells = new Uint8Array((extent / 8) ** 2).fill(1);
  const starts = [0, 64, 128, 192];
  return {
    folder: 'memory',
    manifest: {
      patch,
      pixelSizeUm: 0.5,
      minTissue: 0.1,
      overlap: 0,
      inputRoles: ['vessel'],
      targetRole: 'probe',
      targetMap,
      slides: [{ split: 'train' }],
      windows: { train: starts.flatMap((y) => starts.map((x) => [0, x, y, 1, 7])) },
    },
    slides: [
      {
        entry: { name: 'a', split: 'train', width: extent, height: extent },
        source: memorySource({ raster: slide(), channelNames: ['v', 'p'] }),
        mask: { cellPx: 8, cellsWide: extent / 8, cellsHigh: extent / 8, cells },
        inputChannels: [0],
        targetChannel: 1,
        inputMaps: [{ offset: 20, scale: 50 }],
        focus: [0],
      },
    ],
    cache: new BlockCache(2 ** 24),
    close: async () => {},
  } as unknown as Dataset;
}

it('recovers quantiles that depend on the inputs alone, the same for the same seed', async () => {
  const model = { name: 'toy', network: constant, stride: 16, normalized: true };
  const tensors = new Map([
    ['constant.weight', new Float32Array(1)],
    ['constant.bias', new Float32Array(1)],
  ]);
  const bytes = encodeModelFile(model, tensors, {
    writtenBy: 'test',
    roles: ['vessel'],
    targetRole: 'probe',
    pixelSizeUm: 0.5,
    inputMaps: { reaches: [1, 1], spectra: [null, null] },
    targetMap,
    training: { dataset: '', splitBy: 'slide', slides: 1, seed: 0, steps: 0, epoch: 0 },
  });
  const file = parseModelFile(bytes, 'toy');
  const task = { model, file, dataset: dataset(), patch, steps: 250, seed: 1, threads: 2 };
  const trained = await trainSpread(task);
  expect(await trainSpread({ ...task, steps: 2 })).toEqual(await trainSpread({ ...task, steps: 2 }));
  expect(parseModelFile(trained, 'toy').manifest.spread).toBe(true);

  const raster = slide();
  const feeds = () => ({
    pixels: { data: raster.data.slice(0, extent * extent), shape: [1, 1, extent, extent] },
    offset: { data: Float32Array.of(20), shape: [1] },
    scale: { data: Float32Array.of(50), shape: [1] },
  });
  const outputsOf = async (model: Uint8Array, outputs: string[]) => {
    const session = await createModelSession(model, { threads: 1, outputs });
    const found = await session.run(feeds());
    await session.close();
    return found;
  };
  const { probe, spread } = await outputsOf(trained, ['probe', 'spread']);
  const alone = await outputsOf(trained, ['probe']);
  expect(Object.keys(alone)).toEqual(['probe']);
  expect(alone.probe.data).toEqual((await outputsOf(bytes, ['probe'])).probe.data);
  expect(probe.data).toEqual(alone.probe.data);

  // Means over the pixels of each kind; the quantiles are 5 and 95% of the uniform distributions above.
  const sums = { dark: [0, 0, 0], bright: [0, 0, 0] };
  for (let i = 0; i < extent * extent; i++) {
    const of = raster.data[i] > 0 ? sums.bright : sums.dark;
    of[0]++;
    of[1] += Number(spread.data[i]);
    of[2] += Number(spread.data[extent * extent + i]);
  }
  const [dark, bright] = [sums.dark, sums.bright].map(([n, below, above]) => [below / n, above / n]);
  expect(dark[0]).toBeGreaterThan(0.4);
  expect(dark[0]).toBeLessThan(0.6);
  expect(dark[1]).toBeGreaterThan(0.4);
  expect(dark[1]).toBeLessThan(0.6);
  expect(bright[0]).toBeGreaterThan(1.2);
  expect(bright[0]).toBeLessThan(1.8);
  expect(bright[1]).toBeGreaterThan(6.8);
  expect(bright[1]).toBeLessThan(8.2);
});

it('the slope of the pinball loss is the share of errors below the quantile less the level', async () => {
  const graph = new Graph();
  const error = graph.input('error', [5]);
  const quantile = graph.input('quantile', [5]);
  const loss = reduceSum(graph, pinball(graph, error, quantile, 0.9));
  graph.output('loss', loss);
  graph.output('slope', gradients(graph, loss, [quantile])[0]!);
  const session = await createGraphSession(graph, { threads: 1 });
  const result = await session.run({
    error: { data: Float32Array.of(-2, 0, 1, 3, 10), shape: [5] },
    quantile: { data: Float32Array.of(2, 2, 2, 2, 2), shape: [5] },
  });
  await session.close();
  expect(Number(result.loss.data[0])).toBeCloseTo(0.1 * (4 + 2 + 1) + 0.9 * (1 + 8), 5);
  [0.1, 0.1, 0.1, -0.9, -0.9].forEach((slope, i) => {
    expect(Number(result.slope.data[i])).toBeCloseTo(slope, 6);
  });
});
