/** Equal nodes are one; what no output needs is not run. */
import { expect, it } from 'vitest';
import { gradients } from './autodiff.ts';
import { Graph, nodesFor } from './graph.ts';
import { expandOperators, rewrite } from './lowering/rewrite.ts';
import { simplify } from './lowering/simplify.ts';
import { add } from './ops/add.ts';
import { batchNormalization } from './ops/batch-normalization.ts';
import { conv } from './ops/convolution.ts';
import { mul } from './ops/mul.ts';
import { relu } from './ops/relu.ts';
import { reshape } from './ops/reshape.ts';
import { split } from './ops/split.ts';
import { reduceSum } from './ops/sum-expand.ts';

const names = (graph: Graph): string[] => graph.nodes.map(({ op }) => op.name);

it('gives the same node back for the same operator, operands and attributes, and for nothing less', () => {
  const graph = new Graph();
  const [x, y] = [graph.input('x', [1, 4, 8, 8]), graph.input('y', [1, 4, 8, 8])];
  expect(add(graph, x, y)).toBe(add(graph, x, y));
  expect(mul(graph, x, graph.scalar(2))).toBe(mul(graph, x, graph.scalar(2)));
  expect(split(graph, x, [1, 3], 1)).toEqual(split(graph, x, [1, 3], 1));
  expect(graph.nodes).toHaveLength(3);
  // The order of operands, another operator, constants and attributes all make a difference.
  const w = graph.input('w', [4, 4, 3, 3]);
  const others = [
    add(graph, y, x),
    mul(graph, x, y),
    mul(graph, x, graph.scalar(3)),
    split(graph, x, [2, 2], 1)[0],
    conv(graph, x, w),
    conv(graph, x, w, undefined, { stride: 2 }),
  ];
  expect(new Set(others.map(({ producer }) => producer)).size).toBe(others.length);
  expect(graph.nodes).toHaveLength(3 + others.length);
});

it('computes what two gradients share once, also when a pass makes nodes equal', () => {
  const graph = new Graph();
  const x = graph.input('x', [4]);
  const loss = reduceSum(graph, mul(graph, relu(graph, x), relu(graph, x)));
  graph.output('dx', gradients(graph, loss, [x])[0]!);
  const size = graph.nodes.length;
  graph.output('again', gradients(graph, loss, [x])[0]!);
  expect(graph.nodes).toHaveLength(size);
  expect(graph.outputs.get('again')).toBe(graph.outputs.get('dx'));

  const other = new Graph();
  const a = other.input('a', [4]);
  other.output('sum', add(other, relu(other, a), mul(other, a, a)));
  const joined = rewrite(other, (target, { op, inputs, attributes }) =>
    op.name === 'Mul' ? [relu(target, inputs[0])] : target.addAll(op, inputs, attributes),
  );
  expect(names(joined)).toEqual(['Relu', 'Add']);
});

it('leaves out what no output depends on, and what an expansion makes for nobody', () => {
  const graph = new Graph();
  const x = graph.input('x', [1, 4, 8, 8]);
  const [scale, bias] = [graph.input('scale', [4]), graph.input('bias', [4])];
  const kept = relu(graph, x);
  const { y, variance } = batchNormalization(graph, kept, scale, bias);
  relu(graph, y);
  graph.output('variance', variance);
  expect(nodesFor(graph, graph.outputs.values()).map(({ op }) => op.name)).toEqual([
    'Relu',
    'BatchNormalizationTraining',
  ]);
  // Of the normalisation only the variance is left: mean, difference, its square, their mean.
  const expanded = expandOperators(graph);
  expect(names(expanded)).toEqual(['Relu', 'ReduceMean', 'Sub', 'Mul', 'ReduceMean', 'Reshape']);
  expect([...expanded.inputs.keys()]).toEqual(['x', 'scale', 'bias']);
});

it('joins reshapes that follow one another, and drops those that lead back', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 6]);
  const there = reshape(graph, relu(graph, x), [3, 4]);
  graph.output('joined', reshape(graph, there, [12]));
  graph.output('back', reshape(graph, there, [2, 6]));
  expect(names(simplify(graph))).toEqual(['Relu', 'Reshape']);
});
