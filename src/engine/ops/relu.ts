/** Relu, whose gradient is dy where the output is above 0. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferSame } from './broadcast.ts';
import { mul } from './mul.ts';
import { step } from './step.ts';

const reluOp: Op = {
  name: 'Relu',
  infer: inferSame,
  // From the output, which is kept anyway: positive where the unit was on, 0 where it was off.
  gradient: (graph, node, [dy]) => [dy && mul(graph, dy, step(graph, node.outputs[0]))],
};

/** max(x, 0); its gradient at 0 is 0. */
export function relu(graph: Graph, x: Value): Value {
  return graph.add(reluOp, [x]);
}
