// What lies in a folder, and what each thing is for the program.
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntryKind, FolderEntry, Listing } from '../contract/studio.ts';
import { type OpenedFolder, studioFolderName } from './opened-folder.ts';

const slideEndings = /\.(tiff?|png|jpe?g|zarr)$/i;
/** A page of more would be slow, and nobody would read it. */
const largestListing = 5000;

/** By name as people count: slide-2 before slide-10. */
const collator = new Intl.Collator('en', { numeric: true });

/** Folders first, then slides, then other files, by name; hidden files and what links to somewhere outside are left out. */
export async function browse(folder: OpenedFolder, path: string): Promise<Listing> {
  const absolute = await folder.existing(path);
  const found = (await readdir(absolute, { withFileTypes: true }))
    .filter(({ name }) => !name.startsWith('.') && name !== studioFolderName)
    .map((entry) => ({ name: entry.name, rank: rankUnseen(entry) }))
    .sort(inOrder);
  const entries = await Promise.all(
    found.slice(0, largestListing).map(async ({ name }): Promise<FolderEntry | undefined> => {
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
  return {
    entries: entries
      .filter((entry) => entry !== undefined)
      .map((entry) => ({ entry, name: entry.name, rank: rankOf(entry.kind) }))
      .sort(inOrder)
      .map(({ entry }) => entry),
    leftOut: Math.max(0, found.length - largestListing),
  };
}

interface Ranked {
  readonly name: string;
  readonly rank: number;
}

function inOrder(a: Ranked, b: Ranked): number {
  return a.rank - b.rank || collator.compare(a.name, b.name);
}

function rankOf(kind: EntryKind): number {
  if (kind === 'folder' || kind === 'dataset' || kind === 'run') return 0;
  return kind === 'slide' ? 1 : 2;
}

/** Before anything is opened, which would take long for many. What a link leads to is not known: it may be a folder. */
function rankUnseen(entry: Dirent): number {
  const kind = fileKind(entry.name);
  return rankOf(kind !== 'slide' && !entry.isFile() ? 'folder' : kind);
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
