/**
 * The whole state of a run in one file in the safetensors format (a JSON header, then raw little-endian float32),
 * so that other programs can open it too.
 */
import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { FileAccessError, FormatError } from '../core/errors.ts';

export interface Checkpoint<State> {
  /** Everything but the vectors; must survive JSON. */
  readonly state: State;
  /** Vectors by name. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

/** Written atomically: an interrupted write leaves the earlier checkpoint. */
export async function writeCheckpoint<State>(
  path: string,
  { state, vectors }: Checkpoint<State>,
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { state: JSON.stringify(state) } };
  let bytes = 0;
  for (const [name, vector] of vectors) {
    header[name] = { dtype: 'F32', shape: [vector.length], data_offsets: [bytes, bytes + vector.byteLength] };
    bytes += vector.byteLength;
  }
  // The format wants the data to begin at a multiple of 8.
  let text = JSON.stringify(header);
  text += ' '.repeat((8 - (Buffer.byteLength(text) % 8)) % 8);
  const head = Buffer.from(text);
  const out = Buffer.alloc(8 + head.length + bytes);
  out.writeBigUInt64LE(BigInt(head.length), 0);
  out.set(head, 8);
  let at = 8 + head.length;
  for (const vector of vectors.values()) {
    out.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), at);
    at += vector.byteLength;
  }
  await writeFileAtomic(path, out);
}

/**
 * @param lengths of the vectors that it must hold, by name; any unless given
 * @throws FileAccessError when there is none, FormatError when it is damaged or holds other vectors
 */
export async function readCheckpoint<State>(
  path: string,
  lengths?: Readonly<Record<string, number>>,
): Promise<Checkpoint<State>> {
  const checkpoint = await readWhole<State>(path);
  const list = (entries: Iterable<readonly [string, number]>): string =>
    Array.from(entries, ([name, length]) => `${name} (${length})`)
      .sort()
      .join(', ');
  const found = list([...checkpoint.vectors].map(([name, { length }]) => [name, length]));
  const expected = lengths === undefined ? found : list(Object.entries(lengths));
  if (found !== expected) {
    throw new FormatError(
      path,
      `is a checkpoint of another version's training: it holds ${found}; expected were ${expected}. Start anew in another folder.`,
    );
  }
  return checkpoint;
}

async function readWhole<State>(path: string): Promise<Checkpoint<State>> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new FileAccessError(
      path,
      `Expected a checkpoint at ${path}, but it cannot be read (${(cause as NodeJS.ErrnoException).code}). Start anew in another folder.`,
      { cause },
    );
  }
  try {
    const headerBytes = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes));
    const vectors = new Map<string, Float32Array>();
    for (const [name, entry] of Object.entries<{ data_offsets: [number, number] }>(header)) {
      if (name === '__metadata__') continue;
      const [from, to] = entry.data_offsets.map((offset) => offset + 8 + headerBytes);
      if (to > bytes.length) throw new RangeError(`the vector '${name}' ends beyond the file`);
      vectors.set(name, new Float32Array(Uint8Array.from(bytes.subarray(from, to)).buffer));
    }
    return { state: JSON.parse(header.__metadata__.state), vectors };
  } catch (cause) {
    throw new FormatError(
      path,
      `is not a whole checkpoint (${(cause as Error).message}). Start anew in another folder.`,
      { cause },
    );
  }
}
