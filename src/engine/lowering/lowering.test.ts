/** The lowered graph against the plain one: single layers in odd sizes, and whole training steps of every network. */
import { describe, expect, it } from 'vitest';
import { noise } from '../../../fixtures/noise.ts';
import { layoutOf, PredictionBuilder } from '../../model/network.ts';
import { findModel, networkNames } from '../../model/registry.ts';
import { buildAdversarialStepGraph } from '../../training/adversarial-step-graph.ts';
import { recipeOf } from '../../training/recipes.ts';
import { buildStepGraph } from '../../training/step-graph.ts';
import { initialVector, namedTensors } from '../../training/tensors.ts';
import { gradients } from '../autodiff.ts';
import { Graph, sizeOf, type Value } from '../graph.ts';
import { createModelSession } from '../graph-session.ts';
import { encodeModel } from '../onnx/encode.ts';
import { add } from '../ops/add.ts';
import { averagePool, resizeNearest } from '../ops/average-pool.ts';
import { batchNormalization } from '../ops/batch-normalization.ts';
import { concat } from '../ops/concat.ts';
import { conv } from '../ops/convolution.ts';
import { mul } from '../ops/mul.ts';
import { relu } from '../ops/relu.ts';
import { type CornerConvention, resizeBilinear } from '../ops/resize-bilinear.ts';
import { reduceSum } from '../ops/sum-expand.ts';
import { createSession, type Session, type TensorData } from '../session.ts';
import { toBlocked } from './blocked-ops.ts';
import { channelDots, channelMeans } from './blocked-sums.ts';
import { lowerToBlocked } from './lower-to-blocked.ts';
import { probeBlock } from './probe-block.ts';

const block = await probeBlock();
const width = block ?? 16;
const why =
  block === undefined ? ' (skipped: this CPU has no blocked kernels, the plain path is the only one)' : '';

async function run(session: Session, feeds: Record<string, TensorData>): Promise<Record<string, TensorData>> {
  // Sessions take the buffers they are fed; each gets copies.
  return session.run(
    Object.fromEntries(
      Object.entries(feeds).map(([k, { data, shape }]) => [k, { data: data.slice(), shape }]),
    ),
  );
}

/** Largest difference, relative to the largest number of the reference. */
function gap(actual: TensorData, reference: TensorData): number {
  let largest = 0;
  let off = 0;
  for (let i = 0; i < reference.data.length; i++) {
    const expected = Number(reference.data[i]);
    largest = Math.max(largest, Math.abs(expected));
    const difference = Math.abs(Number(actual.data[i]) - expected);
    off = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(off, difference);
  }
  return off / largest;
}

/** Builds y from x and parameters, adds all gradients, and compares every output of both forms. */
async function expectSame(
  graph: Graph,
  y: Value,
  wrt: Value[],
  allowed = 2e-5,
): Promise<Record<string, TensorData>> {
  const direction = graph.constant(noise(99, y.shape, 1), y.shape);
  gradients(graph, reduceSum(graph, mul(graph, y, direction)), wrt).forEach((gradient, i) => {
    graph.output(`gradient${i}`, gradient!);
  });
  graph.output('y', y);
  const feeds = Object.fromEntries(
    [...graph.inputs].map(([name, { shape }], i) => [name, { data: noise(i, shape, 1), shape }]),
  );
  const lowered = lowerToBlocked(graph, width);
  expect(lowered.nodes.some(({ op }) => op.domain === 'com.microsoft.nchwc')).toBe(true);
  const sessions = await Promise.all([
    createSession(encodeModel(graph), { threads: 1 }),
    createSession(encodeModel(lowered), { threads: 1, optimization: 'extended' }),
  ]);
  const [reference, actual] = await Promise.all(sessions.map((session) => run(session, feeds)));
  await Promise.all(sessions.map((session) => session.close()));
  for (const name of Object.keys(reference)) {
    expect(gap(actual[name], reference[name]), name).toBeLessThan(allowed);
  }
  return actual;
}

describe.skipIf(block === undefined)(`in blocks of ${block}${why}`, () => {
  it.each([
    { n: 2, c: 18, k: 36, side: 12, kernel: 3, stride: 1 },
    { n: 1, c: 36, k: 18, side: 12, kernel: 3, stride: 2 },
    { n: 2, c: 72, k: 144, side: 6, kernel: 3, stride: 1 },
    { n: 1, c: 270, k: 270, side: 5, kernel: 3, stride: 1 },
    { n: 2, c: 270, k: 1, side: 8, kernel: 1, stride: 1 },
    { n: 2, c: 3, k: 20, side: 10, kernel: 3, stride: 2 },
    { n: 2, c: 20, k: 3, side: 10, kernel: 3, stride: 1 },
    { n: 2, c: 32, k: 16, side: 9, kernel: 4, stride: 2 },
    { n: 2, c: 32, k: 64, side: 8, kernel: 1, stride: 2 },
    // Large enough for several strips, with seams between them.
    { n: 2, c: 16, k: 16, side: 128, kernel: 3, stride: 1 },
    { n: 4, c: 16, k: 16, side: 128, kernel: 3, stride: 1 },
    { n: 3, c: 16, k: 32, side: 128, kernel: 3, stride: 1 },
    { n: 1, c: 32, k: 16, side: 256, kernel: 3, stride: 2 },
    // Batches whose strips do not make up blocks.
    { n: 4, c: 16, k: 16, side: 192, kernel: 3, stride: 1 },
    { n: 5, c: 16, k: 16, side: 96, kernel: 3, stride: 1 },
    { n: 17, c: 16, k: 16, side: 8, kernel: 3, stride: 1 },
  ])('convolves $n images, $c to $k channels, $side px, kernel $kernel, stride $stride', async (given) => {
    const { n, c, k, side, kernel, stride } = given;
    const graph = new Graph();
    const x = graph.input('x', [n, c, side, side]);
    const w = graph.input('w', [k, c, kernel, kernel]);
    const b = graph.input('b', [k]);
    await expectSame(graph, conv(graph, x, w, b, { stride }), [x, w, b]);
  });

  it.each([18, 32])('normalises, adds, resizes and joins %d channels', async (c) => {
    const graph = new Graph();
    const x = graph.input('x', [2, c, 16, 16]);
    const w = graph.input('w', [c, c, 3, 3]);
    const [scale, bias] = [graph.input('scale', [c]), graph.input('bias', [c])];
    const y = conv(graph, x, w);
    const normed = batchNormalization(graph, y, scale, bias);
    graph.output('mean', normed.mean);
    graph.output('variance', normed.variance);
    const block1 = relu(graph, add(graph, normed.y, x));
    const small = conv(graph, averagePool(graph, block1, 2), w);
    const parts = [
      relu(graph, add(graph, block1, resizeNearest(graph, small, 2))),
      mul(graph, block1, graph.input('mask', [2, c, 1, 1])),
      resizeBilinear(graph, small, 2, 'align_corners'),
      resizeBilinear(graph, small, 2, 'half_pixel' as CornerConvention),
    ];
    await expectSame(graph, concat(graph, parts, 1), [x, w, scale, bias], 1e-4);
  });

  it('sums channels in short runs, which keep the digits that batch normalisation needs', async () => {
    const shape = [1, 32, 64, 64];
    const graph = new Graph();
    const { blocked } = toBlocked(graph, graph.input('x', shape), width);
    graph.output('means', channelMeans(graph, blocked, width));
    graph.output('dots', channelDots(graph, blocked, blocked, width));
    const session = await createSession(encodeModel(graph), { threads: 1, optimization: 'extended' });
    // All above zero, so that nothing cancels and rounding is all that is seen.
    const data = noise(3, shape, 1).map((v) => Math.abs(v) + 0.1);
    const { means, dots } = await run(session, { x: { data, shape } });
    await session.close();
    const size = 64 * 64;
    const off = (found: TensorData, expected: (channel: Float32Array) => number): number => {
      const squares = Array.from({ length: 32 }, (_, c) => {
        const reference = expected(data.subarray(c * size, (c + 1) * size));
        return (Number(found.data[c]) / reference - 1) ** 2;
      });
      return Math.sqrt(squares.reduce((a, b) => a + b) / 32);
    };
    const total = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b);
    expect(off(means, (channel) => total(channel) / size)).toBeLessThan(5e-7);
    expect(off(dots, (channel) => total([...channel].map((v) => v * v)))).toBeLessThan(5e-7);
  });

  it.each(networkNames)('%s: three training steps', async (name) => {
    const model = findModel(name);
    const layout = layoutOf(model.network, 2, model.stride);
    const { optimiser, clipNorm } = recipeOf(name);
    const [batch, patch] = [2, 64];
    const options = { network: model.network, layout, optimiser, batch, roles: 2, patch, clipNorm };
    const step = model.adversary
      ? buildAdversarialStepGraph({ ...options, ...model.adversary })
      : buildStepGraph(options);
    const carry = step.carry;
    const sessions = await Promise.all([
      createSession(encodeModel(step.graph), { threads: 1, carry }),
      createSession(encodeModel(lowerToBlocked(step.graph, width)), {
        threads: 1,
        carry,
        optimization: 'extended',
      }),
    ]);
    const state = Object.fromEntries(
      Object.entries(step.stateLengths).map(([key, length]) => {
        const drawn = key === 'parameters' ? layout.parameters : step.drawn?.[key];
        const data = drawn ? initialVector(drawn, 1) : new Float32Array(length);
        return [key, { data, shape: [length] }];
      }),
    );
    for (const session of sessions) await session.setState(state);
    for (let i = 1; i <= 3; i++) {
      const feeds: Record<string, TensorData> = {};
      for (const [key, { shape }] of step.graph.inputs) {
        if (key in step.stateLengths) continue;
        const values: Record<string, number> = { learningRate: 1e-5, step: i, averageDecay: 0.9 };
        const isScalar = sizeOf(shape) === 1;
        const data = isScalar ? Float32Array.of(values[key]) : noise(i * 10 + key.length, shape, 1);
        feeds[key] = { data: key === 'weight' ? data.fill(1) : data, shape };
      }
      const [reference, actual] = await Promise.all(sessions.map((session) => run(session, feeds)));
      for (const key of Object.keys(reference)) {
        expect(gap(actual[key], reference[key]), `${key} of step ${i}`).toBeLessThan(i === 1 ? 2e-3 : 1e-2);
      }
    }
    await Promise.all(sessions.map((session) => session.close()));
  });

  it.each(networkNames)('%s: prediction, at an extent the file does not fix', async (name) => {
    const { network, stride } = findModel(name);
    const layout = layoutOf(network, 2, stride);
    const graph = new Graph();
    const statistics = initialVector(layout.statistics, 1).map((v, i) => v + 0.3 * Math.sin(i));
    const tensors = namedTensors(layout, initialVector(layout.parameters, 1), statistics);
    const pixels = graph.input('pixels', [1, 2, 64, 64]);
    graph.output('probe', network(new PredictionBuilder(graph, tensors), pixels));
    const open = (channels: number) => ['batch', channels, 'height', 'width'];
    const bytes = encodeModel(graph, { symbolicShapes: { pixels: open(2), probe: open(1) } });
    const sessions = [
      await createSession(bytes, { threads: 1 }),
      await createModelSession(bytes, { threads: 1 }),
    ];
    for (const shape of [
      [1, 2, 64, 96],
      [2, 2, 32, 64],
    ]) {
      const feeds = { pixels: { data: noise(5, shape, 1), shape } };
      const [reference, actual] = await Promise.all(sessions.map((session) => run(session, feeds)));
      expect(actual.probe.shape).toEqual(reference.probe.shape);
      expect(gap(actual.probe, reference.probe)).toBeLessThan(1e-4);
    }
    await Promise.all(sessions.map((session) => session.close()));
  });
});
