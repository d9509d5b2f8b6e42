// max(x, bound), from the operators that there are.
import type { Graph, Value } from './graph.ts';
import { add } from './ops/add.ts';
import { relu } from './ops/relu.ts';
import { sub } from './ops/sub.ts';

/** Elementwise; where x is below the bound no gradient comes back. */
export function atLeast(graph: Graph, x: Value, bound: number): Value {
  if (bound === 0) return relu(graph, x);
  return add(graph, relu(graph, sub(graph, x, graph.scalar(bound))), graph.scalar(bound));
}
