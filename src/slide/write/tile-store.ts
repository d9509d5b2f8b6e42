// Compressed tiles on disk while a file is being made: appended in any order, with a journal that survives a crash.
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { removeUnfinished, writeFailure } from '../../core/atomic-file.ts';
import { assert, DataError } from '../../core/errors.ts';

/** Where a stored tile lies: one part a channel. */
interface StoredTile {
  readonly offsets: readonly number[];
  readonly lengths: readonly number[];
}

/**
 * Bytes of one journal record: level, column, row, channel (uint32 each), offset (float64), length and check sum of
 * the bytes (uint32), check sum of the record (uint32).
 */
const recordBytes = 36;

/** Of the tiles that are stored. */
export const journalFile = 'journal';
/** The journal of what a resumed store takes over, until it is whole and takes the other's place. */
const newJournalFile = 'journal.new';

/** @throws FileAccessError where the folder is no tile store */
export function removeTileStore(folder: string): Promise<void> {
  return removeUnfinished(folder, (names) =>
    names.every((name) => ['tiles', journalFile, newJournalFile, 'image'].includes(name)),
  );
}

/** A folder with `tiles` and `journal`. The journal begins with a line of JSON that says what is being made. */
export class TileStore {
  readonly folder: string;
  readonly #channels: number;
  readonly #tiles: FileHandle;
  #journal: FileHandle;
  readonly #stored = new Map<string, StoredTile>();
  #end = 0;
  #journalEnd = 0;

  private constructor(folder: string, channels: number, tiles: FileHandle, journal: FileHandle) {
    this.folder = folder;
    this.#channels = channels;
    this.#tiles = tiles;
    this.#journal = journal;
  }

  /**
   * @param identity what is being made; a store of anything else is not continued
   * @throws DataError when `resume` finds something else; WriteError, FileAccessError
   */
  static async open(folder: string, identity: string, channels: number, resume: boolean): Promise<TileStore> {
    const found = resume ? await readJournal(folder) : undefined;
    if (found !== undefined && found.identity !== identity) {
      throw new DataError(
        `${folder} was begun with other settings or for another slide. Remove it, or run again without --resume.`,
      );
    }
    if (found === undefined) {
      await removeTileStore(folder);
      await mkdir(folder, { recursive: true });
    }
    const tiles = await open(join(folder, 'tiles'), found === undefined ? 'wx+' : 'r+');
    const journal = await open(join(folder, journalFile), found === undefined ? 'wx+' : 'r+');
    const store = new TileStore(folder, channels, tiles, journal);
    try {
      await store.#begin(identity, found?.records ?? []);
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  /** Bytes of all tiles. */
  get bytes(): number {
    return this.#end;
  }

  has(level: number, column: number, row: number): boolean {
    return this.#stored.has(keyOf(level, column, row));
  }

  /** The lengths of a tile's parts in bytes, one a channel. */
  lengthsOf(level: number, column: number, row: number): readonly number[] {
    return this.#get(level, column, row).lengths;
  }

  /** Writes the parts of a tile, one a channel; resolves when they and their journal entry are with the system. */
  async put(level: number, column: number, row: number, parts: readonly Uint8Array[]): Promise<void> {
    assert(parts.length === this.#channels, `${parts.length} parts for ${this.#channels} channels`);
    const offsets: number[] = [];
    for (const part of parts) {
      offsets.push(this.#end);
      this.#end += part.length;
    }
    await writeParts(this.#tiles, parts, offsets[0]);
    const records = parts.map((part, channel) =>
      recordOf({
        level,
        column,
        row,
        channel,
        offset: offsets[channel],
        length: part.length,
        sum: crc32(part),
      }),
    );
    const entry = Buffer.concat(records);
    const at = this.#journalEnd;
    this.#journalEnd += entry.length;
    await writeAll(this.#journal, entry, at);
    this.#stored.set(keyOf(level, column, row), { offsets, lengths: parts.map(({ length }) => length) });
  }

  /** The bytes of one part. */
  async get(level: number, column: number, row: number, channel: number): Promise<Uint8Array> {
    const { offsets, lengths } = this.#get(level, column, row);
    return readAll(this.#tiles, offsets[channel], lengths[channel]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#tiles.close(), this.#journal.close()]);
  }

  /** Removes everything, after `close`. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  #get(level: number, column: number, row: number): StoredTile {
    const tile = this.#stored.get(keyOf(level, column, row));
    assert(tile !== undefined, `tile ${column}, ${row} of level ${level} was never written`);
    return tile;
  }

  /** Takes over what is complete and whole on disk, and rewrites the journal to just that. */
  async #begin(identity: string, records: readonly TileRecord[]): Promise<void> {
    const size = (await this.#tiles.stat()).size;
    const byTile = new Map<string, TileRecord[]>();
    for (const record of records) {
      const key = keyOf(record.level, record.column, record.row);
      byTile.set(key, [...(byTile.get(key) ?? []), record]);
    }
    const kept: Uint8Array[] = [Buffer.from(`${identity}\n`)];
    for (const [key, parts] of byTile) {
      parts.sort((a, b) => a.channel - b.channel);
      if (parts.length !== this.#channels || !(await this.#isWhole(parts, size))) continue;
      this.#stored.set(key, {
        offsets: parts.map(({ offset }) => offset),
        lengths: parts.map(({ length }) => length),
      });
      for (const part of parts) {
        this.#end = Math.max(this.#end, part.offset + part.length);
        kept.push(recordOf(part));
      }
    }
    const journal = Buffer.concat(kept);
    // Killed at any moment, one whole journal is there.
    const [path, fresh] = [journalFile, newJournalFile].map((name) => join(this.folder, name));
    await writeFile(fresh, journal, { flush: true });
    await this.#journal.close();
    await rename(fresh, path);
    this.#journal = await open(path, 'r+');
    this.#journalEnd = journal.length;
    await this.#tiles.truncate(this.#end);
  }

  async #isWhole(parts: readonly TileRecord[], size: number): Promise<boolean> {
    for (const { offset, length, sum } of parts) {
      if (offset + length > size) return false;
      if (crc32(await readAll(this.#tiles, offset, length)) !== sum) return false;
    }
    return true;
  }
}

interface TileRecord {
  readonly level: number;
  readonly column: number;
  readonly row: number;
  readonly channel: number;
  readonly offset: number;
  readonly length: number;
  readonly sum: number;
}

function keyOf(level: number, column: number, row: number): string {
  return `${level}:${column}:${row}`;
}

function recordOf({ level, column, row, channel, offset, length, sum }: TileRecord): Uint8Array {
  const record = Buffer.alloc(recordBytes);
  record.writeUInt32LE(level, 0);
  record.writeUInt32LE(column, 4);
  record.writeUInt32LE(row, 8);
  record.writeUInt32LE(channel, 12);
  record.writeDoubleLE(offset, 16);
  record.writeUInt32LE(length, 24);
  record.writeUInt32LE(sum, 28);
  record.writeUInt32LE(crc32(record.subarray(0, 32)), 32);
  return record;
}

/** @returns undefined when there is no journal, or none that can be read */
async function readJournal(folder: string): Promise<{ identity: string; records: TileRecord[] } | undefined> {
  const isThere = await stat(join(folder, 'tiles')).catch(() => undefined);
  const journal = await readFile(join(folder, journalFile)).catch(() => undefined);
  const end = journal?.indexOf(10) ?? -1;
  if (isThere === undefined || journal === undefined || end < 0) return undefined;
  const records: TileRecord[] = [];
  for (let at = end + 1; at + recordBytes <= journal.length; at += recordBytes) {
    const record = journal.subarray(at, at + recordBytes);
    if (crc32(record.subarray(0, 32)) !== record.readUInt32LE(32)) break;
    records.push({
      level: record.readUInt32LE(0),
      column: record.readUInt32LE(4),
      row: record.readUInt32LE(8),
      channel: record.readUInt32LE(12),
      offset: record.readDoubleLE(16),
      length: record.readUInt32LE(24),
      sum: record.readUInt32LE(28),
    });
  }
  return { identity: journal.subarray(0, end).toString(), records };
}

/** Writes parts one behind the other without joining them first. */
export async function writeParts(
  file: FileHandle,
  parts: readonly Uint8Array[],
  offset: number,
): Promise<void> {
  const { bytesWritten } = await file.writev([...parts], offset);
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  // A full disk may take a part of it first; writing the rest says what is wrong.
  if (bytesWritten < total) {
    await writeAll(file, Buffer.concat(parts).subarray(bytesWritten), offset + bytesWritten);
  }
}

/** Writes all bytes; the system may take them in several pieces. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
  }
}

async function readAll(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw writeFailure('the unfinished file', new Error('it became shorter'));
    done += bytesRead;
  }
  return bytes;
}
