/** `distance`: the probe as a monotone function of the distance to the nearest vessel, and of nothing else. */
import type { Value } from '../../engine/graph.ts';
import { add } from '../../engine/ops/add.ts';
import { lookUp } from '../../engine/ops/lookup.ts';
import { mul } from '../../engine/ops/mul.ts';
import { relu } from '../../engine/ops/relu.ts';
import { sub } from '../../engine/ops/sub.ts';
import { filled, type NetworkBuilder } from '../network.ts';

/** Distances beyond it count as it. */
const distanceCapUm = 150;
/** Width of a step of the function. */
const distanceStepUm = 0.1;
export const distanceSteps = Math.round(distanceCapUm / distanceStepUm) + 1;

/** Index of a distance's step; the vessels themselves, at 0, have the first one for themselves. */
export const stepOf = (distanceUm: number): number =>
  Math.floor(Math.fround(Math.min(distanceUm, distanceCapUm) / distanceStepUm) + 0.5);

/** Distance to the nearest vessel in micrometres [N, 1, H, W] -> [N, 1, H, W]. */
export function distance(b: NetworkBuilder, um: Value): Value {
  const { graph: g } = b;
  const cap = g.scalar(distanceCapUm);
  const capped = sub(g, cap, relu(g, sub(g, cap, um)));
  const position = add(g, mul(g, capped, g.scalar(1 / distanceStepUm)), g.scalar(0.5));
  return lookUp(g, b.parameter('distance.profile', [distanceSteps], filled(0)), position);
}
