// Bytes of a local file at any position, with every request checked against the file's size.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { FileAccessError, FormatError } from '../core/errors.ts';

/** Small requests (directories, tags) are served from a window of this many bytes, so that a file with thousands of
 * directories does not cost a system call for every value. */
const windowBytes = 65_536;

/** A file open for reading at any position. */
export class FileBytes {
  readonly path: string;
  readonly size: number;
  readonly #file: FileHandle;
  #window: { offset: number; bytes: Uint8Array } | undefined;

  private constructor(path: string, size: number, file: FileHandle) {
    this.path = path;
    this.size = size;
    this.#file = file;
  }

  /** @throws FileAccessError when the file is absent or may not be read; FormatError when it is empty */
  static async open(path: string): Promise<FileBytes> {
    let file: FileHandle | undefined;
    try {
      // Opening a pipe would wait for its writer.
      if (!(await stat(path)).isFile()) throw new FileAccessError(path, `${path} is no file with pixels.`);
      file = await open(path, 'r');
      const { size } = await file.stat();
      if (size === 0) throw new FormatError(path, 'expected an image, found an empty file.');
      return new FileBytes(path, size, file);
    } catch (cause) {
      await file?.close();
      throw readFailure(path, cause);
    }
  }

  /** True when the file has these bytes. */
  has(offset: number, length: number): boolean {
    return Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= this.size;
  }

  /**
   * @param what for the message, e.g. 'tile 3 of level 0'
   * @throws FormatError when the file ends before
   */
  async read(offset: number, length: number, what: string): Promise<Uint8Array> {
    if (!this.has(offset, length)) {
      throw new FormatError(
        this.path,
        `the file is cut off or damaged: ${what} lies at bytes ${offset} to ${offset + length}, but the file has ${this.size}. ` +
          'Copy it again from where it came.',
      );
    }
    if (length > windowBytes / 4) return this.#readThrough(offset, length);
    let held = this.#window;
    if (held === undefined || offset < held.offset || offset + length > held.offset + held.bytes.length) {
      held = { offset, bytes: await this.#readThrough(offset, Math.min(windowBytes, this.size - offset)) };
      this.#window = held;
    }
    return held.bytes.slice(offset - held.offset, offset - held.offset + length);
  }

  async #readThrough(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#file
        .read(bytes, done, length - done, offset + done)
        .catch((cause) => {
          throw readFailure(this.path, cause);
        });
      if (bytesRead === 0) throw new FormatError(this.path, 'the file became shorter while it was read.');
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Turns what the file system threw while opening or reading into an error that says what is wrong. */
export function readFailure(path: string, cause: unknown): Error {
  if (cause instanceof Error && 'fault' in cause) return cause;
  const code = (cause as NodeJS.ErrnoException)?.code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new FileAccessError(path, `${path} does not exist. Check the path.`, { cause });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new FileAccessError(path, `${path} may not be read (${code}). Check its permissions.`, { cause });
  }
  return new FileAccessError(path, `${path} cannot be read: ${(cause as Error)?.message ?? cause}.`, {
    cause,
  });
}

/** What lies under a path. @throws FileAccessError when nothing does */
export async function kindOfPath(path: string): Promise<'file' | 'folder' | 'other'> {
  try {
    const found = await stat(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  } catch (cause) {
    throw readFailure(path, cause);
  }
}
