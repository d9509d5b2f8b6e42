// Compresses tiles in the thread pool of libuv, several at a time.
// Not by name: before Node 22.15 there is no zstdCompress, and importing it would fail whatever is written.
import * as zlib from 'node:zlib';
import { UsageError, WriteError } from '../../core/errors.ts';
import type { Samples } from '../blocked-source.ts';
import { bytesOf } from '../sample-type.ts';
import { type DecodeFailure, unzipBlock, zstdBlock } from '../unzip.ts';
import type { WrittenType } from './slide-description.ts';

export type Compression = 'deflate' | 'gzip' | 'zstd' | 'none';

/** Differences between neighbours, in place; the inverse of TIFF's horizontal predictor. */
export function difference(samples: Samples, width: number): void {
  for (let start = 0; start < samples.length; start += width) {
    for (let i = start + width - 1; i > start; i--) samples[i] -= samples[i - 1];
  }
}

/** The samples as little-endian bytes; a view, where the machine is little-endian. */
export function littleEndianBytes(samples: Samples, type: WrittenType): Uint8Array {
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) return bytes;
  const copy = Buffer.from(bytes);
  if (bytesOf(type) === 2) copy.swap16();
  if (bytesOf(type) === 4) copy.swap32();
  return copy;
}

/**
 * Deflate that looks for runs of one byte only. Most bits of a prediction are noise in which a search for longer
 * matches finds nothing: this is three times as fast, and no larger (bench/slide-writing.ts, docs/formats.md).
 */
const runLengths: zlib.ZlibOptions = { level: 1, memLevel: 9, strategy: zlib.constants.Z_RLE };

/**
 * The same input gives the same bytes.
 * @throws WriteError when the compressor fails
 */
export function compress(bytes: Uint8Array, method: Compression, path: string): Promise<Uint8Array> {
  if (method === 'none') return Promise.resolve(bytes);
  return new Promise((resolve, reject) => {
    const done = (cause: Error | null, result: Uint8Array): void => {
      if (cause === null) resolve(result);
      else
        reject(new WriteError(path, `${path}: a tile could not be compressed: ${cause.message}.`, { cause }));
    };
    // Room for all of the result, which is hardly ever larger than what goes in: no going to and fro between threads.
    const options = { ...runLengths, chunkSize: bytes.length + 1024 };
    if (method === 'deflate') zlib.deflate(bytes, options, done);
    else if (method === 'gzip') zlib.gzip(bytes, options, done);
    else zstd(bytes, path, done);
  });
}

function zstd(
  bytes: Uint8Array,
  path: string,
  done: (cause: Error | null, result: Uint8Array) => void,
): void {
  if (typeof zlib.zstdCompress !== 'function') {
    throw new UsageError(
      `${path}: Zstandard needs Node 22.15 or newer, this is ${process.version}. Update Node, or write an OME-TIFF (.ome.tif).`,
    );
  }
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: 1, [zlib.constants.ZSTD_c_checksumFlag]: 1 };
  // With the length in the frame header, which older decoders (numcodecs before 0.13) need.
  zlib.zstdCompress(bytes, { params, pledgedSrcSize: bytes.length }, done);
}

/** @throws WriteError when the bytes are not whole */
export async function decompressChunk(
  stored: Uint8Array,
  method: Compression,
  expected: number,
  path: string,
): Promise<Uint8Array> {
  const fail: DecodeFailure = (what, cause) =>
    new WriteError(path, `${path} is damaged: ${what}.`, { cause });
  const bytes =
    method === 'none'
      ? new Uint8Array(stored)
      : method === 'zstd'
        ? await zstdBlock(stored, expected, fail)
        : await unzipBlock(stored, expected, fail);
  if (bytes.length !== expected) throw fail(`expected ${expected} bytes, found ${bytes.length}`);
  return bytes;
}
