/** Reads what a model file made here carries besides its graph: metadata and parameters. */
import { ModelError } from '../../core/errors.ts';
import { elementType, modelProto } from './schema.ts';

export interface DecodedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface DecodedModel {
  readonly metadata: Readonly<Record<string, string>>;
  /** The float32 initialisers by name. */
  readonly tensors: ReadonlyMap<string, DecodedTensor>;
}

interface RawModel {
  metadataProps?: { key: string; value: string }[];
  graph?: { initializer?: { name: string; dims?: unknown[]; dataType: number; rawData?: Uint8Array }[] };
}

/** @throws ModelError when the bytes are no ONNX model */
export function decodeModel(bytes: Uint8Array, path: string): DecodedModel {
  let raw: RawModel;
  try {
    raw = modelProto.decode(bytes) as unknown as RawModel;
  } catch (cause) {
    throw new ModelError(
      `${path} is not an ONNX model file, or it is cut short. Give a model made by train.`,
      {
        cause,
      },
    );
  }
  const tensors = new Map<string, DecodedTensor>();
  for (const entry of raw.graph?.initializer ?? []) {
    if (entry.dataType !== elementType.float32 || !entry.rawData) continue;
    // Copied: the bytes of a tensor inside a file need not lie on a four-byte boundary.
    const copy = Uint8Array.from(entry.rawData);
    tensors.set(entry.name, {
      shape: (entry.dims ?? []).map(Number),
      data: new Float32Array(copy.buffer),
    });
  }
  return {
    metadata: Object.fromEntries((raw.metadataProps ?? []).map(({ key, value }) => [key, value])),
    tensors,
  };
}
