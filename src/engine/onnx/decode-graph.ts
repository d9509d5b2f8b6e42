/** Reads a prediction model back into a graph, so that it can be fitted to the device it runs on. */
import { Graph, type Value } from '../graph.ts';
import { add } from '../ops/add.ts';
import { averagePool, resizeNearest } from '../ops/average-pool.ts';
import { batchNormalizationFixed } from '../ops/batch-normalization.ts';
import { concat } from '../ops/concat.ts';
import { conv, convTranspose } from '../ops/convolution.ts';
import { div } from '../ops/div.ts';
import { leakyRelu } from '../ops/leaky-relu.ts';
import { maxPool } from '../ops/max-pool.ts';
import { mul } from '../ops/mul.ts';
import { relu } from '../ops/relu.ts';
import { reshape } from '../ops/reshape.ts';
import { type CornerConvention, resizeBilinear } from '../ops/resize-bilinear.ts';
import { sigmoid } from '../ops/sigmoid.ts';
import { slice } from '../ops/slice-pad.ts';
import { depthToSpace, spaceToDepth } from '../ops/space-depth.ts';
import { sub } from '../ops/sub.ts';
import { tanh } from '../ops/tanh.ts';
import { transpose } from '../ops/transpose.ts';
import type { EncodeOptions } from './encode.ts';
import { elementType, modelProto } from './schema.ts';

export interface DecodedGraph {
  readonly graph: Graph;
  /** What `encodeModel` must be told to write the same interface again. */
  readonly interface: Pick<EncodeOptions, 'symbolicShapes' | 'inputDefaults'>;
}

/** Stands for every extent that the file leaves open: a multiple of all strides, large enough for every kernel. */
const nominalExtent = 512;

interface RawAttribute {
  name: string;
  i?: unknown;
  f?: number;
  s?: Uint8Array;
  ints?: unknown[];
}
interface RawNode {
  opType: string;
  domain?: string;
  input: string[];
  output: string[];
  attribute?: RawAttribute[];
}
interface RawTensor {
  name: string;
  dims?: unknown[];
  dataType: number;
  rawData: Uint8Array;
}
interface RawInfo {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: { dimParam?: string; dimValue?: unknown }[] } } };
}
interface RawGraph {
  node: RawNode[];
  initializer?: RawTensor[];
  input: RawInfo[];
  output: RawInfo[];
}

class Attributes {
  readonly #known: ReadonlyMap<string, RawAttribute>;
  constructor(list: readonly RawAttribute[] = []) {
    this.#known = new Map(list.map((entry) => [entry.name, entry]));
  }
  ints(name: string): number[] {
    return (this.#known.get(name)?.ints ?? []).map(Number);
  }
  int(name: string): number {
    return Number(this.#known.get(name)?.i);
  }
  float(name: string): number {
    return this.#known.get(name)?.f ?? 0;
  }
  text(name: string): string {
    return Buffer.from(this.#known.get(name)?.s ?? []).toString();
  }
}

type Reader = (graph: Graph, inputs: readonly Value[], attributes: Attributes) => Value;

const integersOf = (value: Value): number[] => Array.from(value.constant as BigInt64Array, Number);

/** The operators that prediction graphs are written with. */
const readers: Readonly<Record<string, Reader>> = {
  Add: (g, [a, b]) => add(g, a, b),
  Sub: (g, [a, b]) => sub(g, a, b),
  Mul: (g, [a, b]) => mul(g, a, b),
  Div: (g, [a, b]) => div(g, a, b),
  Relu: (g, [x]) => relu(g, x),
  LeakyRelu: (g, [x], a) => leakyRelu(g, x, a.float('alpha')),
  Sigmoid: (g, [x]) => sigmoid(g, x),
  Tanh: (g, [x]) => tanh(g, x),
  Reshape: (g, [x, shape]) => reshape(g, x, integersOf(shape)),
  Concat: (g, parts, a) => concat(g, parts, a.int('axis')),
  Conv: (g, [x, w, b], a) => conv(g, x, w, b, { stride: a.ints('strides')[0], pads: a.ints('pads') }),
  ConvTranspose: (g, [x, w, b], a) =>
    convTranspose(g, x, w, b, { stride: a.ints('strides')[0], pads: a.ints('pads') }),
  AveragePool: (g, [x], a) => averagePool(g, x, a.ints('kernel_shape')[0]),
  MaxPool: (g, [x], a) => maxPool(g, x, a.ints('kernel_shape')[0]),
  SpaceToDepth: (g, [x], a) => spaceToDepth(g, x, a.int('blocksize')),
  DepthToSpace: (g, [x], a) => depthToSpace(g, x, a.int('blocksize')),
  BatchNormalization: (g, [x, scale, bias, mean, variance]) =>
    batchNormalizationFixed(g, x, { scale, bias, mean, variance }),
  Slice: (g, [x, ...operands]) => {
    const [starts, ends, axes, steps] = operands.map((value) => integersOf(value));
    return slice(g, x, axes, starts, ends, steps);
  },
  Transpose: (g, [x], a) => transpose(g, x, a.ints('perm')),
  Resize: (g, [x, , scales], a) => {
    const factor = (scales.constant as Float32Array)[2];
    return a.text('mode') === 'nearest'
      ? resizeNearest(g, x, factor)
      : resizeBilinear(g, x, factor, a.text('coordinate_transformation_mode') as CornerConvention);
  },
};

/** Names that `encodeModel` gives what has none: kept, they would clash with those it makes up when it writes again. */
const isMadeUp = (name: string): boolean => /^c\d+$/.test(name);

/**
 * Knows what `encodeModel` writes, and of each operator the attributes that it gives.
 * @returns undefined for a model with an operator that is not in the table: it runs as it is
 */
export function decodeGraph(bytes: Uint8Array): DecodedGraph | undefined {
  const raw = (modelProto.decode(bytes) as unknown as { graph: RawGraph }).graph;
  if (!raw.node.every(({ opType, domain = '' }) => opType in readers && domain === '')) return undefined;
  const graph = new Graph();
  const values = new Map<string, Value>();
  const symbolicShapes: Record<string, (string | number)[]> = {};
  const shapeOf = ({ name, type }: RawInfo): number[] => {
    const { dim } = type.tensorType.shape;
    symbolicShapes[name] = dim.map(({ dimParam, dimValue }) => dimParam || Number(dimValue));
    return symbolicShapes[name].map((extent) =>
      typeof extent === 'number' ? extent : extent === 'batch' ? 1 : nominalExtent,
    );
  };
  for (const info of raw.input) values.set(info.name, graph.input(info.name, shapeOf(info)));
  for (const info of raw.output) shapeOf(info);
  const inputDefaults: Record<string, Float32Array> = {};
  for (const { name, dims = [], dataType, rawData } of raw.initializer ?? []) {
    // Copied: the bytes of a tensor inside a file need not lie on its own boundary.
    const { buffer } = Uint8Array.from(rawData);
    const data = dataType === elementType.float32 ? new Float32Array(buffer) : new BigInt64Array(buffer);
    if (values.has(name)) inputDefaults[name] = data as Float32Array;
    else values.set(name, graph.constant(data, dims.map(Number), isMadeUp(name) ? undefined : name));
  }
  const none = graph.constant(new Float32Array(0), [0]);
  for (const { opType, input, output, attribute } of raw.node) {
    const inputs = input.map((name) => (name === '' ? none : values.get(name)!));
    values.set(output[0], readers[opType](graph, inputs, new Attributes(attribute)));
  }
  for (const { name } of raw.output) graph.output(name, values.get(name)!);
  return { graph, interface: { symbolicShapes, inputDefaults } };
}
