import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Graph, type Shape, sizeOf } from './graph.ts';
import { muon, orthogonalize } from './muon.ts';
import { encodeModel } from './onnx/encode.ts';
import { adamW, type Optimiser, rmsProp } from './optimisers.ts';
import { createSession } from './session.ts';

interface Step {
  gradient: { data: number[] };
  parameters: { data: number[] };
}
interface Trajectory {
  shapes: Shape[];
  start: { data: number[] };
  steps: Step[];
}
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/engine/${name}.json`, import.meta.url), 'utf8'));
const golden: Record<string, Step[]> = read('optimisers');
const bowl = (name: string): Trajectory => ({
  shapes: [[4]],
  start: { data: [1, -2, 0.5, 3] },
  steps: golden[name],
});

describe('optimisers follow PyTorch step by step', () => {
  const cases: Record<string, readonly [Optimiser, Trajectory]> = {
    adam: [adamW(), bowl('adam')],
    adamW: [adamW({ weightDecay: 0.01 }), bowl('adamW')],
    rmsProp: [rmsProp({ momentum: 0.9, weightDecay: 0.01 }), bowl('rmsProp')],
    muon: [muon({ weightDecay: 0.01 }), read('muon')],
  };
  it.each(Object.keys(cases))('%s', async (name) => {
    const [optimiser, { shapes, start, steps }] = cases[name];
    const graph = new Graph();
    const length = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
    const lengths = Object.entries(optimiser.stateLengths(shapes));
    const updated = optimiser.update(graph, {
      parameters: graph.input('parameters', [length]),
      gradient: graph.input('gradient', [length]),
      shapes,
      learningRate: graph.input('learningRate', []),
      step: graph.input('step', []),
      state: Object.fromEntries(lengths.map(([key, size]) => [key, graph.input(key, [size])])),
    });
    graph.output('next', updated.parameters);
    for (const [key] of lengths) graph.output(`${key}.next`, updated.state[key]);
    const carry = Object.fromEntries(lengths.map(([key]) => [`${key}.next`, key]));
    const session = await createSession(encodeModel(graph), { threads: 1, carry });
    await session.setState(
      Object.fromEntries(
        lengths.map(([key, size]) => [key, { data: new Float32Array(size), shape: [size] }]),
      ),
    );
    let parameters = Float32Array.from(start.data);
    for (const [i, step] of steps.entries()) {
      const { next } = await session.run({
        parameters: { data: parameters, shape: [length] },
        gradient: { data: Float32Array.from(step.gradient.data), shape: [length] },
        learningRate: { data: Float32Array.of(0.1), shape: [] },
        step: { data: Float32Array.of(i + 1), shape: [] },
      });
      parameters = next.data as Float32Array<ArrayBuffer>;
      // Gradients are stored with seven digits; float32, and for muon some twenty products of matrices, do the rest.
      step.parameters.data.forEach((expected, k) => {
        expect(parameters[k]).toBeCloseTo(expected, name === 'muon' ? 4 : 5);
      });
    }
    await session.close();
  });
});

it('makes singular values alike over two orders of magnitude, and leaves directions', async () => {
  const graph = new Graph();
  const [rows, columns] = [8, 40];
  graph.output('even', orthogonalize(graph, graph.input('x', [rows, columns])));
  // Rows along different axes: their lengths are the singular values.
  const x = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) x[i * columns + 5 * i] = 7 * 10 ** (-i / 3.5);
  const session = await createSession(encodeModel(graph), { threads: 1 });
  const { even } = await session.run({ x: { data: x, shape: [rows, columns] } });
  for (let i = 0; i < rows * columns; i++) {
    const isOnDiagonal = i % columns === 5 * Math.floor(i / columns);
    const value = even.data[i] as number;
    // The smallest ones need more iterations to come all the way up.
    if (isOnDiagonal) expect(value).toBeGreaterThan(x[i] > 0.07 ? 0.6 : 0.3);
    expect(Math.abs(value)).toBeLessThan(isOnDiagonal ? 1.25 : 1e-3);
  }
  await session.close();
});
