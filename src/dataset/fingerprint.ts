// A short identity of a slide's bytes, so that a dataset notices when the slide behind it was changed.
import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { FileAccessError } from '../core/errors.ts';
import { isChannelFile } from '../slide/open-folder.ts';

const sampleBytes = 65_536;
/** Samples of a file that is larger than all of them. */
const sampleCount = 32;
/** Files of a folder that samples are taken of. */
const sampledFiles = 64;
/** Places at multiples of it, modulo 1, never lie at one distance, as the planes and margins of an image do. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/** Whether a slide is named by address and not by a path of this machine. */
export function isUrl(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(path);
}

/** An address without query and fragment, which may hold an access token; a path as it is. */
export function withoutQuery(path: string): string {
  return isUrl(path) ? path.replace(/[?#].*$/, '') : path;
}

/**
 * SHA-256 (first 32 hex digits) of a file's size and 32 samples of 64 KiB, the first, the last, and others at irregular
 * places; of a folder, of the names and sizes of its files (of the channels where it has one file for each) and such
 * samples of 64 of them, the first, the last and others between. Survives copying and moving. For an address,
 * of the address alone, without what follows '?' (an access token): what lies behind it is not checked.
 * @throws FileAccessError
 */
export async function fingerprintSlide(path: string): Promise<string> {
  const hash = createHash('sha256');
  if (isUrl(path)) return hash.update(withoutQuery(path)).digest('hex').slice(0, 32);
  try {
    const files = (await stat(path)).isDirectory() ? await listFiles(path) : [path];
    const sampled = sampledOf(files.length);
    for (const [i, file] of files.entries()) {
      const name = file === path ? '' : relative(path, file).split(sep).join('/');
      hash.update(`${name}\n${(await stat(file)).size}\n`);
      if (sampled.has(i)) for (const part of await samples(file)) hash.update(part);
    }
  } catch (cause) {
    throw new FileAccessError(path, `${path} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  return hash.digest('hex').slice(0, 32);
}

/** Which of so many files: chunks of one size tell nothing by their names, and the first hold the upper edge of one channel. */
function sampledOf(count: number): ReadonlySet<number> {
  if (count <= sampledFiles) return new Set(Array.from({ length: count }, (_, i) => i));
  const places = Array.from({ length: sampledFiles - 1 }, (_, i) =>
    Math.floor(((i * goldenRatio) % 1) * count),
  );
  return new Set([...places, count - 1]);
}

async function samples(file: string): Promise<Uint8Array[]> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const isSampled = size > sampleCount * sampleBytes;
    const starts = Array.from({ length: sampleCount }, (_, i) => {
      if (!isSampled) return i * sampleBytes;
      if (i === sampleCount - 1) return size - sampleBytes;
      return Math.floor(((i * goldenRatio) % 1) * (size - sampleBytes));
    }).filter((start) => start < size);
    const parts: Uint8Array[] = [];
    for (const start of starts) {
      const { buffer, bytesRead } = await handle.read({
        buffer: new Uint8Array(sampleBytes),
        position: start,
      });
      parts.push(buffer.subarray(0, bytesRead));
    }
    return parts;
  } finally {
    await handle.close();
  }
}

/** What file managers leave behind when a folder is looked at. */
const leftBehind = /^(\.DS_Store|\._.*|Thumbs\.db|desktop\.ini)$/;

const zarrMetadata: ReadonlySet<string> = new Set(['zarr.json', '.zgroup', '.zattrs']);

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const direct = entries.filter(({ parentPath }) => parentPath === folder);
  const channels = direct.filter((entry) => !entry.isDirectory() && isChannelFile(entry.name));
  // What else lies beside the channels is not read, and may change; a Zarr is all of its files.
  if (channels.length > 0 && !direct.some(({ name }) => zarrMetadata.has(name)))
    return channels.map(({ name }) => join(folder, name)).sort();
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (leftBehind.test(entry.name)) continue;
    if (entry.isFile() || (entry.isSymbolicLink() && (await stat(path)).isFile())) files.push(path);
  }
  return files.sort();
}
