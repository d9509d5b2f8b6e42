/** Replaces the operators that the runtime has no WebGPU kernel for by those that it has. */
import type { Graph, Value } from '../graph.ts';
import { concat } from '../ops/concat.ts';
import { conv } from '../ops/convolution.ts';
import { slice } from '../ops/slice-pad.ts';
import { expandOperators, rewrite } from './rewrite.ts';

/** A shader binds a dozen buffers at most on some devices. */
const mostOperands = 8;

export function lowerToWebGpu(source: Graph): Graph {
  return rewrite(expandOperators(source), (graph, node) => {
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
