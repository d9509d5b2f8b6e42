/** Concat, whose gradients are the slices of dy. */
import { assert } from '../../core/errors.ts';
import type { Graph, Op, Value } from '../graph.ts';
import { slice } from './slice-pad.ts';

const concatOp: Op = {
  name: 'Concat',
  infer: (inputs, attributes) => {
    const axis = attributes.axis as number;
    const shape = [...inputs[0].shape];
    for (const other of inputs.slice(1)) {
      assert(
        other.shape.length === shape.length && other.shape.every((e, i) => i === axis || e === shape[i]),
        `cannot join [${inputs[0].shape}] and [${other.shape}] along axis ${axis}`,
      );
      shape[axis] += other.shape[axis];
    }
    return [{ shape, dtype: inputs[0].dtype }];
  },
  gradient: (graph, node, [dy]) => {
    const axis = node.attributes.axis as number;
    let start = 0;
    return node.inputs.map((input) => {
      const end = start + input.shape[axis];
      const part = dy && slice(graph, dy, [axis], [start], [end]);
      start = end;
      return part;
    });
  },
};

/** Joins one or more tensors along one axis. */
export function concat(graph: Graph, parts: readonly Value[], axis: number): Value {
  assert(parts.length > 0, 'nothing to join');
  return parts.length === 1 ? parts[0] : graph.add(concatOp, parts, { axis });
}
