// Decompression in the thread pool, with a bound on what comes out.
// Not by name: before Node 22.15 there is no zstdDecompress, and importing it would fail whatever is read.
import * as zlib from 'node:zlib';

/** Makes the error to throw; `what` continues the sentence 'tile 3 cannot be read: ...'. */
export type DecodeFailure = (what: string, cause?: unknown) => Error;

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
