/**
 * Quantile heads beside a trained network: how far the measured value may lie below and above the prediction. A small
 * network sees the inputs around a pixel (44 px, less than any network here sees) and the prediction at it, so it knows
 * where the prediction errs and not only at which value. It is trained after the network, which stays as it is.
 */
import type { Value } from '../engine/graph.ts';
import { add } from '../engine/ops/add.ts';
import { averagePool, resizeNearest } from '../engine/ops/average-pool.ts';
import { div } from '../engine/ops/div.ts';
import { mul } from '../engine/ops/mul.ts';
import { relu } from '../engine/ops/relu.ts';
import { reshape } from '../engine/ops/reshape.ts';
import { depthToSpace, spaceToDepth } from '../engine/ops/space-depth.ts';
import { split } from '../engine/ops/split.ts';
import { sub } from '../engine/ops/sub.ts';
import { filled, heNormal, type NetworkBuilder, type NetworkFunction } from './network.ts';

/** Extents are multiples of it. */
export const spreadStride = 16;

/** The quantiles of measured less predicted that the heads stand for: minus the first output, and the second. */
export const spreadLevels = [0.05, 0.95] as const;

/**
 * Tensors that are measured and not learnt: mean and standard deviation of each input role as the network takes it and of
 * the prediction in units of the target, and the root mean square of its errors.
 */
export const spreadTensors = {
  inputs: { center: 'spread.inputs.center', scale: 'spread.inputs.scale' },
  probe: { center: 'spread.probe.center', scale: 'spread.probe.scale' },
  unit: 'spread.unit',
} as const;

/**
 * Bounds of a spread in standardised units. Errors are divided by it, so that a spread near zero, or one that runs away where
 * a pixel is unlike any in training, would make every interval wide.
 */
const [least, most] = [0.1, 3];

/**
 * Standardised inputs [N, roles, H, W] and prediction [N, 1, H, W] -> [N, 2, H, W]: below and above, positive, in
 * units of the errors' root mean square.
 */
function heads(b: NetworkBuilder, inputs: Value, prediction: Value): Value {
  const { graph: g } = b;
  const layer = (x: Value, name: string, out: number): Value => relu(g, b.conv(x, `spread.${name}`, { out }));
  const point = (x: Value, name: string, out: number): Value =>
    b.conv(x, `spread.${name}`, { out, kernel: 1 });
  const quarter = layer(spaceToDepth(g, inputs, 4), 'quarter', 16);
  const eighth = layer(averagePool(g, quarter, 2), 'eighth', 24);
  const sixteenth = layer(layer(averagePool(g, eighth, 2), 'sixteenth', 32), 'around', 32);
  const coarse = relu(g, add(g, eighth, resizeNearest(g, point(sixteenth, 'up.eighth', 24), 2)));
  const around = relu(g, add(g, quarter, resizeNearest(g, point(coarse, 'up.quarter', 16), 2)));
  const own = point(spaceToDepth(g, prediction, 2), 'prediction', 16);
  const joined = relu(g, add(g, own, resizeNearest(g, point(around, 'up.half', 16), 2)));
  const hidden = relu(g, point(joined, 'hidden', 16));
  const out = b.conv(hidden, 'spread.out', { out: 8, kernel: 1, initialize: nearZero });
  const root = add(g, depthToSpace(g, out, 2), g.scalar(1));
  const square = mul(g, root, root);
  // A fraction nears its bound slowly, so that learning finds the way back, which the flat ends of a sigmoid prevent.
  const bounded = div(g, square, add(g, mul(g, square, g.scalar(1 / most)), g.scalar(1)));
  return add(g, bounded, g.scalar(least));
}

const nearZero: typeof heNormal = (rng, shape) => heNormal(rng, shape).map((v) => 0.1 * v);

/** The heads for training: inputs and prediction, standardised, in one tensor [N, roles + 1, H, W]. */
export const spreadNetwork: NetworkFunction = (b, input) => {
  const [inputs, prediction] = split(b.graph, input, [input.shape[1] - 1, 1], 1);
  return heads(b, inputs, prediction);
};

/**
 * The heads for prediction.
 * @param inputs [N, roles, H, W] as the model's network takes them
 * @param probe [N, 1, H, W] in units of the target
 * @returns [N, 2, H, W] in units of the target
 */
export function spreadOf(b: NetworkBuilder, inputs: Value, probe: Value): Value {
  const { graph: g } = b;
  const standardised = (x: Value, { center, scale }: { center: string; scale: string }): Value => {
    const constant = (name: string): Value =>
      reshape(g, b.parameter(name, [x.shape[1]], filled(0)), [1, x.shape[1], 1, 1]);
    return div(g, sub(g, x, constant(center)), constant(scale));
  };
  const spread = heads(
    b,
    standardised(inputs, spreadTensors.inputs),
    standardised(probe, spreadTensors.probe),
  );
  return mul(g, spread, b.parameter(spreadTensors.unit, [1], filled(1)));
}
