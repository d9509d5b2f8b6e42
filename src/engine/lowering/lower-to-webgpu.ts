/** Replaces the operators that the runtime has no WebGPU kernel for by those that it has. */
import type { Graph, Op, Value } from '../graph.ts';
import { concat } from '../ops/concat.ts';
import { conv } from '../ops/convolution.ts';
import { mul } from '../ops/mul.ts';
import { reshape } from '../ops/reshape.ts';
import { slice } from '../ops/slice-pad.ts';
import { depthToSpace } from '../ops/space-depth.ts';
import { step } from '../ops/step.ts';
import { sub } from '../ops/sub.ts';
import { transpose } from '../ops/transpose.ts';
import { expandOperators, rewrite } from './rewrite.ts';

/** A shader binds a dozen buffers at most on some devices. */
const mostOperands = 8;

export function lowerToWebGpu(source: Graph): Graph {
  const expanded = expandOperators(source);
  const read = new Set(expanded.nodes.flatMap(({ inputs }) => inputs));
  return rewrite(expanded, (graph, node) => {
    const { op, inputs, attributes, outputs } = node;
    const axis = attributes.axis as number;
    if (op.name === 'SpaceToDepth') return [pickPhases(graph, inputs[0], attributes.blocksize as number)];
    if (op.name === 'Split') {
      let start = 0;
      return outputs.map(({ shape }) => {
        start += shape[axis];
        return slice(graph, inputs[0], [axis], [start - shape[axis]], [start]);
      });
    }
    if (op.name === 'Concat') return [concatInTurns(graph, inputs, axis)];
    if (op.name === 'MaxPool') {
      const pooled = graph.add(maxPoolOp, inputs, attributes);
      return read.has(outputs[1]) ? [pooled, wherePooled(graph, inputs[0], pooled)] : [pooled];
    }
    if (op.name === 'MaxUnpool') {
      const block = (attributes.kernel_shape as number[])[0];
      const everywhere = concatInTurns(graph, new Array(block ** 2).fill(inputs[0]), 1);
      return [depthToSpace(graph, mul(graph, everywhere, inputs[1]), block)];
    }
    return graph.addAll(op, inputs, attributes);
  });
}

function concatInTurns(graph: Graph, parts: readonly Value[], axis: number): Value {
  if (parts.length <= mostOperands) return concat(graph, parts, axis);
  const groups: Value[] = [];
  for (let i = 0; i < parts.length; i += mostOperands) {
    groups.push(concat(graph, parts.slice(i, i + mostOperands), axis));
  }
  return concatInTurns(graph, groups, axis);
}

/** Without the indices of the maxima. */
const maxPoolOp: Op = {
  name: 'MaxPool',
  infer: ([x], attributes) => {
    const [size] = attributes.kernel_shape as number[];
    const [n, c, h, w] = x.shape;
    return [{ shape: [n, c, h / size, w / size], dtype: 'float32' }];
  },
};

/** What stands for the indices: phase by phase as in space to depth, 1 at the first maximum of a window, else 0. */
function wherePooled(graph: Graph, x: Value, pooled: Value): Value {
  const [n, c, h, w] = pooled.shape;
  const size = x.shape[2] / h;
  const windows = transpose(graph, reshape(graph, x, [n, c, h, size, w, size]), [0, 3, 5, 1, 2, 4]);
  const phases = reshape(graph, windows, [n, size ** 2 * c, h, w]);
  const marks: Value[] = [];
  // 1 where the maximum is none of the phases so far.
  let isOpen: Value | undefined;
  for (let phase = 0; phase < size ** 2; phase++) {
    const isLess = step(graph, sub(graph, pooled, slice(graph, phases, [1], [phase * c], [(phase + 1) * c])));
    const stillOpen: Value = isOpen ? mul(graph, isOpen, isLess) : isLess;
    marks.push(sub(graph, isOpen ?? graph.scalar(1), stillOpen));
    isOpen = stillOpen;
  }
  return concatInTurns(graph, marks, 1);
}

/**
 * Space to depth as a convolution whose every output channel takes one pixel of a block: exact, since all other
 * factors are zero, and free of extents, which a prediction model leaves open.
 */
function pickPhases(graph: Graph, x: Value, block: number): Value {
  const channels = x.shape[1];
  const shape = [block * block * channels, channels, block, block];
  const weight = new Float32Array(shape.reduce((size, extent) => size * extent));
  for (let phase = 0; phase < block * block; phase++) {
    for (let c = 0; c < channels; c++) {
      const out = phase * channels + c;
      weight[(out * channels + c) * block * block + phase] = 1;
    }
  }
  return conv(graph, x, graph.constant(weight, shape), undefined, { stride: block, pads: [0, 0, 0, 0] });
}
