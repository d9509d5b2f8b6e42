/** Counts the arithmetic of a graph, as the field does: two operations per multiply-add of a convolution. */
import type { Graph } from './graph.ts';
import { sizeOf } from './graph.ts';

/** Floating-point operations of all convolutions and matrix products of a prediction graph; element-wise work is not counted. */
export function countFlops(graph: Graph): number {
  let total = 0;
  for (const { op, inputs, outputs } of graph.nodes) {
    if (op.name === 'Conv') total += 2 * sizeOf(outputs[0].shape) * sizeOf(inputs[1].shape.slice(1));
    if (op.name === 'ConvTranspose') total += 2 * sizeOf(inputs[0].shape) * sizeOf(inputs[1].shape.slice(1));
    if (op.name === 'MatMul') total += 2 * sizeOf(outputs[0].shape) * inputs[0].shape.at(-1)!;
  }
  return total;
}
