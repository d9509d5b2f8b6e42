/** Last pass before a graph is run: joins reshapes that follow one another and drops nodes that nothing reads. */
import { type Graph, sameShape } from '../graph.ts';
import { reshape } from '../ops/reshape.ts';
import { rewrite } from './rewrite.ts';

export function simplify(source: Graph): Graph {
  const joined = rewrite(source, (graph, node) => {
    const before = node.inputs[0]?.producer;
    if (node.op.name !== 'Reshape' || before?.op.name !== 'Reshape') {
      return graph.addAll(node.op, node.inputs, node.attributes);
    }
    const [origin] = before.inputs;
    const { shape } = node.outputs[0];
    return [sameShape(origin.shape, shape) ? origin : reshape(graph, origin, shape)];
  });
  return rewrite(joined, (graph, node) => graph.addAll(node.op, node.inputs, node.attributes));
}
