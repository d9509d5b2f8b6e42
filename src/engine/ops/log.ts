/** Log, whose gradient is dy / x. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferSame } from './broadcast.ts';
import { div } from './div.ts';

const logOp: Op = {
  name: 'Log',
  infer: inferSame,
  gradient: (graph, node, [dy]) => [dy && div(graph, dy, node.inputs[0])],
};

/** Natural logarithm, element by element. */
export function log(graph: Graph, x: Value): Value {
  return graph.add(logOp, [x]);
}
