/** Pow as far as optimisers need it. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferBroadcast } from './broadcast.ts';

const powOp: Op = { name: 'Pow', infer: inferBroadcast };

/** base to the power of exponent, broadcast. Without a gradient: schedules and corrections use it. */
export function pow(graph: Graph, base: Value, exponent: Value): Value {
  return graph.add(powOp, [base, exponent]);
}
