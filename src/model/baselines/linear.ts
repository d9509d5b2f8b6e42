/** `linear`: ridge regression on every input smoothed at several scales. What needs no network. */
import type { Value } from '../../engine/graph.ts';
import { concat } from '../../engine/ops/concat.ts';
import { filled, type NetworkBuilder, type NetworkFunction } from '../network.ts';
import { gaussianBlur } from './gaussian-bank.ts';

/** Standard deviations of the smoothing in micrometres; the inputs as they are come first. */
const scalesUm = [1, 2, 4, 8, 16, 32, 64];

/** Input [N, C, H, W] -> [N, 8 C, H, W]. */
export function linearFeatures(pixelSizeUm: number): NetworkFunction {
  return (b, input) => {
    const smoothed = scalesUm.map((scale) => gaussianBlur(b.graph, input, scale / pixelSizeUm));
    return concat(b.graph, [input, ...smoothed], 1);
  };
}

/** [N, roles, H, W] to [N, 1, H, W], both normalised: a weighted sum of the features of `linearFeatures`. */
export function linear(pixelSizeUm: number): NetworkFunction {
  return (b: NetworkBuilder, input: Value) =>
    b.conv(linearFeatures(pixelSizeUm)(b, input), 'linear', { out: 1, kernel: 1, initialize: filled(0) });
}
