/** Reads what a model file made here carries: metadata, the bytes of its graph, and the parameters in them. */
import { ModelError } from '../../core/errors.ts';
import { elementType, graphProto, sealedModelProto } from './schema.ts';

export interface OpenedModel {
  readonly metadata: Readonly<Record<string, string>>;
  /** The bytes of the graph with all parameters, not looked into. */
  readonly graph: Uint8Array;
}

/** @throws ModelError when the bytes are no ONNX model */
export function openModel(bytes: Uint8Array, path: string): OpenedModel {
  const noModel = (cause?: unknown): ModelError =>
    new ModelError(`${path} is not an ONNX model file, or it is cut short. Give a model made by train.`, {
      cause,
    });
  let raw: { metadataProps?: { key: string; value: string }[]; graph?: Uint8Array };
  try {
    raw = sealedModelProto.decode(bytes) as unknown as typeof raw;
  } catch (cause) {
    throw noModel(cause);
  }
  if (!raw.graph?.length) throw noModel();
  const metadata = Object.fromEntries((raw.metadataProps ?? []).map(({ key, value }) => [key, value]));
  return { metadata, graph: raw.graph };
}

/** The float32 initialisers of a graph that was written here, by name. */
export function parametersOf(graph: Uint8Array): Map<string, Float32Array> {
  const { initializer = [] } = graphProto.decode(graph) as unknown as {
    initializer?: { name: string; dataType: number; rawData: Uint8Array }[];
  };
  const parameters = new Map<string, Float32Array>();
  for (const { name, dataType, rawData } of initializer) {
    if (dataType !== elementType.float32) continue;
    // Copied: the bytes of a tensor inside a file need not lie on a four-byte boundary.
    parameters.set(name, new Float32Array(Uint8Array.from(rawData).buffer));
  }
  return parameters;
}
