/** Dropout without an operator of its own: a product with a mask, so the gradient is that of Mul. */
import type { Graph, Value } from '../graph.ts';
import { mul } from './mul.ts';

/**
 * Dropout by a mask that is fed, so that its randomness is the caller's: entries are 0 or 1 / (1 - rate). A mask
 * [N, C, 1, 1] drops whole channels.
 */
export function dropout(graph: Graph, x: Value, mask: Value): Value {
  return mul(graph, x, mask);
}
