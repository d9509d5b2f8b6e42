// Folders that a command writes whole: they appear under their name complete or not at all.
import { constants } from 'node:fs';
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { partialPath, removeUnfinished, writeFailure } from '../core/atomic-file.ts';
import { UsageError } from '../core/errors.ts';

/** In a folder that is not complete, by which what an interrupted run left is recognised. */
const mark = 'unfinished';

export interface OutputFolder {
  readonly path: string;
  /** File that only this kind of folder has, by which an earlier one is recognised. */
  readonly marker: string;
  /** All names that such a folder may hold; one that holds anything else is never replaced. */
  readonly contents: readonly string[];
  readonly overwrite: boolean;
}

/**
 * Call before long work, so that it is not done in vain, and before `writeOutputFolder`: clears away what an interrupted run left.
 * @throws UsageError when the folder exists and may not be replaced, FileAccessError when others use the names beside it
 */
export async function checkOutputFolder(output: OutputFolder): Promise<void> {
  const { marker, contents } = output;
  const { temporary, replaced } = namesBeside(output);
  // Killed between the two renames that put a new folder in the place of an old one.
  if ((await ownNames(output.path, contents)).length === 0 && (await isComplete(replaced, output))) {
    await rename(replaced, resolve(output.path));
  }
  await requireReplaceable(output);
  const isNew = (names: readonly string[]): boolean =>
    names.includes(marker) && names.every((name) => contents.includes(name));
  await removeUnfinished(temporary, (names) => names.includes(mark) || isNew(names));
  await removeUnfinished(replaced, (names) => names.includes(output.marker));
  await requireWritable(dirname(temporary));
}

async function isComplete(folder: string, { marker }: OutputFolder): Promise<boolean> {
  return (await readdir(folder).catch((): string[] => [])).includes(marker);
}

/** Of the folder, or the nearest above it that is there. @throws FileAccessError */
export async function requireWritable(folder: string): Promise<void> {
  for (let at = folder; ; at = dirname(at)) {
    const problem = await access(at, constants.W_OK).then(
      () => undefined,
      (cause: NodeJS.ErrnoException) => cause,
    );
    if (problem === undefined) return;
    if (problem.code !== 'ENOENT' || dirname(at) === at) throw writeFailure(at, problem);
  }
}

/** Of the folder until it is complete, and of the one that it replaces until it has. */
function namesBeside(output: OutputFolder): { temporary: string; replaced: string } {
  const path = resolve(output.path);
  return { temporary: partialPath(path), replaced: `${path}.replaced` };
}

/**
 * The names in a folder, none where it is not there.
 * @throws UsageError where it is a file, or holds anything but `contents`
 */
export async function ownNames(path: string, contents: readonly string[]): Promise<string[]> {
  const found: string[] = await readdir(path).catch((cause: NodeJS.ErrnoException): string[] => {
    if (cause.code === 'ENOENT') return [];
    throw cause.code === 'ENOTDIR'
      ? new UsageError(`--out ${path} is, or lies below, a file; expected a folder.`)
      : cause;
  });
  const foreign = found.find((name) => !contents.includes(name));
  if (foreign !== undefined) throw otherFiles(path, foreign);
  return found;
}

const otherFiles = (path: string, name: string): UsageError =>
  new UsageError(
    `--out ${path} exists and holds other files (such as '${name}'), which would be lost. Choose another folder.`,
  );

async function requireReplaceable({ path, marker, contents, overwrite }: OutputFolder): Promise<void> {
  const found = await ownNames(path, contents);
  if (found.length === 0) return;
  if (!found.includes(marker)) throw otherFiles(path, found[0]);
  if (!overwrite) {
    throw new UsageError(
      `--out ${path} exists already. Choose another folder, or add --overwrite to replace it.`,
    );
  }
}

/**
 * Calls `write` with an empty folder beside the wanted one and puts it in its place once that resolves; whatever
 * goes wrong before leaves nothing behind and an earlier folder as it was.
 */
export async function writeOutputFolder<T>(
  output: OutputFolder,
  write: (folder: string) => Promise<T>,
): Promise<T> {
  const path = resolve(output.path);
  const { temporary, replaced } = namesBeside(output);
  let isReplacing = false;
  try {
    await mkdir(dirname(path), { recursive: true });
    await mkdir(temporary);
    await writeFile(join(temporary, mark), '');
    const result = await write(temporary);
    await rm(join(temporary, mark));
    await requireReplaceable(output);
    isReplacing = await rename(path, replaced).then(
      () => true,
      (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') return false;
        throw cause;
      },
    );
    await rename(temporary, path);
    if (isReplacing) await rm(replaced, { recursive: true, force: true });
    return result;
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    // Fails where the new folder is in its place already.
    if (isReplacing) await rename(replaced, path).catch(() => {});
    throw writeFailure(path, cause);
  }
}
