/** Reverse-mode differentiation: adds to a graph the nodes that compute the gradients of a scalar. */
import { assert } from '../core/errors.ts';
import { type Graph, nodesFor, sizeOf, type Value } from './graph.ts';
import { add } from './ops/add.ts';

/**
 * @param loss a value with one element
 * @param wrt the values to differentiate with respect to
 * @returns one gradient per entry of `wrt`, of its shape; undefined where the loss does not depend on it
 */
export function gradients(graph: Graph, loss: Value, wrt: readonly Value[]): (Value | undefined)[] {
  assert(sizeOf(loss.shape) === 1, `a loss has one element, this one has shape [${loss.shape}]`);
  const nodes = nodesFor(graph, [loss]);
  const dependent = new Set<Value>(wrt);
  for (const node of nodes) {
    if (node.inputs.some((input) => dependent.has(input))) for (const out of node.outputs) dependent.add(out);
  }
  const gradientOf = new Map<Value, Value>();
  gradientOf.set(loss, graph.constant(Float32Array.of(1), loss.shape));
  for (const node of nodes.reverse()) {
    if (!node.inputs.some((input) => dependent.has(input))) continue;
    if (!node.outputs.some((out) => gradientOf.has(out))) continue;
    assert(node.op.gradient, `operator ${node.op.name} has no gradient`);
    const found = node.op.gradient(
      graph,
      node,
      node.outputs.map((out) => gradientOf.get(out)),
    );
    node.inputs.forEach((input, i) => {
      const gradient = found[i];
      if (gradient === undefined || !dependent.has(input)) return;
      const sum = gradientOf.get(input);
      gradientOf.set(input, sum === undefined ? gradient : add(graph, sum, gradient));
    });
  }
  return wrt.map((value) => gradientOf.get(value));
}
