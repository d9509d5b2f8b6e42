/** unet and ganda in whole against the same networks in PyTorch (fixtures/generate-models.py). */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { noise } from '../../fixtures/noise.ts';
import { gradients } from '../engine/autodiff.ts';
import { Graph, sizeOf, type Value } from '../engine/graph.ts';
import { encodeModel } from '../engine/onnx/encode.ts';
import { mul } from '../engine/ops/mul.ts';
import { reduceSum } from '../engine/ops/sum-expand.ts';
import { adamW } from '../engine/optimisers.ts';
import { createSession, type TensorData } from '../engine/session.ts';
import { gandaDiscriminator, gandaGenerator } from '../model/ganda.ts';
import { layoutOf, type NetworkLayout, TrainingBuilder } from '../model/network.ts';
import { unet } from '../model/unet.ts';
import { adversarialLosses, buildAdversarialStepGraph } from './adversarial-step-graph.ts';
import { weightedMse } from './losses.ts';

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/models/${name}.json`, import.meta.url), 'utf8'));
const [batch, patch] = [2, 128];
const plane = [batch, 1, patch, patch];
// Batch normalisation over as few as 8 values amplifies float32 rounding; PyTorch sums in another order.
const allowed = 2e-3;

interface GoldenGradients {
  readonly names: string[];
  readonly parameters: number;
  readonly gradientNorms: number[];
  readonly gradientProjections: number[];
}

function initial(layout: NetworkLayout, seed: number): Float32Array {
  const parts = layout.parameters.map(({ name, shape }, i) => {
    if (name.endsWith('.norm.weight')) return noise(seed + i, shape, 0.2).map((v) => v + 1);
    const scale = name.endsWith('.bias') ? 0.1 : 1 / Math.sqrt(sizeOf(shape.slice(1)));
    return noise(seed + i, shape, scale);
  });
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

const images = (): Record<string, TensorData> => ({
  inputs: { data: noise(1000, [batch, 2, patch, patch], 1), shape: [batch, 2, patch, patch] },
  target: { data: noise(1001, plane, 1), shape: plane },
  weight: { data: new Float32Array(sizeOf(plane)).fill(1), shape: plane },
});

function expectSampled(predicted: ArrayLike<number | bigint>, expected: number[]): void {
  expected.forEach((value, k) => {
    const [n, y, x] = [Math.floor(k / 64), Math.floor((k % 64) / 8), k % 8];
    const found = Number(predicted[(n * patch + y * 16) * patch + x * 16]);
    expect(Math.abs(found - value)).toBeLessThan(allowed);
  });
}

function outputGradients(graph: Graph, loss: Value, builder: TrainingBuilder): void {
  gradients(graph, loss, builder.parameters).forEach((gradient, i) => {
    graph.output(`norm${i}`, reduceSum(graph, mul(graph, gradient!, gradient!)));
    const direction = graph.constant(noise(2000 + i, gradient!.shape, 1), gradient!.shape);
    graph.output(`projection${i}`, reduceSum(graph, mul(graph, gradient!, direction)));
  });
}

function expectGradients(results: Record<string, TensorData>, expected: GoldenGradients): void {
  const total = Math.hypot(...expected.gradientNorms);
  expected.names.forEach((name, i) => {
    const norm = expected.gradientNorms[i];
    // A bias before batch normalisation, or in front of a saturated unit, has no gradient but rounding.
    const scale = norm + 1e-4 * total;
    const found = Math.sqrt(Number(results[`norm${i}`].data[0]));
    expect(Math.abs(found - norm) / scale, name).toBeLessThan(allowed);
    const gap = Number(results[`projection${i}`].data[0]) - expected.gradientProjections[i];
    expect(Math.abs(gap) / scale, name).toBeLessThan(2 * allowed);
  });
}

it('unet: parameters, prediction and every gradient', async () => {
  const expected = golden('unet');
  const layout = layoutOf(unet, 2, 16);
  expect(layout.parameters.map(({ name }) => name)).toEqual(expected.names);
  const graph = new Graph();
  const builder = new TrainingBuilder(graph, layout, graph.input('parameters', [expected.parameters]));
  const prediction = unet(builder, graph.input('inputs', [batch, 2, patch, patch]));
  const loss = weightedMse(graph, prediction, graph.input('target', plane), graph.input('weight', plane));
  graph.output('prediction', prediction);
  outputGradients(graph, loss, builder);
  const session = await createSession(encodeModel(graph), { threads: 2 });
  const results = await session.run({
    ...images(),
    parameters: { data: initial(layout, 0), shape: [expected.parameters] },
  });
  await session.close();
  expectSampled(results.prediction.data, expected.prediction);
  expectGradients(results, expected);
});

it('ganda: ten steps of both networks against each other', async () => {
  const expected = golden('ganda');
  const layout = layoutOf(gandaGenerator, 2, 16);
  const judge = layoutOf(gandaDiscriminator, 1, patch / 2);
  expect(layout.parameters.map(({ name }) => name)).toEqual(expected.generator.names);
  expect(judge.parameters.map(({ name }) => name)).toEqual(expected.discriminator.names);
  const step = buildAdversarialStepGraph({
    network: gandaGenerator,
    discriminator: gandaDiscriminator,
    pixelWeight: 10,
    layout,
    optimiser: adamW({ beta1: 0.5 }),
    batch,
    roles: 2,
    patch,
  });
  expect(step.stateLengths).toMatchObject({ parameters: 1_549_921, 'discriminator.parameters': 2_797_777 });
  const session = await createSession(encodeModel(step.graph), { threads: 2, carry: step.carry });
  const known: Record<string, Float32Array> = {
    parameters: initial(layout, 0),
    'discriminator.parameters': initial(judge, 500),
  };
  await session.setState(
    Object.fromEntries(
      Object.entries(step.stateLengths).map(([name, length]) => [
        name,
        { data: known[name] ?? new Float32Array(length), shape: [length] },
      ]),
    ),
  );
  const found: number[][] = [];
  for (let i = 1; i <= 10; i++) {
    const results = await session.run({
      ...images(),
      learningRate: { data: Float32Array.of(2e-4), shape: [] },
      step: { data: Float32Array.of(i), shape: [] },
      averageDecay: { data: Float32Array.of(0), shape: [] },
    });
    found.push(['loss', 'adversarialLoss', 'discriminatorLoss'].map((name) => Number(results[name].data[0])));
  }
  await session.close();
  // Adam's first steps have the size of the learning rate whatever the gradient, so signs of tiny ones matter.
  found.forEach((losses, i) => {
    losses.forEach((loss, k) => {
      const gap = Math.abs(loss / expected.steps[i][k] - 1);
      expect(gap, `step ${i + 1}, loss ${k}: ${loss} for ${expected.steps[i][k]}`).toBeLessThan(
        i < 2 ? 1e-3 : 2e-2,
      );
    });
  });
});

it('ganda: every gradient of both losses', async () => {
  const expected = golden('ganda');
  const nets = { generator: gandaGenerator, discriminator: gandaDiscriminator } as const;
  for (const which of ['generator', 'discriminator'] as const) {
    const graph = new Graph();
    const builders = {
      generator: new TrainingBuilder(graph, layoutOf(nets.generator, 2, 16), flat(graph, 'generator')),
      discriminator: new TrainingBuilder(
        graph,
        layoutOf(nets.discriminator, 1, patch / 2),
        flat(graph, 'discriminator'),
      ),
    };
    const drawn = gandaGenerator(builders.generator, graph.input('inputs', [batch, 2, patch, patch]));
    const losses = adversarialLosses(
      graph,
      { drawn, target: graph.input('target', plane), weight: graph.input('weight', plane) },
      (image) => gandaDiscriminator(builders.discriminator, image),
      10,
    );
    outputGradients(graph, losses[`${which}Loss`], builders[which]);
    graph.output('drawn', drawn);
    const session = await createSession(encodeModel(graph), { threads: 2 });
    const results = await session.run({
      ...images(),
      generator: {
        data: initial(layoutOf(gandaGenerator, 2, 16), 0),
        shape: graph.inputs.get('generator')!.shape,
      },
      discriminator: {
        data: initial(layoutOf(gandaDiscriminator, 1, patch / 2), 500),
        shape: graph.inputs.get('discriminator')!.shape,
      },
    });
    await session.close();
    expectSampled(results.drawn.data, expected.prediction);
    expectGradients(results, expected[which]);
  }

  function flat(graph: Graph, name: keyof typeof nets): Value {
    return graph.input(name, [expected[name].parameters]);
  }
});
