// Compresses tiles in the thread pool of libuv, several at a time.
import { constants, deflate, zstdCompress } from 'node:zlib';
import { WriteError } from '../../core/errors.ts';
import type { Samples } from '../blocked-source.ts';
import { bytesOf } from '../sample-type.ts';
import type { SlideDescription, WrittenType } from './slide-description.ts';

type Compression = NonNullable<SlideDescription['compression']>;

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

/** The same input gives the same bytes. @throws WriteError when the compressor fails */
export function compress(bytes: Uint8Array, method: Compression, path: string): Promise<Uint8Array> {
  if (method === 'none') return Promise.resolve(bytes);
  return new Promise((resolve, reject) => {
    const done = (cause: Error | null, result: Uint8Array): void => {
      if (cause)
        reject(new WriteError(path, `${path}: a tile could not be compressed: ${cause.message}.`, { cause }));
      else resolve(result);
    };
    if (method === 'zstd') {
      zstdCompress(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }, done);
    } else {
      // Level 1: higher ones take several times as long for a few per cent, most of the bits being noise.
      deflate(bytes, { level: 1 }, done);
    }
  });
}
