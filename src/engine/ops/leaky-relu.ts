/** LeakyRelu, whose gradient is dy times 1 or alpha, by the sign of the input. */
import type { Graph, Op, Value } from '../graph.ts';
import { add } from './add.ts';
import { inferSame } from './broadcast.ts';
import { mul } from './mul.ts';
import { step } from './step.ts';

const leakyReluOp: Op = {
  name: 'LeakyRelu',
  infer: inferSame,
  gradient: (graph, node, [dy]) => {
    if (!dy) return [undefined];
    const alpha = (node.attributes.alpha as { float: number }).float;
    // Slope alpha at 0 and below, 1 above, as PyTorch has it.
    const on = step(graph, node.inputs[0]);
    const slope = add(graph, mul(graph, on, graph.scalar(1 - alpha)), graph.scalar(alpha));
    return [mul(graph, dy, slope)];
  },
};

/** x above 0, alpha * x below. */
export function leakyRelu(graph: Graph, x: Value, alpha: number): Value {
  return graph.add(leakyReluOp, [x], { alpha: { float: alpha } });
}
