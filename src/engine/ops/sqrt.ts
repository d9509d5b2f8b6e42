/** Sqrt, whose gradient dy / (2 sqrt x) takes the root from the output. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferSame } from './broadcast.ts';
import { div } from './div.ts';
import { mul } from './mul.ts';

const sqrtOp: Op = {
  name: 'Sqrt',
  infer: inferSame,
  gradient: (graph, node, [dy]) => [dy && div(graph, mul(graph, dy, graph.scalar(0.5)), node.outputs[0])],
};

/** Square root, element by element. */
export function sqrt(graph: Graph, x: Value): Value {
  return graph.add(sqrtOp, [x]);
}
