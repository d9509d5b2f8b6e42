/** Sign: flat wherever it is continuous, so it passes no gradient on. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferSame } from './broadcast.ts';

const signOp: Op = { name: 'Sign', infer: inferSame, gradient: () => [undefined] };

/** -1, 0 or 1. No gradient flows through it. */
export function sign(graph: Graph, x: Value): Value {
  return graph.add(signOp, [x]);
}
