// What lies in a folder, and what each thing is for the program.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntryKind, FolderEntry } from '../contract/studio.ts';
import { type OpenedFolder, studioFolderName } from './opened-folder.ts';

const slideEndings = /\.(tiff?|png|jpe?g|zarr)$/i;
const largestListing = 5000;

/** Folders first, then by name; hidden files and what links to somewhere outside are left out. */
export async function browse(folder: OpenedFolder, path: string): Promise<FolderEntry[]> {
  const absolute = await folder.existing(path);
  const found = await readdir(absolute, { withFileTypes: true });
  const entries = await Promise.all(
    found
      .filter(({ name }) => !name.startsWith('.') && name !== studioFolderName)
      .slice(0, largestListing)
      .map(async ({ name }): Promise<FolderEntry | undefined> => {
        const relative = folder.relative(join(absolute, name));
        const real = await folder.existing(relative).catch(() => undefined);
        const stats = real === undefined ? undefined : await stat(real).catch(() => undefined);
        if (real === undefined || stats === undefined) return undefined;
        return {
          name,
          path: relative,
          kind: stats.isDirectory() ? await folderKind(real, name) : fileKind(name),
          bytes: stats.isDirectory() ? 0 : stats.size,
          modifiedMs: Math.round(stats.mtimeMs),
        };
      }),
  );
  return entries
    .filter((entry) => entry !== undefined)
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function rank({ kind }: FolderEntry): number {
  return kind === 'folder' || kind === 'dataset' || kind === 'run' ? 0 : 1;
}

function fileKind(name: string): EntryKind {
  if (name.endsWith('.partial')) return 'file';
  if (slideEndings.test(name)) return 'slide';
  if (/\.onnx$/i.test(name)) return 'model';
  if (/\.html$/i.test(name)) return 'report';
  if (/\.geojson$/i.test(name)) return 'regions';
  return 'file';
}

async function folderKind(path: string, name: string): Promise<EntryKind> {
  if (/\.zarr$/i.test(name)) return 'slide';
  const names: string[] = await readdir(path).catch(() => []);
  if (names.includes('dataset.json')) return 'dataset';
  if (names.includes('run.json') || names.includes('history.jsonl')) return 'run';
  return 'folder';
}
