/** hrpn-published in whole against the same network in PyTorch (fixtures/generate-engine.py). */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { noise } from '../../fixtures/noise.ts';
import { gradients } from '../engine/autodiff.ts';
import { Graph, sizeOf } from '../engine/graph.ts';
import { encodeModel } from '../engine/onnx/encode.ts';
import { mul } from '../engine/ops/mul.ts';
import { reduceSum } from '../engine/ops/sum-expand.ts';
import { rmsProp } from '../engine/optimisers.ts';
import { createSession, type TensorData } from '../engine/session.ts';
import { hrpnPublished } from '../model/hrpn-published.ts';
import { layoutOf, TrainingBuilder } from '../model/network.ts';
import { weightedMse } from './losses.ts';
import { buildStepGraph } from './step-graph.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/engine/hrpn-published.json', import.meta.url), 'utf8'),
);
const [batch, patch] = [2, 64];
const plane = [batch, 1, patch, patch];

const layout = layoutOf(hrpnPublished, 2, 32);

function initialParameters(): Float32Array {
  const flat = new Float32Array(golden.parameters);
  let offset = 0;
  layout.parameters.forEach(({ name, shape }, i) => {
    const norm = name.includes('.norm.');
    const scale = norm ? (name.endsWith('weight') ? 0.2 : 0.1) : name.endsWith('.bias') ? 0.1 : undefined;
    const values = noise(i, shape, scale ?? 1 / Math.sqrt(sizeOf(shape.slice(1))));
    if (norm && name.endsWith('weight')) for (let k = 0; k < values.length; k++) values[k] += 1;
    flat.set(values, offset);
    offset += values.length;
  });
  return flat;
}

function fedData(): Record<string, TensorData> {
  return {
    inputs: { data: noise(1000, [batch, 2, patch, patch], 1), shape: [batch, 2, patch, patch] },
    target: { data: noise(1001, plane, 1), shape: plane },
    weight: { data: new Float32Array(sizeOf(plane)).fill(1), shape: plane },
    'head.dropout': {
      data: noise(1002, [batch, 270, 1, 1], 1).map((v) => (v > -0.8 ? 1 / 0.9 : 0)),
      shape: [batch, 270, 1, 1],
    },
  };
}

it('has the published parameters, by name and number', () => {
  expect(layout.parameters.map(({ name }) => name)).toEqual(golden.names);
  expect(layout.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(2_176_824);
});

it('gives the same prediction and every gradient as PyTorch', async () => {
  const graph = new Graph();
  const builder = new TrainingBuilder(graph, layout, graph.input('parameters', [golden.parameters]));
  const prediction = hrpnPublished(builder, graph.input('inputs', [batch, 2, patch, patch]));
  const loss = weightedMse(graph, prediction, graph.input('target', plane), graph.input('weight', plane));
  graph.output('prediction', prediction);
  graph.output('loss', loss);
  gradients(graph, loss, builder.parameters).forEach((gradient, i) => {
    graph.output(`norm${i}`, reduceSum(graph, mul(graph, gradient!, gradient!)));
    const direction = graph.constant(noise(2000 + i, gradient!.shape, 1), gradient!.shape);
    graph.output(`projection${i}`, reduceSum(graph, mul(graph, gradient!, direction)));
  });
  const session = await createSession(encodeModel(graph), { threads: 2 });
  const parameters = { data: initialParameters(), shape: [golden.parameters] };
  const results = await session.run({ ...fedData(), parameters });
  await session.close();

  // Batch normalisation over as few as 8 values (stage 4 is 2 x 2) amplifies float32 rounding along 40 layers.
  const allowed = 2e-3;
  const predicted = results.prediction.data;
  golden.prediction.data.forEach((expected: number, k: number) => {
    const [n, y, x] = [Math.floor(k / 64), Math.floor((k % 64) / 8), k % 8];
    expect(Math.abs(Number(predicted[(n * patch + y * 8) * patch + x * 8]) - expected)).toBeLessThan(allowed);
  });
  layout.parameters.forEach(({ name }, i) => {
    const norm = golden.gradientNorms[i];
    // The true gradient of a bias before batch normalisation is 0: there only rounding is left.
    const scale = norm + 1e-4;
    expect(Math.abs(Math.sqrt(Number(results[`norm${i}`].data[0])) - norm) / scale, name).toBeLessThan(
      allowed,
    );
    const gap = Number(results[`projection${i}`].data[0]) - golden.gradientProjections[i];
    expect(Math.abs(gap) / scale, name).toBeLessThan(2 * allowed);
  });
});

it('follows PyTorch through ten steps of the published optimiser', async () => {
  const optimiser = rmsProp({ momentum: 0.9, weightDecay: 1e-8 });
  const step = buildStepGraph({ network: hrpnPublished, layout, optimiser, batch, roles: 2, patch });
  const session = await createSession(encodeModel(step.graph), { threads: 2, carry: step.carry });
  const parameters = initialParameters();
  await session.setState(
    Object.fromEntries(
      Object.entries(step.stateLengths).map(([name, length]) => [
        name,
        { data: name === 'parameters' ? parameters : new Float32Array(length), shape: [length] },
      ]),
    ),
  );
  const losses: number[] = [];
  for (let i = 1; i <= 10; i++) {
    const scalars = {
      learningRate: { data: Float32Array.of(1e-5), shape: [] },
      step: { data: Float32Array.of(i), shape: [] },
      averageDecay: { data: Float32Array.of(0), shape: [] },
    };
    losses.push(Number((await session.run({ ...fedData(), ...scalars })).loss.data[0]));
  }
  await session.close();
  // The first steps of RMSprop divide by almost nothing, so rounding grows from step to step.
  losses.forEach((loss, i) => {
    expect(Math.abs(loss / golden.losses[i] - 1), `step ${i + 1}`).toBeLessThan(i < 2 ? 1e-3 : 3e-2);
  });
});
