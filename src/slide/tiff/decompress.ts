// From the bytes of a tile or strip as stored to the bytes of its samples.
import { type DecodeFailure, inflateBlock, zstdBlock } from '../unzip.ts';
import { decodeLzw } from './lzw.ts';
import { decodePackBits } from './pack-bits.ts';
import { compression } from './tags.ts';

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
