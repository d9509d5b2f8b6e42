/** The pass that all others are made of: copies a graph node by node, letting a rule replace nodes on the way. */
import { assert } from '../../core/errors.ts';
import { Graph, type Node, nodesFor, type Value } from '../graph.ts';

/** Given a node with its inputs already in the new graph, adds what replaces it there and returns its outputs. */
export type RewriteRule = (graph: Graph, node: Node) => readonly Value[];

/** Nodes that no output depends on are left out; all inputs are kept. */
export function rewrite(source: Graph, rule: RewriteRule): Graph {
  const target = new Graph();
  const moved = new Map<Value, Value>();
  for (const [name, value] of source.inputs) moved.set(value, target.input(name, value.shape, value.dtype));
  const move = (value: Value): Value => {
    const known = moved.get(value);
    if (known) return known;
    assert(value.constant, 'a value is used before it is computed');
    const copy = target.constant(value.constant, value.shape, value.label);
    moved.set(value, copy);
    return copy;
  };
  for (const node of nodesFor(source, source.outputs.values())) {
    const outputs = rule(target, { ...node, inputs: node.inputs.map(move) });
    node.outputs.forEach((value, i) => {
      moved.set(value, outputs[i]);
    });
  }
  for (const [name, value] of source.outputs) target.output(name, move(value));
  return target;
}

/** Replaces operators that ONNX does not have by those that it has. */
export function expandOperators(source: Graph): Graph {
  const expanded = rewrite(source, (graph, node) =>
    node.op.expand ? node.op.expand(graph, node) : graph.addAll(node.op, node.inputs, node.attributes),
  );
  // An expansion computes all outputs of its operator; the second copy drops those that nobody reads.
  return expanded.nodes.some((node) => node.op.expand)
    ? expandOperators(expanded)
    : rewrite(expanded, (graph, node) => graph.addAll(node.op, node.inputs, node.attributes));
}
