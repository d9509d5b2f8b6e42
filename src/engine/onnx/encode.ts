/** Writes a graph as an ONNX model file. */

import type { Attribute, Graph, Node, Value } from '../graph.ts';
import { expandOperators } from '../lowering/rewrite.ts';
import { attributeType, elementType, modelProto, sealedModelProto } from './schema.ts';

/** Operator set 18: the first whose ReduceMean takes axes as input; every ONNX Runtime since 1.14 has it. */
const operatorSet = 18;

export interface EncodeOptions {
  /** Names for extents that may vary from run to run: input or output name -> one entry per axis. */
  readonly symbolicShapes?: Readonly<Record<string, readonly (string | number)[]>>;
  /** Inputs that have a value unless one is fed. */
  readonly inputDefaults?: Readonly<Record<string, Float32Array>>;
}

/** @returns the bytes of a ModelProto with the graph's operators expanded into ONNX's. */
export function encodeModel(source: Graph, options: EncodeOptions = {}): Uint8Array {
  const graph = expandOperators(source);
  const names = new Map<Value, string>();
  const initializers: object[] = [];
  const nameOf = (value: Value): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    // An empty constant stands for an optional operand that is not given.
    if (value.dtype === 'float32' && value.constant?.length === 0) return '';
    const name = value.input ?? value.label ?? `${value.constant ? 'c' : 'v'}${value.id}`;
    names.set(value, name);
    if (value.constant) initializers.push(tensor(name, value.constant, value.shape));
    return name;
  };
  const outputNames = new Map<Value, string>();
  const nodes: object[] = [];
  for (const [name, value] of graph.outputs) {
    if (value.producer && !outputNames.has(value)) {
      outputNames.set(value, name);
      names.set(value, name);
    } else {
      nodes.push({ opType: 'Identity', input: [nameOf(value)], output: [name] });
    }
  }
  const body = graph.nodes.map((node) => encodeNode(node, nameOf));
  for (const [name, data] of Object.entries(options.inputDefaults ?? {})) {
    initializers.push(tensor(name, data, graph.inputs.get(name)?.shape ?? [data.length]));
  }
  const domains = new Set(graph.nodes.map((node) => node.op.domain ?? ''));
  domains.add('');
  const info = (name: string, value: Value): object => ({
    name,
    type: {
      tensorType: {
        elemType: elementType[value.dtype],
        shape: {
          dim: (options.symbolicShapes?.[name] ?? value.shape).map((extent) =>
            typeof extent === 'string' ? { dimParam: extent } : { dimValue: extent },
          ),
        },
      },
    },
  });
  const model = {
    irVersion: 8,
    producerName: 'hrpn',
    opsetImport: [...domains].map((domain) => ({ domain, version: domain === '' ? operatorSet : 1 })),
    graph: {
      name: 'hrpn',
      node: [...body, ...nodes],
      initializer: initializers,
      input: [...graph.inputs].map(([name, value]) => info(name, value)),
      output: [...graph.outputs].map(([name, value]) => info(name, value)),
    },
  };
  return modelProto.encode(modelProto.create(model)).finish();
}

/**
 * A model file as it is but for its metadata: free text, e.g. a manifest.
 * @param metadata may depend on the bytes of the graph
 */
export function replaceMetadata(
  bytes: Uint8Array,
  metadata: (graph: Uint8Array) => Readonly<Record<string, string>>,
): Uint8Array {
  const model = sealedModelProto.decode(bytes) as unknown as { graph: Uint8Array; metadataProps: object[] };
  model.metadataProps = Object.entries(metadata(model.graph)).map(([key, value]) => ({ key, value }));
  return sealedModelProto.encode(model as unknown as Record<string, unknown>).finish();
}

function encodeNode(node: Node, nameOf: (value: Value) => string): object {
  const output = node.outputs.map(nameOf);
  return {
    opType: node.op.name,
    domain: node.op.domain ?? '',
    name: `${node.op.name}_${output[0]}`,
    input: trimEmpty(node.inputs.map(nameOf)),
    output,
    attribute: Object.entries(node.attributes).map(([name, value]) => encodeAttribute(name, value)),
  };
}

function trimEmpty(names: string[]): string[] {
  while (names.at(-1) === '') names.pop();
  return names;
}

function encodeAttribute(name: string, value: Attribute): object {
  if (typeof value === 'number') return { name, i: value, type: attributeType.int };
  if (typeof value === 'string') return { name, s: Buffer.from(value), type: attributeType.string };
  if ('float' in value) return { name, f: value.float, type: attributeType.float };
  return { name, ints: value, type: attributeType.ints };
}

function tensor(name: string, data: Float32Array | BigInt64Array, shape: readonly number[]): object {
  return {
    name,
    dims: shape,
    dataType: data instanceof Float32Array ? elementType.float32 : elementType.int64,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}
