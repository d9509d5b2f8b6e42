/** Split, whose gradient is the Concat of those of the parts. */
import { assert } from '../../core/errors.ts';
import type { Graph, Op, Value } from '../graph.ts';
import { concat } from './concat.ts';

const splitOp: Op = {
  name: 'Split',
  infer: ([x, sizes], attributes) =>
    Array.from(sizes.constant as BigInt64Array, Number).map((size) => ({
      shape: x.shape.map((extent, i) => (i === attributes.axis ? size : extent)),
      dtype: x.dtype,
    })),
  gradient: (graph, node, outputGradients) => {
    assert(
      outputGradients.every((g) => g !== undefined),
      'every part of a split needs a gradient',
    );
    return [concat(graph, outputGradients as Value[], node.attributes.axis as number)];
  },
};

/** Cuts x along one axis into parts of the given sizes, which sum to its extent. */
export function split(graph: Graph, x: Value, sizes: readonly number[], axis: number): readonly Value[] {
  assert(sizes.reduce((a, b) => a + b, 0) === x.shape[axis], `parts ${sizes} do not sum to ${x.shape[axis]}`);
  return graph.addAll(splitOp, [x, graph.ints(sizes)], { axis });
}
