// A file dropped into the browser, written beside the others.
import { createWriteStream } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { partialPath, writeFailure } from '../core/atomic-file.ts';
import { UsageError } from '../core/errors.ts';

/** The body is larger than is taken. */
export class TooLargeError extends UsageError {}

/** Formats that are taken; a program or a page must not get in this way. */
const accepted = /\.(ome\.tiff?|tiff?|png|jpe?g|onnx|geojson)$/i;

/**
 * Appears under its name when complete; nothing is left of one that breaks off.
 * @param path absolute and already checked
 * @throws UsageError when the name exists or is of no known kind, TooLargeError, WriteError
 */
export async function saveUpload(
  path: string,
  body: ReadableStream<Uint8Array> | null,
  declaredBytes: number,
  maxBytes: number,
): Promise<void> {
  if (!accepted.test(path)) {
    throw new UsageError(
      'only slides (.tif, .png, .jpg), models (.onnx) and regions (.geojson) can be dropped. ' +
        'Copy an OME-Zarr folder into the opened folder instead.',
    );
  }
  if (declaredBytes > maxBytes) throw tooLarge(maxBytes);
  if (
    await access(path).then(
      () => true,
      () => false,
    )
  ) {
    throw new UsageError('a file of that name is there already. Rename one of the two.');
  }
  const temporary = partialPath(path);
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Uint8Array, _, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? tooLarge(maxBytes) : null, chunk);
    },
  });
  try {
    await mkdir(dirname(path), { recursive: true });
    await pipeline(
      body === null ? Readable.from([]) : Readable.fromWeb(body as never),
      count,
      createWriteStream(temporary, { flags: 'wx' }),
    );
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw writeFailure(path, cause);
  }
}

function tooLarge(maxBytes: number): TooLargeError {
  return new TooLargeError(
    `the file is larger than ${(maxBytes / 1e9).toPrecision(3)} GB. Copy it into the opened folder instead, or start the studio with --max-upload-gb.`,
  );
}
