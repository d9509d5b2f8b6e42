/** Sub with broadcasting; the gradients are dy and -dy, summed over what was broadcast. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferBroadcast } from './broadcast.ts';
import { mul } from './mul.ts';
import { sumToShape } from './sum-expand.ts';

const subOp: Op = {
  name: 'Sub',
  infer: inferBroadcast,
  gradient: (graph, node, [dy]) => {
    if (!dy) return [undefined, undefined];
    const [a, b] = node.inputs;
    return [sumToShape(graph, dy, a.shape), mul(graph, sumToShape(graph, dy, b.shape), graph.scalar(-1))];
  },
};

/** a - b, broadcast. */
export function sub(graph: Graph, a: Value, b: Value): Value {
  return graph.add(subOp, [a, b]);
}
