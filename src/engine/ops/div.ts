/** Div with broadcasting; the gradients are dy / b and -(dy / b) (a / b), the quotient taken from the output. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferBroadcast } from './broadcast.ts';
import { mul } from './mul.ts';
import { sumToShape } from './sum-expand.ts';

const divOp: Op = {
  name: 'Div',
  infer: inferBroadcast,
  gradient: (graph, node, [dy]) => {
    if (!dy) return [undefined, undefined];
    const [a, b] = node.inputs;
    const overB = div(graph, dy, b);
    const quotient = node.outputs[0];
    return [
      sumToShape(graph, overB, a.shape),
      mul(graph, sumToShape(graph, mul(graph, overB, quotient), b.shape), graph.scalar(-1)),
    ];
  },
};

/** a / b, broadcast. */
export function div(graph: Graph, a: Value, b: Value): Value {
  return graph.add(divOp, [a, b]);
}
