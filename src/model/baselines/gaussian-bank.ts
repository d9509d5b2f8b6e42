/** Gaussian smoothing as a graph; wide Gaussians work on averaged pixels, so that their kernels stay short. */
import type { Graph, Value } from '../../engine/graph.ts';
import { averagePool } from '../../engine/ops/average-pool.ts';
import { conv } from '../../engine/ops/convolution.ts';
import { resizeBilinear } from '../../engine/ops/resize-bilinear.ts';

/** Largest averaging before smoothing; tile origins are multiples of it. */
export const bankStride = 16;
/** Averaging goes on while a Gaussian keeps about this standard deviation, in averaged pixels. */
const leastSigma = 3;
/** Kernels end at this many standard deviations. */
const truncate = 3;

/**
 * x [N, C, H, W] smoothed with standard deviation `sigmaPx`, channel by channel; beyond the borders lie zeros. Where
 * it averages f x f pixels first, the variances that averaging and bilinear enlarging add are taken off.
 */
export function gaussianBlur(graph: Graph, x: Value, sigmaPx: number): Value {
  let factor = 1;
  while (factor < bankStride && sigmaPx / (2 * factor) >= leastSigma) factor *= 2;
  if (factor === 1) return separable(graph, x, sigmaPx);
  const added = (factor ** 2 - 1) / 12 + factor ** 2 / 6;
  const sigma = Math.sqrt(sigmaPx ** 2 - added) / factor;
  return resizeBilinear(graph, separable(graph, averagePool(graph, x, factor), sigma), factor, 'half_pixel');
}

function separable(graph: Graph, x: Value, sigmaPx: number): Value {
  const radius = Math.max(1, Math.ceil(truncate * sigmaPx));
  const taps = Float32Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigmaPx ** 2)),
  );
  const sum = taps.reduce((total, tap) => total + tap, 0);
  const channels = x.shape[1];
  const kernel = (height: number, width: number): Value => {
    const weight = new Float32Array(channels * channels * taps.length);
    for (let c = 0; c < channels; c++)
      weight.set(
        taps.map((tap) => tap / sum),
        c * (channels + 1) * taps.length,
      );
    return graph.constant(weight, [channels, channels, height, width]);
  };
  const across = conv(graph, x, kernel(1, taps.length), undefined, { pads: [0, radius, 0, radius] });
  return conv(graph, across, kernel(taps.length, 1), undefined, { pads: [radius, 0, radius, 0] });
}
