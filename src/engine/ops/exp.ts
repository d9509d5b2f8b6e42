/** Exp, whose gradient dy e^x takes e^x from the output. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferSame } from './broadcast.ts';
import { mul } from './mul.ts';

const expOp: Op = {
  name: 'Exp',
  infer: inferSame,
  gradient: (graph, node, [dy]) => [dy && mul(graph, dy, node.outputs[0])],
};

/** e to the power of x, element by element. */
export function exp(graph: Graph, x: Value): Value {
  return graph.add(expOp, [x]);
}
