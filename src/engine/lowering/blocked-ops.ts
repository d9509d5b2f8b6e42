/**
 * The runtime's blocked operators (domain com.microsoft.nchwc, CPU only) and the type that keeps blocked memory
 * apart from plain memory.
 *
 * A blocked tensor has the shape [N, C, H, W] with C a multiple of the block B, but its memory is
 * [N, C / B, H, W, B]: B channels of a pixel lie side by side, which is what vector units want. Reading such a
 * tensor by its shape is silently wrong wherever an operator looks at channels, so blocked values travel only
 * inside `Blocked`, and each use below says which view of the memory it takes.
 */
import { assert } from '../../core/errors.ts';
import { type Attributes, type Graph, type Op, type Shape, sizeOf, type Value } from '../graph.ts';
import { strideOf } from '../ops/convolution.ts';
import { reshape } from '../ops/reshape.ts';
import { pad } from '../ops/slice-pad.ts';

const domain = 'com.microsoft.nchwc';

/** The runtime's reordering takes channels by the four. */
const reorderMultiple = 4;

/** A tensor in blocked memory. Channels beyond `channels` pad the last block: finite, and never read back. */
export interface Blocked {
  readonly blocked: Value;
  /** Channels that mean something. */
  readonly channels: number;
}

export type Activation = 'Relu';

const reorderInputOp = (block: number): Op => ({
  name: 'ReorderInput',
  domain,
  infer: ([x]) => [
    { shape: [x.shape[0], roundUp(x.shape[1], block), ...x.shape.slice(2)], dtype: 'float32' },
  ],
});
const reorderOutputOp: Op = {
  name: 'ReorderOutput',
  domain,
  infer: ([x], { channels }) => [
    { shape: [x.shape[0], channels as number, ...x.shape.slice(2)], dtype: 'float32' },
  ],
};

const convOp: Op = {
  name: 'Conv',
  domain,
  infer: ([x, w], attributes) => {
    const [kernel, strides, pads, dilations] = ['kernel_shape', 'strides', 'pads', 'dilations'].map(
      (name) => attributes[name] as number[],
    );
    const extent = (axis: number): number => {
      const reach = dilations[axis] * (kernel[axis] - 1) + 1;
      return Math.floor((x.shape[axis + 2] + pads[axis] + pads[axis + 2] - reach) / strides[axis]) + 1;
    };
    return [{ shape: [x.shape[0], w.shape[0], extent(0), extent(1)], dtype: 'float32' }];
  },
};

const averagePoolOp: Op = {
  name: 'AveragePool',
  domain,
  infer: ([x], attributes) => {
    const [h, w] = attributes.kernel_shape as number[];
    return [{ shape: [x.shape[0], x.shape[1], x.shape[2] / h, x.shape[3] / w], dtype: 'float32' }];
  },
};

const maxPoolOp: Op = { ...averagePoolOp, name: 'MaxPool' };

const upsampleOp: Op = {
  name: 'Upsample',
  domain,
  infer: ([x], attributes) => {
    const [, , h, w] = attributes.scales as number[];
    return [{ shape: [x.shape[0], x.shape[1], x.shape[2] * h, x.shape[3] * w], dtype: 'float32' }];
  },
};

export function roundUp(channels: number, block: number): number {
  return Math.ceil(channels / block) * block;
}

/** Plain [N, C, H, W] into blocked memory; missing channels become zeros. */
export function toBlocked(graph: Graph, x: Value, block: number): Blocked {
  const channels = x.shape[1];
  const whole = pad(graph, x, [0, 0, 0, 0], [0, roundUp(channels, reorderMultiple) - channels, 0, 0]);
  return { blocked: graph.add(reorderInputOp(block), [whole]), channels };
}

/** Back to plain memory, without the padding. */
export function toPlain(graph: Graph, { blocked, channels }: Blocked): Value {
  return graph.add(reorderOutputOp, [blocked], { channels });
}

/** Whether the runtime takes the convolution's input in blocked memory: with less than a block of channels it is plain. */
export function takesBlockedInput(channels: number, block: number): boolean {
  return channels >= block;
}

export interface BlockedConvOptions {
  readonly kernel: readonly [number, number];
  readonly strides?: readonly [number, number];
  readonly dilations?: readonly [number, number];
  /** Top, left, bottom, right; none unless given. */
  readonly pads?: readonly number[];
  readonly groups?: number;
  /** [K]. */
  readonly bias?: Value;
  /** Blocked, added before the activation; its memory may become the result's. */
  readonly addend?: Value;
  readonly activation?: Activation;
}

/** The raw operator: x and w in whatever memory the kernel for their shapes expects. */
export function nchwcConv(graph: Graph, x: Value, w: Value, options: BlockedConvOptions): Value {
  const { kernel, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1 } = options;
  const none = graph.constant(new Float32Array(0), [0]);
  const attributes: Attributes = {
    kernel_shape: kernel,
    strides,
    dilations,
    pads,
    group: groups,
    ...(options.activation ? { activation: options.activation } : {}),
  };
  const operands = [x, w, options.bias ?? none, options.addend ?? none];
  return graph.add(convOp, operands, attributes);
}

/** Mean over windows that do not overlap. */
export function blockedAveragePool(graph: Graph, x: Value, kernel: readonly [number, number]): Value {
  assert(x.shape[2] % kernel[0] === 0 && x.shape[3] % kernel[1] === 0, 'the pooling window does not fit');
  return graph.add(averagePoolOp, [x], { kernel_shape: kernel, strides: kernel });
}

/** Largest value of windows that do not overlap. */
export function blockedMaxPool(graph: Graph, x: Value, kernel: readonly [number, number]): Value {
  return graph.add(maxPoolOp, [x], { kernel_shape: kernel, strides: kernel });
}

/** Enlarges by a factor: every pixel repeated, or bilinear with the given convention of corners. */
export function blockedUpsample(graph: Graph, x: Value, factor: number, corners?: string): Value {
  return graph.add(upsampleOp, [x], {
    scales: [1, 1, factor, factor],
    mode: corners === undefined ? 'nearest' : 'linear',
    coordinate_transformation_mode: corners ?? 'asymmetric',
  });
}

/** y = x * scale + shift channel by channel, then perhaps an addend and ReLU, in one pass. Vectors [C] padded. */
export function blockedAffine(
  graph: Graph,
  x: Value,
  scale: Value,
  options: Omit<BlockedConvOptions, 'kernel' | 'groups'> = {},
): Value {
  const channels = x.shape[1];
  const weight = reshape(graph, scale, [channels, 1, 1, 1]);
  return nchwcConv(graph, x, weight, { ...options, kernel: [1, 1], groups: channels });
}

/** Factors [C] of 1, with which an affine copies. */
export function onesFor(graph: Graph, x: Value): Value {
  const channels = x.shape[1];
  return graph.constant(new Float32Array(channels).fill(1), [channels]);
}

/** The same memory under another shape. */
export function view(graph: Graph, x: Value, shape: Shape): Value {
  assert(sizeOf(shape) === sizeOf(x.shape), 'a view keeps the number of elements');
  return reshape(graph, x, shape);
}

export function strides(attributes: Attributes): [number, number] {
  const stride = strideOf(attributes);
  return [stride, stride];
}
