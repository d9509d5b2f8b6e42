// From the bytes of a tile or strip as stored to the bytes of its samples.
// Not by name: before Node 22.15 there is no zstdDecompress, and importing it would fail whatever is read.
import * as zlib from 'node:zlib';
import { decodeLzw } from './lzw.ts';
import { decodePackBits } from './pack-bits.ts';
import { compression } from './tags.ts';

/** Makes the error to throw; `what` continues the sentence 'tile 3, 4 cannot be decoded: ...'. */
export type DecodeFailure = (what: string, cause?: unknown) => Error;

/** Compressions without loss that are read, by their TIFF number. */
export const lossless: ReadonlySet<number> = new Set([
  compression.none,
  compression.lzw,
  compression.deflate,
  compression.oldDeflate,
  compression.packBits,
  compression.zstd,
]);

/**
 * @param expected bytes that the block must have
 * @param most bytes that it may have, where writers pad the last strip; never is more than that allocated
 * @returns exactly `expected` bytes, in memory that is the caller's own
 */
export async function decompress(
  method: number,
  stored: Uint8Array,
  expected: number,
  fail: DecodeFailure,
  most = expected,
): Promise<Uint8Array> {
  const bytes = await decode(method, stored, most, fail);
  if (bytes.length < expected) {
    throw fail(`expected ${expected} bytes, found ${bytes.length}`);
  }
  return bytes.subarray(0, expected);
}

async function decode(
  method: number,
  stored: Uint8Array,
  expected: number,
  fail: DecodeFailure,
): Promise<Uint8Array> {
  switch (method) {
    case compression.none:
      return stored;
    case compression.lzw:
      return decodeLzw(stored, expected, fail);
    case compression.packBits:
      return decodePackBits(stored, expected);
    case compression.deflate:
    case compression.oldDeflate:
      return inflateBlock(stored, expected, fail);
    case compression.zstd:
      return zstdBlock(stored, expected, fail);
    default:
      throw fail(`compression ${method} is not known`);
  }
}

/** A few bytes more than expected are no harm; much more is a bomb. */
function limitOf(expected: number): number {
  return expected + 65_536;
}

/** A zlib stream; libtiff's readers also take a bare deflate stream, which a few old writers made. */
export function inflateBlock(stored: Uint8Array, expected: number, fail: DecodeFailure): Promise<Uint8Array> {
  const isWrapped = stored.length > 1 && (stored[0] & 15) === 8 && ((stored[0] << 8) | stored[1]) % 31 === 0;
  return new Promise((resolve, reject) => {
    (isWrapped ? zlib.inflate : zlib.inflateRaw)(
      stored,
      { maxOutputLength: limitOf(expected) },
      (cause, bytes) => {
        if (cause) reject(fail(`its deflate stream is damaged (${cause.message})`, cause));
        else resolve(bytes);
      },
    );
  });
}

export function zstdBlock(stored: Uint8Array, expected: number, fail: DecodeFailure): Promise<Uint8Array> {
  if (typeof zlib.zstdDecompress !== 'function') {
    throw fail(`Zstandard needs Node 22.15 or newer, this is ${process.version}; update Node`);
  }
  return new Promise((resolve, reject) => {
    zlib.zstdDecompress(stored, { maxOutputLength: limitOf(expected) }, (cause, bytes) => {
      if (cause) reject(fail(`its Zstandard stream is damaged (${cause.message})`, cause));
      else resolve(bytes);
    });
  });
}

/** A gzip or zlib stream, told apart by its first bytes. */
export function unzipBlock(stored: Uint8Array, expected: number, fail: DecodeFailure): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zlib.unzip(stored, { maxOutputLength: limitOf(expected) }, (cause, bytes) => {
      if (cause) reject(fail(`its gzip stream is damaged (${cause.message})`, cause));
      else resolve(bytes);
    });
  });
}
