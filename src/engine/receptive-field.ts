/** How far a graph looks around a pixel, found by following every node backwards. */
import { assert } from '../core/errors.ts';
import type { Graph, Node, Value } from './graph.ts';

/** A range of indices along one axis, both ends included. */
interface Span {
  low: number;
  high: number;
}

/** Operators that look at one position at a time; a transposed image is as wide as it is high and its tile likewise. */
const pointwise = new Set([
  'Add', 'Sub', 'Mul', 'Div', 'Relu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'Exp', 'Log', 'Sqrt', 'Abs', 'Sign', 'Concat',
  'BatchNormalization', 'Identity', 'Cast', 'Gather', 'Transpose',
]); // biome-ignore format: a list

/**
 * The least number of pixels around an output tile, on each side, that the input must have for the tile to come
 * out as in an endless image. Looks along the rows; kernels and strides here are the same in both directions.
 * @param stride the graph's total stride: tiles begin at multiples of it
 */
export function receptiveRadius(graph: Graph, output: Value, input: Value, stride: number): number {
  // A tile well inside, so that spans keep clear of the borders.
  const centre = Math.floor(output.shape[3] / stride / 2) * stride;
  const needed = new Map<Value, Span>([[output, { low: centre, high: centre + stride - 1 }]]);
  const widen = (value: Value, low: number, high: number): void => {
    const known = needed.get(value);
    needed.set(value, {
      low: Math.min(low, known?.low ?? low),
      high: Math.max(high, known?.high ?? high),
    });
  };
  for (const node of [...graph.nodes].reverse()) {
    const span = needed.get(node.outputs[0]);
    if (!span) continue;
    const source = inputSpan(node, span);
    const rank = node.outputs[0].shape.length;
    for (const operand of pointwise.has(node.op.name) ? node.inputs : node.inputs.slice(0, 1)) {
      // Operands without a spatial extent (parameters, scalars) are not looked at.
      if (operand.shape.length === rank && operand.shape[3] > 1) widen(operand, source.low, source.high);
    }
  }
  const found = needed.get(input);
  assert(found, 'the output does not depend on the input');
  return Math.max(centre - found.low, found.high - (centre + stride - 1), 0);
}

function inputSpan({ op, inputs, attributes, outputs }: Node, { low, high }: Span): Span {
  const ratio = outputs[0].shape[3] / inputs[0].shape[3];
  switch (op.name) {
    case 'Conv': {
      const [step, kernel] = [(attributes.strides as number[])[1], inputs[1].shape[3]];
      const before = (attributes.pads as number[])[1];
      return { low: low * step - before, high: high * step - before + kernel - 1 };
    }
    case 'ConvTranspose': {
      const [step, kernel] = [(attributes.strides as number[])[1], inputs[1].shape[3]];
      const before = (attributes.pads as number[])[1];
      return { low: Math.ceil((low + before - kernel + 1) / step), high: Math.floor((high + before) / step) };
    }
    case 'AveragePool':
    case 'MaxPool':
    case 'SpaceToDepth':
      return { low: Math.round(low / ratio), high: Math.round((high + 1) / ratio) - 1 };
    case 'Slice': {
      const [axes, steps] = [3, 4].map((i) => Array.from(inputs[i].constant as BigInt64Array, Number));
      assert(
        steps.every((step) => step === -1),
        'only flips have a rule for the receptive field of Slice',
      );
      const last = outputs[0].shape[3] - 1;
      return axes.includes(3) ? { low: last - high, high: last - low } : { low, high };
    }
    case 'DepthToSpace':
      return { low: Math.floor(low / ratio), high: Math.floor(high / ratio) };
    case 'Resize': {
      const blend = attributes.mode === 'linear' ? 1 : 0;
      assert(
        blend === 0 || attributes.coordinate_transformation_mode === 'half_pixel',
        'align_corners resizing has no fixed receptive field',
      );
      return { low: Math.floor(low / ratio) - blend, high: Math.floor(high / ratio) + blend };
    }
    default:
      assert(pointwise.has(op.name), `no rule for the receptive field of ${op.name}`);
      return { low, high };
  }
}
