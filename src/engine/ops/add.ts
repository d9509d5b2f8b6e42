/** Add with broadcasting; both gradients are dy, summed over what was broadcast. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferBroadcast } from './broadcast.ts';
import { sumToShape } from './sum-expand.ts';

const addOp: Op = {
  name: 'Add',
  infer: inferBroadcast,
  gradient: (graph, node, [dy]) =>
    dy ? node.inputs.map((input) => sumToShape(graph, dy, input.shape)) : [undefined, undefined],
};

/** a + b, broadcast. */
export function add(graph: Graph, a: Value, b: Value): Value {
  return graph.add(addOp, [a, b]);
}
