/**
 * The graph that a model, its gradients and its optimiser are written in: nodes are ONNX operators (and a few of
 * our own that expand into them), every shape is known when a node is added, and adding the same node twice
 * gives the first one back (common-subexpression elimination by construction).
 */
import { assert } from '../core/errors.ts';

export type DType = 'float32' | 'int64' | 'bool';
export type Shape = readonly number[];
export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One tensor that flows through a graph. */
export interface Value extends TensorType {
  readonly id: number;
  /** Absent for inputs and constants. */
  readonly producer?: Node;
  /** Set for inputs. */
  readonly input?: string;
  /** Set for constants. */
  readonly constant?: Float32Array | BigInt64Array;
  /** The name a constant keeps in a model file, for parameters. */
  readonly label?: string;
}

export interface Node {
  readonly op: Op;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  outputs: readonly Value[];
}

/** What an operator is: its shape rule, its gradient and, where ONNX has no such operator, its expansion. */
export interface Op {
  /** The ONNX operator's name, or our own where `expand` is given. */
  readonly name: string;
  /** ONNX domain; the standard one unless given. */
  readonly domain?: string;
  /** Types of the outputs. Throws for shapes that do not fit. */
  infer(inputs: readonly Value[], attributes: Attributes): readonly TensorType[];
  /**
   * Gradients with respect to the inputs, given those of the outputs (undefined: zero). An undefined entry in
   * the result means no gradient flows there. An operator without this method cannot be differentiated.
   */
  gradient?(graph: Graph, node: Node, outputGradients: readonly (Value | undefined)[]): (Value | undefined)[];
  /** Rewrites the node in terms of other operators; returns one value per output. */
  expand?(graph: Graph, node: Node): readonly Value[];
}

export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Value>();
  readonly outputs = new Map<string, Value>();
  readonly #known = new Map<string, Node>();
  readonly #constants = new Map<string, Value>();
  #nextId = 0;

  input(name: string, shape: Shape, dtype: DType = 'float32'): Value {
    assert(!this.inputs.has(name), `graph input ${name} is defined twice`);
    const value: Value = { id: this.#nextId++, shape, dtype, input: name };
    this.inputs.set(name, value);
    return value;
  }

  /** A tensor known when the graph is built. Data is kept, not copied. A label makes it a named parameter. */
  constant(data: Float32Array | BigInt64Array, shape: Shape, label?: string): Value {
    assert(data.length === sizeOf(shape), `constant of shape [${shape}] holds ${data.length} values`);
    const dtype: DType = data instanceof Float32Array ? 'float32' : 'int64';
    const key = data.length <= 16 && label === undefined ? `${dtype}|${shape}|${data}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known) return known;
    const value: Value = { id: this.#nextId++, shape, dtype, constant: data, label };
    if (key !== undefined) this.#constants.set(key, value);
    return value;
  }

  scalar(value: number): Value {
    return this.constant(Float32Array.of(value), []);
  }

  ints(values: readonly number[]): Value {
    return this.constant(
      BigInt64Array.from(values, (v) => BigInt(v)),
      [values.length],
    );
  }

  output(name: string, value: Value): void {
    assert(!this.outputs.has(name), `graph output ${name} is defined twice`);
    this.outputs.set(name, value);
  }

  /** Adds a node, or finds the equal one already there, and returns all its outputs. */
  addAll(op: Op, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    const key = `${op.domain ?? ''}:${op.name}|${inputs.map((v) => v.id)}|${JSON.stringify(attributes)}`;
    const known = this.#known.get(key);
    if (known) return known.outputs;
    const node: Node = { op, inputs, attributes, outputs: [] };
    node.outputs = op
      .infer(inputs, attributes)
      .map((type) => ({ id: this.#nextId++, shape: type.shape, dtype: type.dtype, producer: node }));
    this.nodes.push(node);
    this.#known.set(key, node);
    return node.outputs;
  }

  /** Adds a node and returns its first output. */
  add(op: Op, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.addAll(op, inputs, attributes)[0];
  }
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i]);
}

/** The nodes that the given values depend on, in an order in which they can be computed. */
export function nodesFor(graph: Graph, wanted: Iterable<Value>): Node[] {
  const needed = new Set<Node>();
  const stack = [...wanted].map((value) => value.producer);
  for (let node = stack.pop(); stack.length > 0 || node; node = stack.pop()) {
    if (!node || needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) if (input.producer) stack.push(input.producer);
  }
  return graph.nodes.filter((node) => needed.has(node));
}
