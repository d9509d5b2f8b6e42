/**
 * Batch normalisation over blocked memory. The input is centred in a pass of its own: variances from E[x^2] - E[x]^2
 * would save it, but cost a digit of what deep networks learn.
 */
import { type Graph, sizeOf, type Value } from '../graph.ts';
import { add } from '../ops/add.ts';
import { div } from '../ops/div.ts';
import { mul } from '../ops/mul.ts';
import { sqrt } from '../ops/sqrt.ts';
import { blockedAffine, onesFor } from './blocked-ops.ts';
import { channelDots, channelMeans } from './blocked-sums.ts';
import { paddedVector } from './blocked-weights.ts';

/** What the gradient needs of the forward pass; vectors [C] padded to the block. */
export interface NormState {
  /** The input less its mean, blocked. */
  readonly centred: Value;
  readonly mean: Value;
  readonly variance: Value;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverse: Value;
  readonly scale: Value;
}

/** @returns the state, and y = centred * slope + shift as two vectors [C] */
export function blockedNorm(
  graph: Graph,
  x: Value,
  parameters: { scale: Value; bias: Value; epsilon: number },
  block: number,
): { state: NormState; slope: Value; shift: Value } {
  const scale = paddedVector(graph, parameters.scale, block);
  const bias = paddedVector(graph, parameters.bias, block);
  const mean = channelMeans(graph, x, block);
  const down = mul(graph, mean, graph.scalar(-1));
  const centred = blockedAffine(graph, x, onesFor(graph, x), { bias: down });
  const variance = mul(graph, channelDots(graph, centred, centred, block), perPixel(graph, x));
  const deviation = sqrt(graph, add(graph, variance, graph.scalar(parameters.epsilon)));
  const inverse = div(graph, graph.scalar(1), deviation);
  const slope = mul(graph, scale, inverse);
  return { state: { centred, mean, variance, inverse, scale }, slope, shift: bias };
}

/** dy blocked -> dx blocked; dscale and dbias [C] padded. */
export function blockedNormGradient(
  graph: Graph,
  dy: Value,
  { centred, inverse, scale }: NormState,
  block: number,
): { dx: Value; dscale: Value; dbias: Value } {
  const meanDy = channelMeans(graph, dy, block);
  const slope = mul(graph, scale, inverse);
  // mean(dy * normalised x).
  const along = mul(graph, mul(graph, channelDots(graph, dy, centred, block), perPixel(graph, dy)), inverse);
  // dx = slope * (dy - mean(dy) - normalised x * mean(dy * normalised x)), gathered into slope dy + b centred + c.
  const down = mul(graph, slope, graph.scalar(-1));
  const b = mul(graph, mul(graph, down, inverse), along);
  const rest = blockedAffine(graph, centred, b, { bias: mul(graph, down, meanDy) });
  const dx = blockedAffine(graph, dy, slope, { addend: rest });
  const count = graph.scalar(pixels(dy));
  return { dx, dscale: mul(graph, along, count), dbias: mul(graph, meanDy, count) };
}

function pixels(x: Value): number {
  return sizeOf(x.shape) / x.shape[1];
}

function perPixel(graph: Graph, x: Value): Value {
  return graph.scalar(1 / pixels(x));
}
