/** ReduceSum and Expand (repeat along extents of 1): each is the other's gradient. */
import {
  type Attributes,
  type Graph,
  type Op,
  type Shape,
  sameShape,
  type TensorType,
  type Value,
} from '../graph.ts';
import { reshape } from './reshape.ts';

/** Shape after reducing the axes in `inputs[1]`. */
export function inferReduce(inputs: readonly Value[], attributes: Attributes): readonly TensorType[] {
  const axes = Array.from(inputs[1].constant as BigInt64Array, Number);
  const keep = attributes.keepdims === 1;
  const shape = inputs[0].shape
    .map((extent, i) => (axes.includes(i) ? (keep ? 1 : -1) : extent))
    .filter((extent) => extent !== -1);
  return [{ shape, dtype: 'float32' }];
}

/** `shape` with the reduced axes kept as 1. */
export function keptShape(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((extent, i) => (axes.includes(i) ? 1 : extent));
}

const reduceSumOp: Op = {
  name: 'ReduceSum',
  infer: inferReduce,
  gradient: (graph, node, [dy]) => {
    if (!dy) return [undefined, undefined];
    const axes = Array.from(node.inputs[1].constant as BigInt64Array, Number);
    const x = node.inputs[0];
    return [expandTo(graph, reshape(graph, dy, keptShape(x.shape, axes)), x.shape), undefined];
  },
};

/** Sum over the given axes (all of them unless given), which are dropped unless kept. */
export function reduceSum(graph: Graph, x: Value, axes?: readonly number[], keep = false): Value {
  const over = axes ?? x.shape.map((_, i) => i);
  return graph.add(reduceSumOp, [x, graph.ints(over)], { keepdims: keep ? 1 : 0 });
}

const expandOp: Op = {
  name: 'Expand',
  infer: (inputs) => [
    { shape: Array.from(inputs[1].constant as BigInt64Array, Number), dtype: inputs[0].dtype },
  ],
  gradient: (graph, node, [dy]) => [dy && sumToShape(graph, dy, node.inputs[0].shape), undefined],
};

/** Repeats x along its extents of 1 until it has the given shape (same rank or higher). */
export function expandTo(graph: Graph, x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : graph.add(expandOp, [x, graph.ints(shape)]);
}

/** Undoes a broadcast in a gradient: sums over the axes along which `shape` was repeated. */
export function sumToShape(graph: Graph, gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape
    .map((extent, i) => (i < lead || (shape[i - lead] === 1 && extent !== 1) ? i : -1))
    .filter((axis) => axis >= 0);
  return reshape(graph, axes.length === 0 ? gradient : reduceSum(graph, gradient, axes), shape);
}
