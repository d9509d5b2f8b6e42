/** Losses over the pixels that count. All are scalars; `weight` is 1 where a pixel counts and 0 where not. */
import type { Graph, Value } from '../engine/graph.ts';
import { add } from '../engine/ops/add.ts';
import { div } from '../engine/ops/div.ts';
import { mul } from '../engine/ops/mul.ts';
import { relu } from '../engine/ops/relu.ts';
import { sub } from '../engine/ops/sub.ts';
import { reduceSum } from '../engine/ops/sum-expand.ts';

/** Mean squared error over the pixels that count; 0 when none does. All operands [N, 1, H, W]. */
export function weightedMse(graph: Graph, prediction: Value, target: Value, weight: Value): Value {
  const error = sub(graph, prediction, target);
  const sum = reduceSum(graph, mul(graph, mul(graph, error, error), weight));
  return div(graph, sum, atLeast(graph, reduceSum(graph, weight), 1));
}

/** max(x, bound) for a scalar, from the operators that there are. */
export function atLeast(graph: Graph, x: Value, bound: number): Value {
  return add(graph, relu(graph, sub(graph, x, graph.scalar(bound))), graph.scalar(bound));
}
