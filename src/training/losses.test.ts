/** Losses against their formulas, their gradients against finite differences, and what each takes no notice of. */
import { expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { gradients } from '../engine/autodiff.ts';
import { Graph } from '../engine/graph.ts';
import { encodeModel } from '../engine/onnx/encode.ts';
import { createSession, type Session } from '../engine/session.ts';
import { type LossName, lossNames, lossOf } from './losses.ts';

const shape = [1, 1, 4, 6];
const map = { offset: 90, scale: 30 };

async function sessionOf(name: LossName, normalized: boolean): Promise<Session> {
  const graph = new Graph();
  const [prediction, target, weight] = ['prediction', 'target', 'weight'].map((input) =>
    graph.input(input, shape),
  );
  const loss = lossOf(name, normalized, map)(graph, prediction, target, weight);
  graph.output('loss', loss);
  graph.output('gradient', gradients(graph, loss, [prediction])[0]!);
  return createSession(encodeModel(graph), { threads: 1 });
}

/** In stored units, with some predictions below 0 and some far off. */
function drawn(): Record<'prediction' | 'target' | 'weight', number[]> {
  const rng = new Rng(4);
  const draw = (of: () => number): number[] => Array.from({ length: 24 }, of);
  return {
    prediction: draw(() => rng.normal(60, 60)),
    target: draw(() => Math.abs(rng.normal(20, 70))),
    weight: draw(() => (rng.uniform() < 0.7 ? 1 : 0)),
  };
}

const root = (value: number): number => {
  const x = value / map.scale;
  return x > 0.1 ? 2 * Math.sqrt(x) : 2 * Math.sqrt(0.1) + (x - 0.1) / Math.sqrt(0.1);
};
/** Of a prediction and a target in stored units, in units of the target's standard deviation. */
const formulas: Record<LossName, (prediction: number, target: number) => number> = {
  mse: (p, t) => ((p - t) / map.scale) ** 2,
  huber: (p, t) => {
    const size = Math.abs(p - t) / map.scale;
    return size < 1 ? size * size : 2 * size - 1;
  },
  root: (p, t) => (root(p) - root(t)) ** 2,
};

it.each(lossNames)('%s: value, gradient, and pixels that do not count', async (name) => {
  const { prediction, target, weight } = drawn();
  const counted = weight.reduce((a, b) => a + b);
  const expected = (p: number[]): number =>
    p.reduce((sum, v, i) => sum + weight[i] * formulas[name](v, target[i]), 0) / counted;
  const toUnits = (values: number[]) => ({
    data: Float32Array.from(values, (v) => (v - map.offset) / map.scale),
    shape,
  });
  const session = await sessionOf(name, true);
  const run = (counts: number[]) =>
    session.run({
      prediction: toUnits(prediction),
      target: toUnits(target),
      weight: { data: Float32Array.from(counts), shape },
    });
  const { loss, gradient } = await run(weight);
  expect(Number(loss.data[0])).toBeCloseTo(expected(prediction), 5);
  const step = 1e-3;
  prediction.forEach((value, i) => {
    const moved = (by: number): number => expected(prediction.with(i, value + by * map.scale));
    expect(Number(gradient.data[i]), `pixel ${i}`).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 4);
  });
  expect((await run(weight.map(() => 0))).loss.data[0]).toBe(0);
  await session.close();
});

it.each(['huber', 'root'] as const)(
  '%s: alike in stored units, for a network on raw grey levels',
  async (name) => {
    const { prediction, target, weight } = drawn();
    const tensor = (values: number[]) => ({ data: Float32Array.from(values), shape });
    const session = await sessionOf(name, false);
    const { loss } = await session.run({
      prediction: tensor(prediction),
      target: tensor(target),
      weight: tensor(weight),
    });
    await session.close();
    const sum = prediction.reduce((s, v, i) => s + weight[i] * formulas[name](v, target[i]), 0);
    const unit = name === 'huber' ? map.scale ** 2 : 1;
    expect(Number(loss.data[0]) / unit).toBeCloseTo(sum / weight.reduce((a, b) => a + b), 4);
  },
);
