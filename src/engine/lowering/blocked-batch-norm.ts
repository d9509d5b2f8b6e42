/** Batch normalisation over blocked memory: two reading passes and one writing pass, forward and backward. */
import { type Graph, sizeOf, type Value } from '../graph.ts';
import { add } from '../ops/add.ts';
import { div } from '../ops/div.ts';
import { mul } from '../ops/mul.ts';
import { relu } from '../ops/relu.ts';
import { sqrt } from '../ops/sqrt.ts';
import { sub } from '../ops/sub.ts';
import { blockedAffine } from './blocked-ops.ts';
import { channelDots, channelMeans } from './blocked-sums.ts';
import { paddedVector } from './blocked-weights.ts';

/** What the gradient needs of the forward pass; vectors [C] padded to the block. */
export interface NormState {
  /** The input, blocked. */
  readonly x: Value;
  readonly mean: Value;
  readonly variance: Value;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverse: Value;
  readonly scale: Value;
}

/** @returns the state, and y = x * slope + shift as two vectors [C] */
export function blockedNorm(
  graph: Graph,
  x: Value,
  parameters: { scale: Value; bias: Value; epsilon: number },
  block: number,
): { state: NormState; slope: Value; shift: Value } {
  const scale = paddedVector(graph, parameters.scale, block);
  const bias = paddedVector(graph, parameters.bias, block);
  const mean = channelMeans(graph, x, block);
  const square = mul(graph, channelDots(graph, x, x, block), perPixel(graph, x));
  // Rounding can leave a channel that does not vary slightly below zero.
  const variance = relu(graph, sub(graph, square, mul(graph, mean, mean)));
  const deviation = sqrt(graph, add(graph, variance, graph.scalar(parameters.epsilon)));
  const inverse = div(graph, graph.scalar(1), deviation);
  const slope = mul(graph, scale, inverse);
  const shift = sub(graph, bias, mul(graph, mean, slope));
  return { state: { x, mean, variance, inverse, scale }, slope, shift };
}

/** dy blocked -> dx blocked; dscale and dbias [C] padded. */
export function blockedNormGradient(
  graph: Graph,
  dy: Value,
  { x, mean, inverse, scale }: NormState,
  block: number,
): { dx: Value; dscale: Value; dbias: Value } {
  const share = perPixel(graph, x);
  const meanDy = channelMeans(graph, dy, block);
  const dotMean = mul(graph, channelDots(graph, dy, x, block), share);
  const slope = mul(graph, scale, inverse);
  // mean(dy * normalised x).
  const along = mul(graph, sub(graph, dotMean, mul(graph, mean, meanDy)), inverse);
  // dx = slope * (dy - mean(dy) - normalised x * mean(dy * normalised x)), gathered into slope dy + b x + c.
  const down = mul(graph, slope, graph.scalar(-1));
  const b = mul(graph, mul(graph, down, inverse), along);
  const c = sub(graph, mul(graph, down, meanDy), mul(graph, b, mean));
  const centred = blockedAffine(graph, x, b, { bias: c });
  const dx = blockedAffine(graph, dy, slope, { addend: centred });
  const count = graph.scalar(pixels(x));
  return { dx, dscale: mul(graph, along, count), dbias: mul(graph, meanDy, count) };
}

function pixels(x: Value): number {
  return sizeOf(x.shape) / x.shape[1];
}

function perPixel(graph: Graph, x: Value): Value {
  return graph.scalar(1 / pixels(x));
}
