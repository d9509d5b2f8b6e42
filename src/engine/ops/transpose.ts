/** Transpose, whose gradient is dy under the inverse permutation. */
import type { Graph, Op, Value } from '../graph.ts';

const transposeOp: Op = {
  name: 'Transpose',
  infer: (inputs, attributes) => [
    { shape: (attributes.perm as number[]).map((axis) => inputs[0].shape[axis]), dtype: inputs[0].dtype },
  ],
  gradient: (graph, node, [dy]) => {
    const perm = node.attributes.perm as number[];
    return [
      dy &&
        transpose(
          graph,
          dy,
          perm.map((_, axis) => perm.indexOf(axis)),
        ),
    ];
  },
};

/** Axis i of the result is axis perm[i] of x. */
export function transpose(graph: Graph, x: Value, perm: readonly number[]): Value {
  return graph.add(transposeOp, [x], { perm });
}
