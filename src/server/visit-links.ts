// Where the symbolic links within a folder lead, so that none is followed unseen.
import type { Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileAccessError } from '../core/errors.ts';

/** Entries read from the disk at a time. */
const bufferSize = 1024;

/**
 * Goes through a folder however much is in it, and through the folders that its links lead to, for a reader would too.
 * What is kept in memory is the names of folders.
 * @param root absolute and without links
 * @param visit is told the link-free target of every link; throws to refuse it
 * @throws FileAccessError when a folder cannot be listed, since what is in it cannot be known; what `visit` throws
 */
export async function visitLinks(root: string, visit: (target: string, link: string) => void): Promise<void> {
  const seen = new Set([root]);
  // A set is gone through in the order in which it grows.
  for (const folder of seen) {
    for await (const entry of await entriesOf(folder)) {
      if (entry.isFile()) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        seen.add(path);
        continue;
      }
      // A link, or something of which the disk does not say what it is.
      const target = await realpath(path).catch(() => undefined);
      if (target === undefined) continue;
      visit(target, path);
      const isFolder = await stat(target).then(
        (stats) => stats.isDirectory(),
        () => false,
      );
      if (isFolder) seen.add(target);
    }
  }
}

async function entriesOf(folder: string): Promise<AsyncIterable<Dirent> | []> {
  try {
    return await opendir(folder, { bufferSize });
  } catch (cause) {
    // A run may have taken away what it no longer needs.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new FileAccessError(
      folder,
      `${folder} cannot be searched for links out of the opened folder. Make it readable, or move it away.`,
      { cause },
    );
  }
}
