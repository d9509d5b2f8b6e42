/** Takes batch normalisations with fixed statistics into the convolutions before them. */
import { type Graph, type Node, sizeOf, type Value } from '../graph.ts';
import { rewrite } from './rewrite.ts';

/** Where weight and statistics are constants; a convolution whose result is read elsewhere too stays beside. */
export function foldNormalization(source: Graph): Graph {
  return rewrite(source, (graph, node) => {
    const conv = node.inputs[0]?.producer;
    const isFoldable =
      node.op.name === 'BatchNormalization' &&
      conv?.op.name === 'Conv' &&
      [...conv.inputs.slice(1), ...node.inputs.slice(1)].every((value) => value.constant);
    if (!isFoldable) return graph.addAll(node.op, node.inputs, node.attributes);
    return foldInto(graph, conv, node);
  });
}

function foldInto(graph: Graph, conv: Node, norm: Node): readonly Value[] {
  const [x, w, b] = conv.inputs;
  const [scale, bias, mean, variance] = norm.inputs.slice(1).map((value) => value.constant as Float32Array);
  const { float: epsilon } = norm.attributes.epsilon as { float: number };
  const weight = Float32Array.from(w.constant as Float32Array);
  const shift = new Float32Array(scale.length);
  const length = sizeOf(w.shape.slice(1));
  for (let k = 0; k < shift.length; k++) {
    const slope = scale[k] / Math.sqrt(variance[k] + epsilon);
    for (let i = k * length; i < (k + 1) * length; i++) weight[i] *= slope;
    shift[k] = bias[k] + (Number(b?.constant?.[k] ?? 0) - mean[k]) * slope;
  }
  const operands = [x, graph.constant(weight, w.shape), graph.constant(shift, [shift.length])];
  return graph.addAll(conv.op, operands, conv.attributes);
}
