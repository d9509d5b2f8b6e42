// Files that appear complete or not at all, and what to say when they cannot be written.
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { FileAccessError, WriteError } from './errors.ts';

/** The name under which a file is written until it is complete. */
export function partialPath(path: string): string {
  return `${path}.partial`;
}

/**
 * Removes what an interrupted run left under a temporary name.
 * @param isOurs by the names in the folder
 * @throws FileAccessError where the folder holds anything else
 */
export async function removeUnfinished(
  folder: string,
  isOurs: (names: readonly string[]) => boolean,
): Promise<void> {
  const there = await stat(folder).catch(() => undefined);
  if (there === undefined) return;
  const names = there.isDirectory() ? await readdir(folder) : [basename(folder)];
  if (names.length > 0 && !isOurs(names)) {
    throw new FileAccessError(
      folder,
      `${folder} is needed for what is not finished yet, but holds other files (such as '${names[0]}'). Move it away, or choose another --out.`,
    );
  }
  await rm(folder, { recursive: true, force: true });
}

/**
 * Writes a whole file so that it appears under its name complete or not at all (temporary name, flush, rename).
 * Creates missing parent folders.
 * @throws WriteError when the disk is full or writing fails half-way
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | Iterable<string>,
): Promise<void> {
  const temporary = partialPath(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw writeFailure(path, cause);
  }
}

/** Turns what the file system threw while writing into an error that says what to do. */
export function writeFailure(path: string, cause: unknown): Error {
  const code = (cause as NodeJS.ErrnoException)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new WriteError(
      path,
      `the disk is full: ${path} could not be written. Free some space and run again.`,
      { cause },
    );
  }
  if (code !== undefined && ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST'].includes(code)) {
    return new FileAccessError(
      path,
      `${path} cannot be written (${code}). Choose another place with --out.`,
      { cause },
    );
  }
  if (cause instanceof Error && 'fault' in cause) return cause;
  return new WriteError(path, `${path} could not be written: ${(cause as Error)?.message ?? cause}.`, {
    cause,
  });
}
