/** MatMul, leading axes broadcast; the gradients are dy b^T and a^T dy. */
import { assert } from '../../core/errors.ts';
import type { Graph, Op, Value } from '../graph.ts';
import { broadcastShape } from './broadcast.ts';
import { sumToShape } from './sum-expand.ts';
import { transpose } from './transpose.ts';

const matMulOp: Op = {
  name: 'MatMul',
  infer: ([a, b]) => {
    assert(
      a.shape.length >= 2 && b.shape.length >= 2 && a.shape.at(-1) === b.shape.at(-2),
      `cannot multiply [${a.shape}] by [${b.shape}]`,
    );
    const lead = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return [{ shape: [...lead, a.shape.at(-2)!, b.shape.at(-1)!], dtype: 'float32' }];
  },
  gradient: (graph, node, [dy]) => {
    if (!dy) return [undefined, undefined];
    const [a, b] = node.inputs;
    return [
      sumToShape(graph, matMul(graph, dy, swapLast(graph, b)), a.shape),
      sumToShape(graph, matMul(graph, swapLast(graph, a), dy), b.shape),
    ];
  },
};

/** Matrix product over the last two axes, broadcast over the rest. */
export function matMul(graph: Graph, a: Value, b: Value): Value {
  return graph.add(matMulOp, [a, b]);
}

/** x with its last two axes exchanged; the runtime fuses it into the product that follows. */
export function swapLast(graph: Graph, x: Value): Value {
  const rank = x.shape.length;
  const perm = x.shape.map((_, i) => i);
  perm[rank - 1] = rank - 2;
  perm[rank - 2] = rank - 1;
  return transpose(graph, x, perm);
}
