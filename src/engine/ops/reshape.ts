/** Reshape, whose gradient is dy in the shape of x. */
import { assert } from '../../core/errors.ts';
import { type Graph, type Op, type Shape, sameShape, sizeOf, type Value } from '../graph.ts';

const reshapeOp: Op = {
  name: 'Reshape',
  infer: (inputs) => {
    const shape = Array.from(inputs[1].constant as BigInt64Array, Number);
    assert(sizeOf(shape) === sizeOf(inputs[0].shape), `cannot reshape [${inputs[0].shape}] to [${shape}]`);
    return [{ shape, dtype: inputs[0].dtype }];
  },
  gradient: (graph, node, [dy]) => [dy && reshape(graph, dy, node.inputs[0].shape), undefined],
};

/** The same values in row-major order under another shape; no data moves. */
export function reshape(graph: Graph, x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : graph.add(reshapeOp, [x, graph.ints(shape)]);
}
