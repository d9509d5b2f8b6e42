/** ReduceMean, whose gradient is dy over the number of elements, repeated along the reduced axes. */
import { type Graph, type Op, sizeOf, type Value } from '../graph.ts';
import { mul } from './mul.ts';
import { reshape } from './reshape.ts';
import { expandTo, inferReduce, keptShape } from './sum-expand.ts';

const reduceMeanOp: Op = {
  name: 'ReduceMean',
  infer: inferReduce,
  gradient: (graph, node, [dy]) => {
    if (!dy) return [undefined, undefined];
    const x = node.inputs[0];
    const axes = Array.from(node.inputs[1].constant as BigInt64Array, Number);
    const share = graph.scalar(sizeOf(dy.shape) / sizeOf(x.shape));
    const scaled = mul(graph, reshape(graph, dy, keptShape(x.shape, axes)), share);
    return [expandTo(graph, scaled, x.shape), undefined];
  },
};

/** Mean over the given axes (all of them unless given), which are dropped unless kept. */
export function reduceMean(graph: Graph, x: Value, axes?: readonly number[], keep = false): Value {
  const over = axes ?? x.shape.map((_, i) => i);
  return graph.add(reduceMeanOp, [x, graph.ints(over)], { keepdims: keep ? 1 : 0 });
}
