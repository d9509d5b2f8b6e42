// A file dropped into the browser, written beside the others.
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { partialPath } from '../core/atomic-file.ts';
import { FileAccessError, HrpnError, UsageError, WriteError } from '../core/errors.ts';

/** The body is larger than is taken. */
export class TooLargeError extends UsageError {}

/** Formats that are taken; a program or a page must not get in this way. */
const accepted = /\.(ome\.tiff?|tiff?|png|jpe?g|onnx|geojson)$/i;

/**
 * Appears under its name when complete; nothing is left of one that breaks off.
 * @param path absolute and already checked
 * @throws UsageError when the name exists or is of no known kind, TooLargeError, FileAccessError where nothing may be
 * written, WriteError when the disk is full or the browser breaks off
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
  await refuseExisting(path);
  // A name of its own: another upload of this name may be under way, or may have been broken off by a crash.
  const temporary = partialPath(`${path}.${randomBytes(8).toString('hex')}`);
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
    // Another upload of this name may have ended first.
    await refuseExisting(path);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw uploadFailure(path, cause);
  }
}

async function refuseExisting(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw new UsageError('a file of that name is there already. Rename one of the two.');
}

function uploadFailure(path: string, cause: unknown): Error {
  if (cause instanceof HrpnError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  const name = basename(path);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new WriteError(
      path,
      `the disk is full: ${name} was not taken. Free some space and drop it again.`,
      {
        cause,
      },
    );
  }
  if (
    code !== undefined &&
    ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG'].includes(code)
  ) {
    return new FileAccessError(
      path,
      `${name} cannot be written into ${dirname(path)} (${code}). Open another folder or give it another name, and drop it again.`,
      { cause },
    );
  }
  return new WriteError(path, `${name} was not taken: ${message}. Drop it again.`, { cause });
}

function tooLarge(maxBytes: number): TooLargeError {
  return new TooLargeError(
    `the file is larger than ${(maxBytes / 1e9).toPrecision(3)} GB. Copy it into the opened folder instead, or start the studio with --max-upload-gb.`,
  );
}
