// Vectors that live on from one run of a training graph to the next, and the two that follow the parameters by averaging.
import type { Graph, Value } from '../engine/graph.ts';
import { add } from '../engine/ops/add.ts';
import { mul } from '../engine/ops/mul.ts';
import { sub } from '../engine/ops/sub.ts';
import type { Optimiser } from '../engine/optimisers.ts';

/** Each is an input NAME, and an output NAME.next that becomes it in the next run. */
export class CarriedVectors {
  /** Output name -> the input it becomes. */
  readonly carry: Record<string, string> = {};
  /** By input name. */
  readonly lengths: Record<string, number> = {};
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** The vector as it is before the run. */
  before(name: string, length: number): Value {
    this.lengths[name] = length;
    this.carry[`${name}.next`] = name;
    return this.#graph.input(name, [length]);
  }

  /** What an optimiser keeps of parameters of these shapes, by its own names. */
  optimiserState(
    optimiser: Optimiser,
    shapes: readonly (readonly number[])[],
    prefix = '',
  ): Record<string, Value> {
    return Object.fromEntries(
      Object.entries(optimiser.stateLengths(shapes)).map(([name, length]) => [
        name,
        this.before(`${prefix}${name}`, length),
      ]),
    );
  }

  after(name: string, value: Value): void {
    this.#graph.output(`${name}.next`, value);
  }
}

/** The moving average of the parameters: decay x average + (1 - decay) x parameters. */
export function averaged(graph: Graph, average: Value, parameters: Value, decay: Value): Value {
  return add(graph, parameters, mul(graph, sub(graph, average, parameters), decay));
}

/**
 * Running statistics after a batch. They are averaged as long as the parameters are when `decay` is given; else a batch counts for
 * a tenth, as in PyTorch.
 */
export function movedStatistics(graph: Graph, running: Value, ofBatch: Value, decay?: Value): Value {
  const momentum = decay ? sub(graph, graph.scalar(1), decay) : graph.scalar(0.1);
  return add(graph, running, mul(graph, sub(graph, ofBatch, running), momentum));
}
