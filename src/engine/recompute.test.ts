/** A step that computes activations again is the step that keeps them, in less memory. */
import { expect, it } from 'vitest';
import { noise } from '../../fixtures/noise.ts';
import { layoutOf } from '../model/network.ts';
import { findModel, networkNames } from '../model/registry.ts';
import { buildAdversarialStepGraph } from '../training/adversarial-step-graph.ts';
import { recipeOf } from '../training/recipes.ts';
import { buildStepGraph, type StepGraph } from '../training/step-graph.ts';
import { initialVector } from '../training/tensors.ts';
import { type Graph, sizeOf } from './graph.ts';
import { createGraphSession, fitToMemory } from './graph-session.ts';
import { expandOperators } from './lowering/rewrite.ts';
import { encodeModel } from './onnx/encode.ts';
import { peakActivationBytes } from './peak-memory.ts';
import { recompute } from './recompute.ts';
import { createSession, type TensorData } from './session.ts';

function stepOf(name: string, patch: number): StepGraph {
  const model = findModel(name);
  const layout = layoutOf(model.network, 2, model.stride);
  const { optimiser, clipNorm } = recipeOf(name);
  const options = { network: model.network, layout, optimiser, batch: 1, roles: 2, patch, clipNorm };
  return model.adversary
    ? buildAdversarialStepGraph({ ...options, ...model.adversary })
    : buildStepGraph(options);
}

/** All outputs, carried ones included. */
async function run(graph: Graph, feeds: Record<string, TensorData>): Promise<Record<string, TensorData>> {
  // Not rewritten by the runtime, which would join other nodes in one graph than in the other.
  const session = await createSession(encodeModel(graph), { threads: 1, optimization: 'disabled' });
  const copies = Object.entries(feeds).map(([k, { data, shape }]) => [k, { data: data.slice(), shape }]);
  const outputs = await session.run(Object.fromEntries(copies));
  await session.close();
  return outputs;
}

it.each(networkNames)('%s: a step has the same outputs to the last bit', async (name) => {
  const step = stepOf(name, 64);
  const feeds: Record<string, TensorData> = {};
  for (const [key, { shape }] of step.graph.inputs) {
    const layout = layoutOf(findModel(name).network, 2, findModel(name).stride);
    const specs = key === 'parameters' ? layout.parameters : step.drawn?.[key];
    const scalars: Record<string, number> = { learningRate: 1e-3, step: 1, averageDecay: 0.9 };
    const drawn = (): Float32Array =>
      key in step.stateLengths ? new Float32Array(sizeOf(shape)) : noise(key.length, shape, 1);
    const data = specs ? initialVector(specs, 1) : key in scalars ? Float32Array.of(scalars[key]) : drawn();
    feeds[key] = { data: key === 'weight' ? data.fill(1) : data, shape };
  }
  const again = recompute(step.graph, step.losses, 3);
  const convolutions = (graph: Graph): number => graph.nodes.filter(({ op }) => op.name === 'Conv').length;
  expect(convolutions(again)).toBeGreaterThan(convolutions(step.graph));
  const [reference, actual] = await Promise.all([run(step.graph, feeds), run(again, feeds)]);
  for (const key of Object.keys(reference)) expect(actual[key].data, key).toEqual(reference[key].data);
});

it('takes no more than the memory it is given, or says that it cannot', async () => {
  const { graph, losses } = stepOf('hrpn', 256);
  const peak = async (bytes = Number.POSITIVE_INFINITY): Promise<number> =>
    peakActivationBytes(expandOperators((await fitToMemory(graph, { memory: { bytes, losses } })).graph));
  const kept = await peak();
  expect(await peak(kept)).toBe(kept);
  expect(await peak(0.7 * kept)).toBeLessThan(0.7 * kept);
  await expect(
    createGraphSession(graph, { threads: 1, memory: { bytes: 0.1 * kept, losses } }),
  ).rejects.toThrow(/needs at least \d+ MB for its activations, but \d MB were given/);
});
