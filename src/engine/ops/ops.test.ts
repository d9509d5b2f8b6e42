/** Every operator and its gradient against PyTorch (fixtures/generate-engine.py) and finite differences. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradients } from '../autodiff.ts';
import { Graph, sizeOf, type Value } from '../graph.ts';
import { encodeModel } from '../onnx/encode.ts';
import { createSession, type TensorData } from '../session.ts';
import { abs } from './abs.ts';
import { add } from './add.ts';
import { averagePool, resizeNearest } from './average-pool.ts';
import { batchNormalization } from './batch-normalization.ts';
import { concat } from './concat.ts';
import { conv, convTranspose } from './convolution.ts';
import { div } from './div.ts';
import { dropout } from './dropout.ts';
import { exp } from './exp.ts';
import { leakyRelu } from './leaky-relu.ts';
import { log } from './log.ts';
import { matMul } from './mat-mul.ts';
import { maxPool } from './max-pool.ts';
import { mul } from './mul.ts';
import { reduceMean } from './reduce-mean.ts';
import { relu } from './relu.ts';
import { reshape } from './reshape.ts';
import { type CornerConvention, resizeBilinear } from './resize-bilinear.ts';
import { sigmoid } from './sigmoid.ts';
import { pad, slice } from './slice-pad.ts';
import { depthToSpace, spaceToDepth } from './space-depth.ts';
import { split } from './split.ts';
import { sqrt } from './sqrt.ts';
import { sub } from './sub.ts';
import { reduceSum } from './sum-expand.ts';
import { tanh } from './tanh.ts';
import { transpose } from './transpose.ts';

interface Stored {
  shape: number[];
  data: number[];
}
interface Case {
  op: string;
  // biome-ignore lint/suspicious/noExplicitAny: every operator has attributes of its own
  attributes: any;
  inputs: Stored[];
  output: Stored;
  outputGradient: Stored;
  gradients: (Stored | null)[];
}

const builders: Record<string, (g: Graph, x: Value[], a: Case['attributes']) => Value> = {
  abs: (g, [x]) => abs(g, x),
  add: (g, [a, b]) => add(g, a, b),
  averagePool: (g, [x], { size }) => averagePool(g, x, size),
  batchNormalization: (g, [x, s, b]) => batchNormalization(g, x, s, b).y,
  concat: (g, parts, { axis }) => concat(g, parts, axis),
  conv: (g, [x, w, b], a) => conv(g, x, w, b, a),
  convTranspose: (g, [x, w, b], a) => convTranspose(g, x, w, b, a),
  depthToSpace: (g, [x], { block }) => depthToSpace(g, x, block),
  div: (g, [a, b]) => div(g, a, b),
  dropout: (g, [x, mask]) => dropout(g, x, mask),
  exp: (g, [x]) => exp(g, x),
  leakyRelu: (g, [x], { alpha }) => leakyRelu(g, x, alpha),
  log: (g, [x]) => log(g, x),
  matMul: (g, [a, b]) => matMul(g, a, b),
  maxPool: (g, [x], { size }) => maxPool(g, x, size),
  mul: (g, [a, b]) => mul(g, a, b),
  pad: (g, [x], { before, after }) => pad(g, x, before, after),
  reduceMean: (g, [x], { axes }) => reduceMean(g, x, axes),
  reduceSum: (g, [x], { axes }) => reduceSum(g, x, axes),
  relu: (g, [x]) => relu(g, x),
  reshape: (g, [x], { shape }) => reshape(g, x, shape),
  resizeBilinear: (g, [x], { factor, corners }) => resizeBilinear(g, x, factor, corners as CornerConvention),
  resizeNearest: (g, [x], { factor }) => resizeNearest(g, x, factor),
  sigmoid: (g, [x]) => sigmoid(g, x),
  slice: (g, [x], { axes, starts, ends }) => slice(g, x, axes, starts, ends),
  spaceToDepth: (g, [x], { block }) => spaceToDepth(g, x, block),
  split: (g, [x]) => {
    const [first, rest] = split(g, x, [1, 3], 1);
    return add(g, mul(g, first, g.scalar(2)), reduceSum(g, rest, [1], true));
  },
  sqrt: (g, [x]) => sqrt(g, x),
  sub: (g, [a, b]) => sub(g, a, b),
  tanh: (g, [x]) => tanh(g, x),
  transpose: (g, [x], { perm }) => transpose(g, x, perm),
};

const cases: Case[] = JSON.parse(
  readFileSync(new URL('../../../fixtures/engine/operators.json', import.meta.url), 'utf8'),
);

/** Runs once a graph that holds every case; `change` may alter the inputs fed. */
async function runAll(
  graph: Graph,
  change: (data: Float32Array, testCase: number, input: number) => void = () => {},
): Promise<Record<string, TensorData>> {
  const session = await createSession(encodeModel(graph), { threads: 1 });
  const feeds: Record<string, TensorData> = {};
  cases.forEach(({ inputs, outputGradient }, i) => {
    inputs.forEach((stored, j) => {
      const data = Float32Array.from(stored.data);
      change(data, i, j);
      feeds[`x${i}.${j}`] = { data, shape: stored.shape };
    });
    feeds[`dy${i}`] = { data: Float32Array.from(outputGradient.data), shape: outputGradient.shape };
  });
  const results = await session.run(feeds);
  await session.close();
  return results;
}

function buildAll(withGradients: boolean): Graph {
  const graph = new Graph();
  cases.forEach((c, i) => {
    const inputs = c.inputs.map(({ shape }, j) => graph.input(`x${i}.${j}`, shape));
    const y = builders[c.op](graph, inputs, c.attributes);
    const loss = reduceSum(graph, mul(graph, y, graph.input(`dy${i}`, c.outputGradient.shape)));
    graph.output(`loss${i}`, loss);
    if (!withGradients) return;
    graph.output(`y${i}`, y);
    const wanted = inputs.filter((_, j) => c.gradients[j]);
    const found = gradients(graph, loss, wanted);
    wanted.forEach((input, k) => {
      if (found[k]) graph.output(`d${i}.${inputs.indexOf(input)}`, found[k]);
    });
  });
  return graph;
}

/** Float32 sums of up to a few hundred terms of size about 1. */
const tolerance = 2e-5;

function expectClose(actual: ArrayLike<number | bigint>, expected: ArrayLike<number>, allowed: number): void {
  expect(actual.length).toBe(expected.length);
  let scale = 1;
  for (let k = 0; k < expected.length; k++) scale = Math.max(scale, Math.abs(expected[k]));
  for (let k = 0; k < expected.length; k++) {
    const gap = Math.abs(Number(actual[k]) - expected[k]);
    if (!(gap <= allowed * scale)) expect(Number(actual[k]), `entry ${k}`).toBe(expected[k]);
  }
}

describe('operators and their gradients', () => {
  let results: Record<string, TensorData>;
  beforeAll(async () => {
    results = await runAll(buildAll(true));
  });

  cases.forEach((c, i) => {
    it(`${c.op} ${JSON.stringify(c.attributes)} equals PyTorch`, () => {
      expect(results[`y${i}`].shape).toEqual(c.output.shape);
      expectClose(results[`y${i}`].data, c.output.data, tolerance);
      c.gradients.forEach((expected, j) => {
        if (expected) expectClose(results[`d${i}.${j}`].data, expected.data, tolerance);
      });
    });
  });

  it('agree with central finite differences along random directions', async () => {
    // 2^-7 is exact in float32; inputs of operators with a kink stay further than that from it.
    const h = 2 ** -7;
    const direction = (i: number, j: number, k: number): number => Math.sin(1 + 7 * i + 3 * j + 1.7 * k);
    const graph = buildAll(false);
    const moved = (sign: number) =>
      runAll(graph, (data, i, j) => {
        if (cases[i].gradients[j])
          for (let k = 0; k < data.length; k++) data[k] += sign * h * direction(i, j, k);
      });
    const [up, down] = [await moved(1), await moved(-1)];
    cases.forEach((c, i) => {
      const numeric = (Number(up[`loss${i}`].data[0]) - Number(down[`loss${i}`].data[0])) / (2 * h);
      let analytic = 0;
      let size = 0;
      c.gradients.forEach((stored, j) => {
        if (!stored) return;
        const { data } = results[`d${i}.${j}`];
        for (let k = 0; k < data.length; k++) analytic += Number(data[k]) * direction(i, j, k);
        for (let k = 0; k < data.length; k++) size += Math.abs(Number(data[k]));
      });
      // Third derivatives leave h^2 ~ 6e-5; cancellation in float32 about 1e-7 / h ~ 1e-5, of the summed sizes.
      expect(Math.abs(numeric - analytic) / (size + 1), c.op).toBeLessThan(5e-4);
    });
  });

  it('covers every operator that has a file', async () => {
    const { readdirSync } = await import('node:fs');
    const names = readdirSync(new URL('.', import.meta.url))
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => file.slice(0, -3));
    // Helpers and operators without a gradient; two files hold two operators each, named otherwise.
    const exempt = 'broadcast sign step lookup pow sum-expand slice-pad space-depth convolution'.split(' ');
    const covered = new Set(cases.map((c) => c.op.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)));
    expect(names.filter((name) => !exempt.includes(name) && !covered.has(name))).toEqual([]);
    expect(cases.every(({ output }) => sizeOf(output.shape) === output.data.length)).toBe(true);
  });
});
