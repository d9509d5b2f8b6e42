/**
 * Less memory for more work: a pass over a finished training graph after which activations are computed a second time
 * for the gradients, instead of being kept from the forward pass (Chen et al. 2016, Training deep nets with sublinear
 * memory cost). The forward pass is cut into segments; what crosses a cut is kept, what lies within a segment is
 * computed again when the gradients get there. The last segment, whose gradients come at once, is kept.
 */
import { Graph, type Node, nodesFor, sizeOf, type Value } from './graph.ts';
import { add } from './ops/add.ts';
import { concat } from './ops/concat.ts';
import { mul } from './ops/mul.ts';
import { slice } from './ops/slice-pad.ts';
import { reduceSum } from './ops/sum-expand.ts';

/**
 * The runtime chooses its own order, and equal nodes are one: nothing would be computed again, or it would be too early.
 * So a segment's second copy waits. Zero times numbers that exist only once the gradients of the segment after it are
 * done, one of each parameter's, is added to the smallest operand of each of its first nodes: a weight, mostly.
 * @param losses names of outputs; what they depend on is the forward pass
 * @param segments of the forward pass, 2 or more, about equal in the bytes that are kept for the gradients
 * @returns a graph with the same inputs and outputs, and the same values
 */
export function recompute(source: Graph, losses: readonly string[], segments: number): Graph {
  const plan = planSegments(source, losses, segments);
  const graph = new Graph();
  const moved = new Map<Value, Value>();
  for (const [name, value] of source.inputs) moved.set(value, graph.input(name, value.shape, value.dtype));
  const again = new Map<Value, Value>();
  const delays = new Map<number, Value | undefined>();

  const get = (value: Value): Value => {
    if (!moved.has(value)) {
      if (value.producer) copy(value.producer);
      else moved.set(value, graph.constant(value.constant!, value.shape, value.label));
    }
    return moved.get(value)!;
  };
  const copy = (node: Node): void => {
    if (moved.has(node.outputs[0])) return;
    const isForward = plan.segmentOf.has(node);
    const inputs = node.inputs.map((value) =>
      !isForward && plan.isDropped(value) ? getAgain(value) : get(value),
    );
    const outputs = graph.addAll(node.op, inputs, node.attributes);
    node.outputs.forEach((value, i) => {
      moved.set(value, outputs[i]);
    });
  };
  const getAgain = (value: Value): Value => {
    const known = again.get(value);
    if (known) return known;
    const node = value.producer!;
    const inputs = node.inputs.map((input) => (plan.isDropped(input) ? getAgain(input) : get(input)));
    if (!node.inputs.some(plan.isDropped)) wait(node, inputs);
    const outputs = graph.addAll(node.op, inputs, node.attributes);
    node.outputs.forEach((output, i) => {
      again.set(output, outputs[i]);
    });
    return again.get(value)!;
  };
  const wait = (node: Node, inputs: Value[]): void => {
    const delay = delayOf(plan.segmentOf.get(node)!);
    const operands = inputs.filter((input) => !input.constant && input.dtype === 'float32');
    const [smallest] = operands.sort((a, b) => sizeOf(a.shape) - sizeOf(b.shape));
    if (delay && smallest) inputs[inputs.indexOf(smallest)] = add(graph, smallest, delay);
  };
  const delayOf = (segment: number): Value | undefined => {
    if (!delays.has(segment)) {
      const firsts = plan.gradientsAfter(segment).map((value) => slice(graph, get(value), [0], [0], [1]));
      const sum = firsts.length > 0 ? reduceSum(graph, concat(graph, firsts, 0)) : undefined;
      delays.set(segment, sum && mul(graph, sum, graph.scalar(0)));
    }
    return delays.get(segment);
  };

  for (const node of plan.nodes) copy(node);
  for (const [name, value] of source.outputs) graph.output(name, get(value));
  return graph;
}

interface Plan {
  /** All that are needed, in order. */
  readonly nodes: readonly Node[];
  /** Of the nodes of the forward pass. */
  readonly segmentOf: ReadonlyMap<Node, number>;
  /** Whether a value is computed again for the gradients. */
  isDropped(value: Value): boolean;
  /** Vectors that come last of the gradients of the next segment that has any: those of its parameters. */
  gradientsAfter(segment: number): readonly Value[];
}

function planSegments(source: Graph, losses: readonly string[], segments: number): Plan {
  const nodes = nodesFor(source, source.outputs.values());
  const forward = nodesFor(
    source,
    losses.map((name) => source.outputs.get(name)!),
  );
  const isForward = new Set(forward);
  const readers = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const value of node.inputs) readers.set(value, [...(readers.get(value) ?? []), node]);
  }
  const readersOf = (value: Value): readonly Node[] => readers.get(value) ?? [];
  const inForward = (node: Node): boolean => isForward.has(node);

  const images = imagesOf(source, forward);
  const keptBytes = forward.map((node) => {
    const kept = node.outputs.filter((value) => images.has(value) && !readersOf(value).every(inForward));
    return kept.reduce((sum, value) => sum + sizeOf(value.shape), 0);
  });
  const total = keptBytes.reduce((a, b) => a + b, 0);
  const last = segments - 1;
  const segmentOf = new Map<Node, number>();
  let before = 0;
  forward.forEach((node, i) => {
    segmentOf.set(node, Math.min(last, Math.floor((before * segments) / total)));
    before += keptBytes[i];
  });

  const outputs = new Set(source.outputs.values());
  const dropped = new Set<Value>();
  for (const node of forward) {
    const segment = segmentOf.get(node)!;
    if (segment === last) continue;
    for (const value of node.outputs) {
      const stays = readersOf(value)
        .filter(inForward)
        .every((reader) => segmentOf.get(reader) === segment);
      if (images.has(value) && stays && !outputs.has(value)) dropped.add(value);
    }
  }

  // Gradients run backwards: a node belongs to the earliest segment that anything before it reads from.
  const stageOf = new Map<Node, number>();
  for (const node of nodes) {
    if (inForward(node)) continue;
    const stages = node.inputs.map((value) => {
      if (dropped.has(value)) return segmentOf.get(value.producer!)!;
      return (value.producer && stageOf.get(value.producer)) ?? last;
    });
    stageOf.set(node, Math.min(last, ...stages));
  }
  const ends: Value[][] = Array.from({ length: segments }, () => []);
  for (const [node, stage] of stageOf) {
    for (const value of node.outputs) {
      const isEnd = readersOf(value).some((reader) => stageOf.get(reader)! < stage);
      if (value.shape.length === 1 && isEnd) ends[stage].push(value);
    }
  }
  return {
    nodes,
    segmentOf,
    isDropped: (value) => dropped.has(value),
    gradientsAfter: (segment) => ends.slice(segment + 1).find((found) => found.length > 0) ?? [],
  };
}

/** What is made from images, [N, C, H, W] of more than a pixel; all else is too small to be worth computing twice. */
function imagesOf(source: Graph, forward: readonly Node[]): ReadonlySet<Value> {
  const isPlane = ({ shape }: Value): boolean => shape.length === 4 && shape[2] * shape[3] > 1;
  const images = new Set([...source.inputs.values()].filter(isPlane));
  for (const node of forward) {
    if (!node.inputs.some((value) => images.has(value))) continue;
    for (const value of node.outputs.filter(isPlane)) images.add(value);
  }
  return images;
}
