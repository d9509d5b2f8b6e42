/** Tanh, whose gradient dy (1 - y^2) is found from the output. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferSame } from './broadcast.ts';
import { mul } from './mul.ts';
import { sub } from './sub.ts';

const tanhOp: Op = {
  name: 'Tanh',
  infer: inferSame,
  gradient: (graph, node, [dy]) => {
    const y = node.outputs[0];
    return [dy && mul(graph, dy, sub(graph, graph.scalar(1), mul(graph, y, y)))];
  },
};

/** Hyperbolic tangent. */
export function tanh(graph: Graph, x: Value): Value {
  return graph.add(tanhOp, [x]);
}
