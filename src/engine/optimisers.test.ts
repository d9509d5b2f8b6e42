import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Graph } from './graph.ts';
import { encodeModel } from './onnx/encode.ts';
import { adamW, type Optimiser, rmsProp } from './optimisers.ts';
import { createSession } from './session.ts';

interface Step {
  gradient: { data: number[] };
  parameters: { data: number[] };
}
const golden: Record<string, Step[]> = JSON.parse(
  readFileSync(new URL('../../fixtures/engine/optimisers.json', import.meta.url), 'utf8'),
);

describe('optimisers follow PyTorch step by step', () => {
  const make: Record<string, Optimiser> = {
    adam: adamW(),
    adamW: adamW({ weightDecay: 0.01 }),
    rmsProp: rmsProp({ momentum: 0.9, weightDecay: 0.01 }),
  };
  it.each(Object.keys(make))('%s', async (name) => {
    const optimiser = make[name];
    const graph = new Graph();
    const state = optimiser.state.map((key) => graph.input(key, [4]));
    const updated = optimiser.update(graph, {
      parameters: graph.input('parameters', [4]),
      gradient: graph.input('gradient', [4]),
      learningRate: graph.input('learningRate', []),
      step: graph.input('step', []),
      state,
    });
    graph.output('next', updated.parameters);
    updated.state.forEach((value, i) => {
      graph.output(`${optimiser.state[i]}.next`, value);
    });
    const carry = Object.fromEntries(optimiser.state.map((key) => [`${key}.next`, key]));
    const session = await createSession(encodeModel(graph), { threads: 1, carry });
    await session.setState(
      Object.fromEntries(optimiser.state.map((key) => [key, { data: new Float32Array(4), shape: [4] }])),
    );
    let parameters = Float32Array.of(1, -2, 0.5, 3);
    for (const [i, step] of golden[name].entries()) {
      const { next } = await session.run({
        parameters: { data: parameters, shape: [4] },
        gradient: { data: Float32Array.from(step.gradient.data), shape: [4] },
        learningRate: { data: Float32Array.of(0.1), shape: [] },
        step: { data: Float32Array.of(i + 1), shape: [] },
      });
      parameters = next.data as Float32Array<ArrayBuffer>;
      // Gradients are stored with seven digits; float32 does the rest.
      step.parameters.data.forEach((expected, k) => {
        expect(parameters[k]).toBeCloseTo(expected, 5);
      });
    }
    await session.close();
  });
});
