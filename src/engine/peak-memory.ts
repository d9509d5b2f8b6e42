/** How much memory the values of a graph need at once. */
import { type Graph, sizeOf, type Value } from './graph.ts';

const bytesPerElement = 4;

/**
 * Largest sum of the sizes of all values alive at the same time, in bytes, when nodes run in their order and a value
 * is freed after its last use. Inputs and constants that the graph is given are not counted, a runtime's working
 * space is not known.
 */
export function peakActivationBytes(graph: Graph): number {
  const lastUse = new Map<Value, number>();
  graph.nodes.forEach((node, i) => {
    for (const value of node.inputs) lastUse.set(value, i);
  });
  for (const value of graph.outputs.values()) lastUse.set(value, graph.nodes.length);
  const made = new Set<Value>();
  const endingAt = new Map<number, number>();
  let alive = 0;
  let peak = 0;
  graph.nodes.forEach((node, i) => {
    for (const value of node.outputs) {
      const bytes = sizeOf(value.shape) * bytesPerElement;
      made.add(value);
      alive += bytes;
      const end = lastUse.get(value) ?? i;
      endingAt.set(end, (endingAt.get(end) ?? 0) + bytes);
    }
    peak = Math.max(peak, alive);
    alive -= endingAt.get(i) ?? 0;
  });
  return peak;
}
