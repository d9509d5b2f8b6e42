// Blosc 1 containers (c-blosc 1.21, README_CHUNK_FORMAT.rst). numcodecs' WebAssembly build gives back whatever was in
// memory when its decoder fails, so a damaged chunk would be a wrong picture; here every length is checked.
import { type DecodeFailure, inflateBlock, zstdBlock } from '../unzip.ts';
import { decodeBloscLz } from './blosc-lz.ts';
import { decodeLz4 } from './lz4.ts';

const headerBytes = 16;
const flag = { shuffle: 1, stored: 2, bitShuffle: 4, oneStream: 16 } as const;
/** Blocks are split into one stream a byte of the type when that type is small and there is enough of it. */
const split = { largestType: 16, fewestItems: 128 } as const;

type Inner = (input: Uint8Array, output: Uint8Array, fail: DecodeFailure) => void | Promise<void>;

/** By the number in the upper three bits of the flags; 2 is Snappy, which no Zarr writer uses by default. */
const inner: Readonly<Record<number, Inner>> = {
  0: decodeBloscLz,
  1: decodeLz4,
  3: async (input, output, fail) => fill(output, await inflateBlock(input, output.length, fail), fail),
  4: async (input, output, fail) => fill(output, await zstdBlock(input, output.length, fail), fail),
};

function fill(output: Uint8Array, bytes: Uint8Array, fail: DecodeFailure): void {
  if (bytes.length !== output.length)
    throw fail(`a block has ${bytes.length} bytes, expected ${output.length}`);
  output.set(bytes);
}

/**
 * @param limit most bytes that the result may have
 * @throws what `fail` makes, for a container that is damaged or of a kind that is not read
 */
export async function decodeBlosc(
  bytes: Uint8Array,
  limit: number,
  fail: DecodeFailure,
): Promise<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerBytes) throw fail('its Blosc header is damaged');
  const [version, , flags, typeSize] = bytes;
  const total = view.getUint32(4, true);
  const blockSize = view.getUint32(8, true);
  const stored = view.getUint32(12, true);
  if (version > 2) throw fail(`Blosc format ${version} is not read`);
  if (total > limit || stored !== bytes.length || typeSize === 0) throw fail('its Blosc header is damaged');
  if (flags & flag.stored) {
    if (bytes.length < headerBytes + total) throw fail('its Blosc header is damaged');
    return bytes.slice(headerBytes, headerBytes + total);
  }
  const output = new Uint8Array(total);
  if (total === 0) return output;
  const decode = inner[flags >>> 5];
  if (decode === undefined) throw fail(`Blosc with compressor ${flags >>> 5} is not read`);
  if (blockSize === 0) throw fail('its Blosc header is damaged');
  const blocks = Math.ceil(total / blockSize);
  if (headerBytes + blocks * 4 > bytes.length) throw fail('its Blosc header is damaged');
  for (let block = 0; block < blocks; block++) {
    const from = block * blockSize;
    const size = Math.min(blockSize, total - from);
    const isSplit =
      !(flags & flag.oneStream) &&
      typeSize <= split.largestType &&
      blockSize / typeSize >= split.fewestItems &&
      size === blockSize;
    const streams = isSplit ? typeSize : 1;
    const streamBytes = Math.floor(size / streams);
    const decoded = new Uint8Array(size);
    let at = view.getUint32(headerBytes + block * 4, true);
    for (let stream = 0; stream < streams; stream++) {
      if (at + 4 > bytes.length) throw fail('its Blosc blocks are damaged');
      const length = view.getUint32(at, true);
      at += 4;
      if (at + length > bytes.length) throw fail('its Blosc blocks are damaged');
      const part = decoded.subarray(stream * streamBytes, (stream + 1) * streamBytes);
      const input = bytes.subarray(at, at + length);
      if (length === streamBytes) part.set(input);
      else await decode(input, part, fail);
      at += length;
    }
    const target = output.subarray(from, from + size);
    if (flags & flag.shuffle && typeSize > 1) unshuffleBytes(decoded, target, typeSize);
    else if (flags & flag.bitShuffle) unshuffleBits(decoded, target, typeSize);
    else target.set(decoded);
  }
  return output;
}

/** First come the first bytes of all items, then the second ones, and so on; what fills no item is at the end. */
function unshuffleBytes(input: Uint8Array, output: Uint8Array, typeSize: number): void {
  const items = Math.floor(input.length / typeSize);
  for (let byte = 0; byte < typeSize; byte++) {
    let to = byte;
    for (let i = byte * items; i < (byte + 1) * items; i++, to += typeSize) output[to] = input[i];
  }
  output.set(input.subarray(items * typeSize), items * typeSize);
}

/** The same bit by bit, lowest first; done by Blosc only where the number of items is a multiple of 8. */
function unshuffleBits(input: Uint8Array, output: Uint8Array, typeSize: number): void {
  const items = Math.floor(input.length / typeSize);
  if (items % 8 !== 0) {
    output.set(input);
    return;
  }
  const rowBytes = items / 8;
  for (let byte = 0; byte < typeSize; byte++) {
    for (let bit = 0; bit < 8; bit++) {
      const row = (byte * 8 + bit) * rowBytes;
      for (let i = 0; i < items; i++) {
        output[i * typeSize + byte] |= ((input[row + (i >> 3)] >> (i & 7)) & 1) << bit;
      }
    }
  }
  output.set(input.subarray(items * typeSize), items * typeSize);
}
