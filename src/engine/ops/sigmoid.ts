/** Sigmoid, whose gradient dy y (1 - y) is found from the output. */
import type { Graph, Op, Value } from '../graph.ts';
import { inferSame } from './broadcast.ts';
import { mul } from './mul.ts';
import { sub } from './sub.ts';

const sigmoidOp: Op = {
  name: 'Sigmoid',
  infer: inferSame,
  gradient: (graph, node, [dy]) => {
    const y = node.outputs[0];
    return [dy && mul(graph, dy, mul(graph, y, sub(graph, graph.scalar(1), y)))];
  },
};

/** 1 / (1 + e^-x). */
export function sigmoid(graph: Graph, x: Value): Value {
  return graph.add(sigmoidOp, [x]);
}
