/** How each operator runs on blocked memory. A rule returns false where the node had better stay plain. */
import { type Node, sameShape, sizeOf, type Value } from '../graph.ts';
import { add } from '../ops/add.ts';
import { padsOf, strideOf } from '../ops/convolution.ts';
import { mul } from '../ops/mul.ts';
import { reshape } from '../ops/reshape.ts';
import { blockedNorm, blockedNormGradient } from './blocked-batch-norm.ts';
import type { BlockedLayout, Pending } from './blocked-layout.ts';
import {
  type Blocked,
  blockedAffine,
  blockedAveragePool,
  blockedMaxPool,
  blockedUpsample,
  nchwcConv,
  onesFor,
  strides,
  takesBlockedInput,
  toPlain,
  view,
} from './blocked-ops.ts';
import { channelMeans } from './blocked-sums.ts';
import { blockedWeightGradient } from './blocked-weight-gradient.ts';
import { blockedWeight, paddedVector, trimmedVector, type WeightSource } from './blocked-weights.ts';

export type BlockedRule = (layout: BlockedLayout, node: Node) => boolean;

/** The operand as the runtime's convolution takes it for its number of channels. */
function convOperand(layout: BlockedLayout, value: Value): Blocked | Value {
  return takesBlockedInput(value.shape[1], layout.block) ? layout.blocked(value) : layout.plain(value);
}

const memoryOf = (operand: Blocked | Value): Value => ('blocked' in operand ? operand.blocked : operand);

const conv: BlockedRule = (layout, node) => {
  const { graph, block } = layout;
  const [x, w, bias] = node.inputs;
  const [k, c, kh, kw] = w.shape;
  if (k < block && c < block) return false;
  const operand = memoryOf(convOperand(layout, x));
  const weight = blockedWeight(graph, weightSource(layout, w), block);
  const vector = bias && paddedVector(graph, layout.plain(bias), block);
  const emit: Pending['emit'] = (addend, activation) => ({
    blocked: nchwcConv(graph, operand, weight, {
      kernel: [kh, kw],
      strides: strides(node.attributes),
      pads: padsOf(node.attributes),
      bias: vector,
      addend,
      activation,
    }),
    channels: k,
  });
  // A few channels are no use in blocks: what follows runs on plain memory.
  if (k < block) layout.setPlain(node.outputs[0], toPlain(graph, emit(undefined, undefined)));
  else layout.setPending(node.outputs[0], { addends: [], emit });
  return true;
};

/** Sees through the transposition and the reversal of taps that the gradient of a convolution's input begins with. */
function weightSource(layout: BlockedLayout, w: Value): WeightSource {
  const slice = w.producer;
  const isReversal =
    slice?.op.name === 'Slice' && slice.inputs[4].constant?.every((s) => Number(s) === -1) === true;
  const isOneTap = w.shape[2] * w.shape[3] === 1;
  const transpose = isReversal ? slice.inputs[0].producer : isOneTap ? slice : undefined;
  if (transpose?.op.name === 'Transpose' && `${transpose.attributes.perm}` === '1,0,2,3') {
    return { w: layout.plain(transpose.inputs[0]), turned: true };
  }
  return { w: layout.plain(w), turned: false };
}

const weightGradient: BlockedRule = (layout, node) => {
  const { graph, block } = layout;
  const [x, dy] = node.inputs;
  if (x.shape[1] < block && dy.shape[1] < block) return false;
  const [kh, kw] = node.attributes.kernel_shape as number[];
  const options = {
    kernel: [kh, kw] as const,
    stride: strideOf(node.attributes),
    pads: padsOf(node.attributes),
  };
  const dw = blockedWeightGradient(graph, convOperand(layout, x), convOperand(layout, dy), options, block);
  if (!dw) return false;
  layout.setPlain(node.outputs[0], dw);
  return true;
};

const norm: BlockedRule = (layout, node) => {
  const { graph, block } = layout;
  const [x, scale, bias] = node.inputs;
  if (!layout.isBlocked(x)) return false;
  const { blocked, channels } = layout.blocked(x);
  const { state, slope, shift } = blockedNorm(
    graph,
    blocked,
    {
      scale: layout.plain(scale),
      bias: layout.plain(bias),
      epsilon: (node.attributes.epsilon as { float: number }).float,
    },
    block,
  );
  const [y, centred, , mean, variance] = node.outputs;
  layout.norms.set(centred, state);
  layout.setPending(y, {
    addends: [],
    emit: (addend, activation) => ({
      blocked: blockedAffine(graph, state.centred, slope, { bias: shift, addend, activation }),
      channels,
    }),
  });
  layout.setPlain(mean, trimmedVector(graph, state.mean, channels));
  layout.setPlain(variance, trimmedVector(graph, state.variance, channels));
  return true;
};

const normGradient: BlockedRule = (layout, node) => {
  const { graph, block } = layout;
  const [dy, centred] = node.inputs;
  const state = layout.norms.get(centred);
  if (!state) return false;
  const { blocked, channels } = layout.blocked(dy);
  const { dx, dscale, dbias } = blockedNormGradient(graph, blocked, state, block);
  layout.setBlocked(node.outputs[0], { blocked: dx, channels });
  layout.setPlain(node.outputs[1], trimmedVector(graph, dscale, channels));
  layout.setPlain(node.outputs[2], trimmedVector(graph, dbias, channels));
  return true;
};

const relu: BlockedRule = (layout, node) => {
  const [x] = node.inputs;
  const pending = layout.pendingOf(x);
  if (!pending || !layout.isUsedOnce(x)) return elementWise(layout, node);
  layout.setBlocked(node.outputs[0], layout.emit(pending, 'Relu'));
  return true;
};

/** Operators that work on every number by itself and keep zero finite, so that memory order does not matter. */
const elementWise: BlockedRule = (layout, node) => {
  const [y] = node.outputs;
  const isTensor = (value: Value): boolean => sizeOf(value.shape) > 1;
  const tensors = node.inputs.filter(isTensor);
  if (!tensors.some((value) => layout.isBlocked(value))) return false;
  if (!tensors.every((value) => sameShape(value.shape, y.shape))) return false;
  const operands = node.inputs.map((value) =>
    isTensor(value) ? layout.blocked(value).blocked : layout.plain(value),
  );
  const blocked = layout.graph.add(node.op, operands, node.attributes);
  layout.setBlocked(y, { blocked, channels: y.shape[1] });
  return true;
};

/** A sum waits for the kernel of one of its operands. */
const addition: BlockedRule = (layout, node) => {
  const [a, b] = node.inputs;
  if (!sameShape(a.shape, b.shape)) return elementWise(layout, node);
  for (const [host, other] of [
    [b, a],
    [a, b],
  ]) {
    const pending = layout.pendingOf(host);
    if (!pending || !layout.isUsedOnce(host) || host === other) continue;
    layout.setPending(node.outputs[0], { ...pending, addends: [...pending.addends, other] });
    return true;
  }
  if (!layout.isBlocked(a) && !layout.isBlocked(b)) return false;
  // No kernel to join: an affine that copies adds and rectifies in one pass.
  const [host, addend] = layout.isUsedOnce(a) ? [b, a] : [a, b];
  const { graph } = layout;
  layout.setPending(node.outputs[0], {
    addends: [addend],
    emit: (sum, activation) => {
      const { blocked, channels } = layout.blocked(host);
      if (!sum) return { blocked, channels };
      const joined = activation
        ? blockedAffine(graph, blocked, onesFor(graph, blocked), { addend: sum, activation })
        : add(graph, blocked, sum);
      return { blocked: joined, channels };
    },
  });
  return true;
};

/** x * mask [N, C, 1, 1]: a factor for every channel of every image. */
const product: BlockedRule = (layout, node) => {
  const [x, mask] = node.inputs;
  const [n, c, h, w] = x.shape;
  if (!layout.isBlocked(x) || !sameShape(mask.shape, [n, c, 1, 1])) return elementWise(layout, node);
  const { graph } = layout;
  const { blocked, channels } = layout.blocked(x);
  const factors = layout.blocked(mask).blocked;
  const padded = blocked.shape[1];
  const images = view(graph, blocked, [1, n * padded, h, w]);
  const scaled = blockedAffine(graph, images, view(graph, factors, [n * padded]));
  layout.setBlocked(node.outputs[0], { blocked: view(graph, scaled, blocked.shape), channels });
  return true;
};

const averagePool: BlockedRule = (layout, node) => {
  const [x] = node.inputs;
  if (!layout.isBlocked(x)) return false;
  const { blocked, channels } = layout.blocked(x);
  const [h, w] = node.attributes.kernel_shape as number[];
  layout.setBlocked(node.outputs[0], {
    blocked: blockedAveragePool(layout.graph, blocked, [h, w]),
    channels,
  });
  return true;
};

/** Where nobody asks which of a window's pixels was the largest. */
const maxPool: BlockedRule = (layout, node) => {
  const [x] = node.inputs;
  if (!layout.isBlocked(x) || layout.isUsed(node.outputs[1])) return false;
  const { blocked, channels } = layout.blocked(x);
  const [h, w] = node.attributes.kernel_shape as number[];
  layout.setBlocked(node.outputs[0], { blocked: blockedMaxPool(layout.graph, blocked, [h, w]), channels });
  return true;
};

const resize: BlockedRule = (layout, node) => {
  const [x, , scales] = node.inputs;
  if (!layout.isBlocked(x)) return false;
  const factor = (scales.constant as Float32Array)[2];
  const corners =
    node.attributes.mode === 'linear'
      ? (node.attributes.coordinate_transformation_mode as string)
      : undefined;
  const { blocked, channels } = layout.blocked(x);
  layout.setBlocked(node.outputs[0], {
    blocked: blockedUpsample(layout.graph, blocked, factor, corners),
    channels,
  });
  return true;
};

/** Only where every part fills its blocks. */
const concatenation: BlockedRule = (layout, node) => {
  const fits =
    node.attributes.axis === 1 &&
    node.outputs[0].shape.length === 4 &&
    node.inputs.every((part) => part.shape[1] % layout.block === 0) &&
    node.inputs.some((part) => layout.isBlocked(part));
  if (!fits) return false;
  const parts = node.inputs.map((part) => layout.blocked(part).blocked);
  const blocked = layout.graph.add(node.op, parts, node.attributes);
  layout.setBlocked(node.outputs[0], { blocked, channels: blocked.shape[1] });
  return true;
};

/** A range of whole blocks of channels. */
const slice: BlockedRule = (layout, node) => {
  const [x, starts, ends, axes, steps] = node.inputs;
  if (!layout.isBlocked(x)) return false;
  const [start, end] = [Number(starts.constant?.[0]), Number(ends.constant?.[0])];
  const isChannels = `${axes.constant}` === '1' && `${steps.constant}` === '1';
  if (!isChannels || start % layout.block !== 0 || end % layout.block !== 0) return false;
  const operands = [layout.blocked(x).blocked, ...[starts, ends, axes, steps].map((v) => layout.plain(v))];
  const blocked = layout.graph.add(node.op, operands, node.attributes);
  layout.setBlocked(node.outputs[0], { blocked, channels: blocked.shape[1] });
  return true;
};

/** Sums over batch and space: the gradient of a bias. */
const reduceSum: BlockedRule = (layout, node) => {
  const [x, axes] = node.inputs;
  if (!layout.isBlocked(x) || `${axes.constant}` !== '0,2,3') return false;
  const { graph, block } = layout;
  const { blocked, channels } = layout.blocked(x);
  const means = trimmedVector(graph, channelMeans(graph, blocked, block), channels);
  const [n, , h, w] = x.shape;
  layout.setPlain(
    node.outputs[0],
    reshape(graph, mul(graph, means, graph.scalar(n * h * w)), node.outputs[0].shape),
  );
  return true;
};

export const blockedRules: Readonly<Record<string, BlockedRule>> = {
  Conv: conv,
  ConvWeightGradient: weightGradient,
  BatchNormalizationTraining: norm,
  BatchNormalizationTrainingGradient: normGradient,
  Relu: relu,
  Add: addition,
  Mul: product,
  Sub: elementWise,
  HardSigmoid: elementWise,
  LeakyRelu: elementWise,
  Tanh: elementWise,
  Sigmoid: elementWise,
  AveragePool: averagePool,
  MaxPool: maxPool,
  Resize: resize,
  Concat: concatenation,
  Slice: slice,
  ReduceSum: reduceSum,
};
