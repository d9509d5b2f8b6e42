/** Mul with broadcasting; each gradient is dy times the other operand, summed over what was broadcast. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferBroadcast } from './broadcast.ts';
import { sumToShape } from './sum-expand.ts';

const mulOp: Op = {
  name: 'Mul',
  infer: inferBroadcast,
  gradient: (graph, node, [dy]) => {
    if (!dy) return [undefined, undefined];
    const [a, b] = node.inputs;
    return [sumToShape(graph, mul(graph, dy, b), a.shape), sumToShape(graph, mul(graph, dy, a), b.shape)];
  },
};

/** a * b, broadcast. */
export function mul(graph: Graph, a: Value, b: Value): Value {
  return graph.add(mulOp, [a, b]);
}
