/** Abs, whose gradient is dy times the sign of x. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferSame } from './broadcast.ts';
import { mul } from './mul.ts';
import { sign } from './sign.ts';

const absOp: Op = {
  name: 'Abs',
  infer: inferSame,
  gradient: (graph, node, [dy]) => [dy && mul(graph, dy, sign(graph, node.inputs[0]))],
};

/** Absolute value; its gradient at 0 is taken as 0. */
export function abs(graph: Graph, x: Value): Value {
  return graph.add(absOp, [x]);
}
