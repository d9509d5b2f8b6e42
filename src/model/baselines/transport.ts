/**
 * `transport`: steady screened diffusion from vessels that all leak alike. Solves lambda^2 laplace(C) - C = -S in the
 * plane for a source S that is 1 in vessels, and adds a background and the signal inside the vessels:
 * probe = background + intravascular * vessel + permeability * C. The kernel of C, K0(r / lambda) / (2 pi lambda^2),
 * is the integral of Gaussians of all widths s with weight exp(-s^2 / 2 lambda^2) s / lambda^2 ds, so C is a
 * weighted sum of a bank of Gaussians over the vessel mask.
 */
import type { Value } from '../../engine/graph.ts';
import { concat } from '../../engine/ops/concat.ts';
import { filled, type NetworkBuilder, type NetworkFunction } from '../network.ts';
import { gaussianBlur } from './gaussian-bank.ts';

/** Widths of the bank: from half a micrometre up to 128 in steps of a square root of two. */
const firstScaleUm = 0.5;
const scaleRatio = Math.SQRT2;
const scales = 17;

const scaleUm = (k: number): number => firstScaleUm * scaleRatio ** k;

/** Vessel mask [N, 1, H, W] -> [N, 18, H, W]: the mask, then its smoothed copies. */
export function transportFeatures(pixelSizeUm: number): NetworkFunction {
  return (b, mask) => {
    const smoothed = Array.from({ length: scales }, (_, k) =>
      gaussianBlur(b.graph, mask, scaleUm(k) / pixelSizeUm),
    );
    return concat(b.graph, [mask, ...smoothed], 1);
  };
}

/** Weights of the features that make up C; they sum to 1, as the kernel integrates to 1. */
export function kernelWeights(lengthUm: number): Float64Array {
  const weights = new Float64Array(1 + scales);
  // Each width stands for its octave on a logarithmic axis; the integral over it is known in closed form.
  const edge = (k: number): number => Math.exp(-((scaleUm(k - 0.5) / lengthUm) ** 2) / 2);
  weights[0] = 1 - edge(0);
  for (let k = 0; k < scales; k++) weights[k + 1] = edge(k) - (k + 1 < scales ? edge(k + 1) : 0);
  return weights;
}

/** Vessel mask [N, 1, H, W] to [N, 1, H, W], normalised: a weighted sum of the features of `transportFeatures`. */
export function transport(pixelSizeUm: number): NetworkFunction {
  return (b: NetworkBuilder, mask: Value) =>
    b.conv(transportFeatures(pixelSizeUm)(b, mask), 'transport', {
      out: 1,
      kernel: 1,
      initialize: filled(0),
    });
}
