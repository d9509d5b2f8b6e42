/**
 * GANDA (Tang et al., J Control Release 2021, arXiv 2012.12561): a U-Net generator that draws the probe image, and
 * a discriminator that tells measured from drawn probe images. Both see intensities divided by their range, so
 * that the generator's tanh covers them.
 */
import { assert } from '../core/errors.ts';
import { sizeOf, type Value } from '../engine/graph.ts';
import { add } from '../engine/ops/add.ts';
import { leakyRelu } from '../engine/ops/leaky-relu.ts';
import { matMul } from '../engine/ops/mat-mul.ts';
import { reshape } from '../engine/ops/reshape.ts';
import { sigmoid } from '../engine/ops/sigmoid.ts';
import { tanh } from '../engine/ops/tanh.ts';
import { fanInUniform, filled, type NetworkBuilder } from './network.ts';
import { uNetBody } from './unet.ts';

/** One 3x3 convolution a level, two at the bottom; output within -1 and 1. */
export function gandaGenerator(b: NetworkBuilder, input: Value): Value {
  const x = uNetBody(b, input, { convolutions: 1, bottomConvolutions: 2, initialize: fanInUniform });
  return tanh(b.graph, b.conv(x, 'output', { out: 1, initialize: fanInUniform }));
}

const discriminatorWidths = [16, 32, 64, 128, 256, 512];

/**
 * [N, 1, P, P] -> [N, 1], 1 for measured and 0 for drawn; P a multiple of 64. Its dense layer fits one patch size
 * only; it takes part in training and not in prediction.
 */
export function gandaDiscriminator(b: NetworkBuilder, image: Value): Value {
  const { graph: g } = b;
  const edge = 2 ** discriminatorWidths.length;
  assert(image.shape[2] % edge === 0 && image.shape[3] % edge === 0, `patches are multiples of ${edge}`);
  let x = image;
  discriminatorWidths.forEach((out, i) => {
    const name = `critic.${i}`;
    const layer = { out, kernel: 4, stride: 2, pads: [1, 1, 1, 1], initialize: fanInUniform };
    const y = i === 0 ? b.conv(x, name, layer) : b.convNorm(x, name, `${name}.norm`, layer);
    x = leakyRelu(g, y, 0.2);
  });
  const features = sizeOf(x.shape.slice(1));
  // A row of weights as a dense layer stores it; its fan-in is its length, as for a convolution.
  const weight = b.parameter('critic.dense.weight', [1, features], fanInUniform);
  const bias = b.parameter('critic.dense.bias', [1], filled(0));
  const product = matMul(g, reshape(g, x, [x.shape[0], features]), reshape(g, weight, [features, 1]));
  return sigmoid(g, add(g, product, reshape(g, bias, [1, 1])));
}
