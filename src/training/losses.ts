/** Losses over the pixels that count. All are scalars; `weight` is 1 where a pixel counts and 0 where not. */
import type { AffineMap } from '../dataset/normalisation.ts';
import { atLeast } from '../engine/at-least.ts';
import type { Graph, Value } from '../engine/graph.ts';
import { abs } from '../engine/ops/abs.ts';
import { add } from '../engine/ops/add.ts';
import { div } from '../engine/ops/div.ts';
import { mul } from '../engine/ops/mul.ts';
import { relu } from '../engine/ops/relu.ts';
import { sqrt } from '../engine/ops/sqrt.ts';
import { sub } from '../engine/ops/sub.ts';
import { reduceSum } from '../engine/ops/sum-expand.ts';

export const lossNames = ['mse', 'huber', 'root'] as const;
export type LossName = (typeof lossNames)[number];

/** Mean over the pixels that count; 0 when none does. All operands [N, 1, H, W]. */
export type Loss = (graph: Graph, prediction: Value, target: Value, weight: Value) => Value;

/** Where 'root' goes over into a straight line, in standard deviations of the target above a stored 0. */
const rootFrom = 0.1;

/**
 * - 'mse': squared error; its best prediction is the mean, which is what R2 asks for.
 * - 'huber': squared error up to one standard deviation of the target over the training tissue, linear beyond
 *   (Huber 1964), so that few very bright pixels do not decide the gradient.
 * - 'root': squared error of the square roots of the stored values, which makes shot noise alike in dark and bright
 *   pixels (Anscombe 1948); a straight line continues the root below a tenth of a standard deviation.
 * @param normalized whether the network's target is normalised by the map
 * @param targetMap mean and standard deviation of the target over the training tissue, in stored units
 */
export function lossOf(name: LossName, normalized: boolean, { offset, scale }: AffineMap): Loss {
  if (name === 'mse') return weightedMse;
  const [zero, sd] = normalized ? [-offset / scale, 1] : [0, scale];
  if (name === 'huber') {
    return (graph, prediction, target, weight) =>
      weightedMean(graph, huber(graph, sub(graph, prediction, target), sd), weight);
  }
  return (graph, prediction, target, weight) => {
    const rootOf = (value: Value): Value => {
      const inDeviations = mul(graph, sub(graph, value, graph.scalar(zero)), graph.scalar(1 / sd));
      return root(graph, inDeviations);
    };
    return weightedMse(graph, rootOf(prediction), rootOf(target), weight);
  };
}

/** Mean squared error. */
export const weightedMse: Loss = (graph, prediction, target, weight) => {
  const error = sub(graph, prediction, target);
  return weightedMean(graph, mul(graph, error, error), weight);
};

function weightedMean(graph: Graph, values: Value, weight: Value): Value {
  const sum = reduceSum(graph, mul(graph, values, weight));
  return div(graph, sum, atLeast(graph, reduceSum(graph, weight), 1));
}

/** error^2 up to `bound`, then bound (2 |error| - bound). */
function huber(graph: Graph, error: Value, bound: number): Value {
  const size = abs(graph, error);
  const beyond = relu(graph, sub(graph, size, graph.scalar(bound)));
  const within = sub(graph, size, beyond);
  return mul(graph, within, sub(graph, mul(graph, size, graph.scalar(2)), within));
}

/** 2 sqrt(x) from `rootFrom` on, its tangent there below, so that it has a slope everywhere. */
function root(graph: Graph, x: Value): Value {
  const above = relu(graph, sub(graph, x, graph.scalar(rootFrom)));
  const below = sub(graph, sub(graph, x, graph.scalar(rootFrom)), above);
  const curve = mul(graph, sqrt(graph, add(graph, above, graph.scalar(rootFrom))), graph.scalar(2));
  return add(graph, curve, mul(graph, below, graph.scalar(1 / Math.sqrt(rootFrom))));
}
