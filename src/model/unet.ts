/**
 * U-Net (Ronneberger, Fischer and Brox 2015) with batch normalisation and padded convolutions: four halvings by
 * max-pooling, transposed convolutions back up, and the fine features concatenated at every level.
 */
import type { Value } from '../engine/graph.ts';
import { concat } from '../engine/ops/concat.ts';
import { convTranspose } from '../engine/ops/convolution.ts';
import { maxPool } from '../engine/ops/max-pool.ts';
import { relu } from '../engine/ops/relu.ts';
import { heNormal, type Initializer, type NetworkBuilder } from './network.ts';

/** Channels of the levels, finest first. */
const widths = [16, 32, 64, 128, 256];

export interface UNetBody {
  /** Convolutions a level, and at the bottom; each with batch normalisation and ReLU. */
  readonly convolutions: number;
  readonly bottomConvolutions: number;
  readonly initialize: Initializer;
}

/** Everything but the output layer: [N, roles, H, W] -> [N, 16, H, W]; H and W multiples of 16. */
export function uNetBody(b: NetworkBuilder, input: Value, body: UNetBody): Value {
  const { graph: g } = b;
  const { initialize } = body;
  const level = (x: Value, name: string, out: number, count: number): Value => {
    let y = x;
    for (let i = 0; i < count; i++) {
      y = relu(g, b.convNorm(y, `${name}.${i}`, `${name}.${i}.norm`, { out, initialize }));
    }
    return y;
  };
  const enlarge = (x: Value, name: string, out: number): Value =>
    convTranspose(
      g,
      x,
      b.parameter(`${name}.weight`, [x.shape[1], out, 2, 2], initialize),
      b.parameter(`${name}.bias`, [out], (_, shape) => new Float32Array(shape[0])),
      { stride: 2 },
    );

  const bottom = widths.length - 1;
  const kept: Value[] = [];
  let x = input;
  for (let i = 0; i < bottom; i++) {
    kept.push(level(x, `down${i}`, widths[i], body.convolutions));
    x = maxPool(g, kept[i], 2);
  }
  x = level(x, 'bottom', widths[bottom], body.bottomConvolutions);
  for (let i = bottom - 1; i >= 0; i--) {
    const joined = concat(g, [kept[i], enlarge(x, `enlarge${i}`, widths[i])], 1);
    x = level(joined, `up${i}`, widths[i], body.convolutions);
  }
  return x;
}

/** Two convolutions a level, as in the original. */
export function unet(b: NetworkBuilder, input: Value): Value {
  const x = uNetBody(b, input, { convolutions: 2, bottomConvolutions: 2, initialize: heNormal });
  return b.conv(x, 'output', { out: 1, kernel: 1 });
}
