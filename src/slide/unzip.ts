// Decompression in the thread pool, with a bound on what comes out.
// Not by name: before Node 22.15 there is no zstdDecompress, and importing it would fail whatever is read.
import * as zlib from 'node:zlib';

/** Makes the error to throw; `what` continues the sentence 'tile 3 cannot be read: ...'. */
export type DecodeFailure = (what: string, cause?: unknown) => Error;

/** A few bytes more than expected are no harm; much more is a bomb. */
function limitOf(expected: number): number {
  return expected + 65_536;
}

/**
 * For blocks of at most a few MiB the whole result is taken at once: in pieces of 16 KiB, as by default, going to and fro
 * between threads takes longer than inflating. What a file claims beyond that is not allocated before it is there.
 */
function sizes(expected: number): { maxOutputLength: number; chunkSize: number } {
  return {
    maxOutputLength: limitOf(expected),
    chunkSize: Math.min(Math.max(1024, expected + 64), 4 * 2 ** 20),
  };
}

/** A zlib stream; libtiff's readers also take a bare deflate stream, which a few old writers made. */
export function inflateBlock(stored: Uint8Array, expected: number, fail: DecodeFailure): Promise<Uint8Array> {
  const isWrapped = stored.length > 1 && (stored[0] & 15) === 8 && ((stored[0] << 8) | stored[1]) % 31 === 0;
  return new Promise((resolve, reject) => {
    (isWrapped ? zlib.inflate : zlib.inflateRaw)(stored, sizes(expected), (cause, bytes) => {
      if (cause) reject(fail(`its deflate stream is damaged (${cause.message})`, cause));
      else resolve(bytes);
    });
  });
}

export function zstdBlock(stored: Uint8Array, expected: number, fail: DecodeFailure): Promise<Uint8Array> {
  if (typeof zlib.zstdDecompress !== 'function') {
    throw fail(`Zstandard needs Node 22.15 or newer, this is ${process.version}; update Node`);
  }
  return new Promise((resolve, reject) => {
    zlib.zstdDecompress(stored, sizes(expected), (cause, bytes) => {
      if (cause) reject(fail(`its Zstandard stream is damaged (${cause.message})`, cause));
      else resolve(bytes);
    });
  });
}

/** A gzip or zlib stream, told apart by its first bytes. */
export function unzipBlock(stored: Uint8Array, expected: number, fail: DecodeFailure): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zlib.unzip(stored, sizes(expected), (cause, bytes) => {
      if (cause) reject(fail(`its gzip stream is damaged (${cause.message})`, cause));
      else resolve(bytes);
    });
  });
}
