/**
 * The three linear maps of convolution, each of which is a gradient of the others: the convolution itself, its
 * transpose (the gradient with respect to the input) and the gradient with respect to the weight. Two spatial
 * dimensions, one group, no dilation.
 */
import { assert } from '../../core/errors.ts';
import type { Attributes, Graph, Node, Op, Shape, Value } from '../graph.ts';
import { add } from './add.ts';
import { concat } from './concat.ts';
import { matMul, swapLast } from './mat-mul.ts';
import { reshape } from './reshape.ts';
import { flip, pad, slice } from './slice-pad.ts';
import { reduceSum } from './sum-expand.ts';
import { transpose } from './transpose.ts';

export interface ConvolutionOptions {
  /** 1 unless given. */
  readonly stride?: number;
  /** Zeros added at the top, left, bottom and right; half the kernel (rounded down) on each side unless given. */
  readonly pads?: readonly number[];
}

/** Operands of a convolution node: x [N, C, H, W], w [K, C, h, w], perhaps b [K]. */
const convOp: Op = {
  name: 'Conv',
  infer: ([x, w], attributes) => {
    assert(x.shape[1] === w.shape[1], `convolution of [${x.shape}] with weight [${w.shape}]`);
    const [stride, pads] = [strideOf(attributes), padsOf(attributes)];
    const height = Math.floor((x.shape[2] + pads[0] + pads[2] - w.shape[2]) / stride) + 1;
    const width = Math.floor((x.shape[3] + pads[1] + pads[3] - w.shape[3]) / stride) + 1;
    assert(height > 0 && width > 0, `[${x.shape}] is smaller than the kernel of the weight [${w.shape}]`);
    return [{ shape: [x.shape[0], w.shape[0], height, width], dtype: 'float32' }];
  },
  gradient: (graph, node, [dy]) => {
    if (!dy) return [];
    const [x, w, b] = node.inputs;
    return [
      inputGradient(graph, node, dy),
      graph.add(convWeightGradientOp, [x, dy], {
        kernel_shape: w.shape.slice(2),
        strides: node.attributes.strides,
        pads: node.attributes.pads,
      }),
      b && reduceSum(graph, dy, [0, 2, 3]),
    ];
  },
};

const convTransposeOp: Op = {
  name: 'ConvTranspose',
  infer: ([x, w], attributes) => {
    assert(x.shape[1] === w.shape[0], `transposed convolution of [${x.shape}] with weight [${w.shape}]`);
    const [stride, pads] = [strideOf(attributes), padsOf(attributes)];
    const extra = attributes.output_padding as number[];
    const height = (x.shape[2] - 1) * stride + w.shape[2] - pads[0] - pads[2] + extra[0];
    const width = (x.shape[3] - 1) * stride + w.shape[3] - pads[1] - pads[3] + extra[1];
    return [{ shape: [x.shape[0], w.shape[1], height, width], dtype: 'float32' }];
  },
  gradient: (graph, node, [dy]) => {
    if (!dy) return [];
    const [x, w, b] = node.inputs;
    const attributes = {
      kernel_shape: w.shape.slice(2),
      strides: node.attributes.strides,
      pads: node.attributes.pads,
    };
    return [
      graph.add(convOp, [dy, w], attributes),
      graph.add(convWeightGradientOp, [dy, x], attributes),
      b && reduceSum(graph, dy, [0, 2, 3]),
    ];
  },
};

/** x [N, C, H, W], dy [N, K, H', W'] -> dw [K, C, h, w]. Not an ONNX operator: it expands into products. */
const convWeightGradientOp: Op = {
  name: 'ConvWeightGradient',
  infer: ([x, dy], attributes) => [
    { shape: [dy.shape[1], x.shape[1], ...(attributes.kernel_shape as number[])], dtype: 'float32' },
  ],
  expand: (graph, node) => {
    const [kh, kw] = node.attributes.kernel_shape as number[];
    const isPadded = padsOf(node.attributes).some((extent) => extent > 0);
    if (kh === 1 && kw === 1 && strideOf(node.attributes) === 1 && !isPadded)
      return [pointwiseWeightGradient(graph, node)];
    return [
      strideOf(node.attributes) === 1 ? denseWeightGradient(graph, node) : gatherWeightGradient(graph, node),
    ];
  },
};

function pointwiseWeightGradient(graph: Graph, node: Node): Value {
  const [x, dy] = node.inputs;
  const [n, c, h, w] = x.shape;
  const k = dy.shape[1];
  const products = matMul(
    graph,
    reshape(graph, dy, [n, k, h * w]),
    swapLast(graph, reshape(graph, x, [n, c, h * w])),
  );
  return reshape(graph, reduceSum(graph, products, [0]), [k, c, 1, 1]);
}

/**
 * Stride 1. Moving dy by rows and x by columns instead of x by both turns kh * kw copies into kh + kw, and all
 * taps come out of one product: [N, kh * K, L] x [N, L, kw * C].
 */
function denseWeightGradient(graph: Graph, node: Node): Value {
  const [x, dy] = node.inputs;
  const [kh, kw] = node.attributes.kernel_shape as number[];
  const [top, left, bottom, right] = padsOf(node.attributes);
  const [n, c] = x.shape;
  const [, k, height, width] = dy.shape;
  const padded = pad(graph, x, [0, 0, top, left], [0, 0, bottom, right]);
  const rows = padded.shape[2];
  const columns = concat(
    graph,
    Array.from({ length: kw }, (_, j) => slice(graph, padded, [3], [j], [j + width])),
    1,
  );
  const shifted = concat(
    graph,
    Array.from({ length: kh }, (_, i) => pad(graph, dy, [0, 0, i, 0], [0, 0, rows - height - i, 0])),
    1,
  );
  const products = matMul(
    graph,
    reshape(graph, shifted, [n, kh * k, rows * width]),
    swapLast(graph, reshape(graph, columns, [n, kw * c, rows * width])),
  );
  const taps = reshape(graph, reduceSum(graph, products, [0]), [kh, k, kw, c]);
  return transpose(graph, taps, [1, 3, 0, 2]);
}

/** Any stride: every tap's pixels are gathered (im2col) and multiplied at once. */
function gatherWeightGradient(graph: Graph, node: Node): Value {
  const [x, dy] = node.inputs;
  const [kh, kw] = node.attributes.kernel_shape as number[];
  const stride = strideOf(node.attributes);
  const [top, left, bottom, right] = padsOf(node.attributes);
  const [n, c] = x.shape;
  const [, k, height, width] = dy.shape;
  const padded = pad(graph, x, [0, 0, top, left], [0, 0, bottom, right]);
  const taps: Value[] = [];
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      const ends = [i + (height - 1) * stride + 1, j + (width - 1) * stride + 1];
      taps.push(slice(graph, padded, [2, 3], [i, j], ends, [stride, stride]));
    }
  }
  const products = matMul(
    graph,
    reshape(graph, dy, [n, k, height * width]),
    swapLast(graph, reshape(graph, concat(graph, taps, 1), [n, kh * kw * c, height * width])),
  );
  const summed = reshape(graph, reduceSum(graph, products, [0]), [k, kh, kw, c]);
  return transpose(graph, summed, [0, 3, 1, 2]);
}

/** Gradient of a convolution node with respect to its input. */
function inputGradient(graph: Graph, node: Node, dy: Value): Value {
  const [x, w] = node.inputs;
  const stride = strideOf(node.attributes);
  const pads = padsOf(node.attributes);
  const [kh, kw] = w.shape.slice(2);
  if (stride === 1) {
    const turned = flip(graph, transpose(graph, w, [1, 0, 2, 3]), [2, 3]);
    const back = [kh - 1 - pads[0], kw - 1 - pads[1], kh - 1 - pads[2], kw - 1 - pads[3]];
    assert(Math.min(...back) >= 0, `pads [${pads}] as wide as the kernel of the weight [${w.shape}]`);
    return conv(graph, dy, turned, undefined, { pads: back });
  }
  const reached = (extent: number, kernel: number, before: number, after: number): number =>
    (extent - 1) * stride + kernel - before - after;
  return graph.add(convTransposeOp, [dy, w], {
    kernel_shape: [kh, kw],
    strides: [stride, stride],
    pads,
    output_padding: [
      x.shape[2] - reached(dy.shape[2], kh, pads[0], pads[2]),
      x.shape[3] - reached(dy.shape[3], kw, pads[1], pads[3]),
    ],
  });
}

/** x [N, C, H, W] * w [K, C, h, w] + b [K] -> [N, K, H', W']. */
export function conv(
  graph: Graph,
  x: Value,
  w: Value,
  b?: Value,
  { stride = 1, pads = halfKernel(w.shape) }: ConvolutionOptions = {},
): Value {
  return graph.add(convOp, b ? [x, w, b] : [x, w], {
    kernel_shape: w.shape.slice(2),
    strides: [stride, stride],
    pads,
  });
}

/** x [N, C, H, W], w [C, K, h, w] -> [N, K, (H - 1) * stride + h - pads, ...]; no pads unless given. */
export function convTranspose(
  graph: Graph,
  x: Value,
  w: Value,
  b?: Value,
  { stride = 1, pads = [0, 0, 0, 0] }: ConvolutionOptions = {},
): Value {
  const product = graph.add(convTransposeOp, [x, w], {
    kernel_shape: w.shape.slice(2),
    strides: [stride, stride],
    pads,
    output_padding: [0, 0],
  });
  return b ? add(graph, product, reshape(graph, b, [1, b.shape[0], 1, 1])) : product;
}

function halfKernel(weight: Shape): readonly number[] {
  const [h, w] = [Math.floor(weight[2] / 2), Math.floor(weight[3] / 2)];
  return [h, w, h, w];
}

export function strideOf(attributes: Attributes): number {
  const [vertical, horizontal] = attributes.strides as number[];
  assert(vertical === horizontal, 'strides differ between rows and columns');
  return vertical;
}

export function padsOf(attributes: Attributes): readonly number[] {
  return attributes.pads as number[];
}
