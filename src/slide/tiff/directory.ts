// Image file directories of TIFF and BigTIFF, with bounds on everything a damaged or hostile file can claim.
import { FormatError } from '../../core/errors.ts';
import type { FileBytes } from '../file-bytes.ts';
import { fieldType } from './tags.ts';

/** Most directories in one file: a stack of 65,536 planes. */
const maxDirectories = 65_536;
/** Most entries in one directory; files in the wild have 10 to 60. */
const maxEntries = 4096;
/** Longest value held in memory: block offsets of 16 million blocks, or 128 MiB of text. */
const maxValueBytes = 128 * 2 ** 20;

interface Entry {
  readonly type: number;
  readonly count: number;
  /** Where the value lies in the file. */
  readonly offset: number;
}

export interface TiffHeader {
  readonly littleEndian: boolean;
  readonly isBig: boolean;
  readonly firstDirectory: number;
}

/** @returns undefined when the file does not begin as a TIFF */
export async function readHeader(file: FileBytes): Promise<TiffHeader | undefined> {
  if (file.size < 8) return undefined;
  const bytes = await file.read(0, Math.min(16, file.size), 'the header');
  const view = new DataView(bytes.buffer);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const littleEndian = order === 0x4949;
  const version = view.getUint16(2, littleEndian);
  if (version === 42) {
    return { littleEndian, isBig: false, firstDirectory: view.getUint32(4, littleEndian) };
  }
  if (version !== 43) return undefined;
  if (bytes.length < 16 || view.getUint16(4, littleEndian) !== 8) {
    throw new FormatError(file.path, 'the BigTIFF header is damaged.');
  }
  return { littleEndian, isBig: true, firstDirectory: Number(view.getBigUint64(8, littleEndian)) };
}

/** One image file directory. Values stay in the file until they are asked for. */
export class Directory {
  readonly header: TiffHeader;
  readonly #file: FileBytes;
  readonly #entries: ReadonlyMap<number, Entry>;

  constructor(file: FileBytes, header: TiffHeader, entries: ReadonlyMap<number, Entry>) {
    this.#file = file;
    this.header = header;
    this.#entries = entries;
  }

  has(tag: number): boolean {
    return this.#entries.has(tag);
  }

  /** How many values a tag has; 0 when it is absent. */
  count(tag: number): number {
    return this.#entries.get(tag)?.count ?? 0;
  }

  /** All values of a numeric tag; integers beyond 2^53 lose their last bits, which no file offset reaches. */
  async numbers(tag: number): Promise<number[] | Float64Array> {
    const entry = this.#entries.get(tag);
    return entry === undefined ? [] : this.#numbersOf(tag, entry);
  }

  async #numbersOf(tag: number, entry: Entry): Promise<Float64Array> {
    const { bytes, kind } = fieldType[entry.type];
    const view = await this.#view(tag, entry);
    const little = this.header.littleEndian;
    const values = new Float64Array(entry.count);
    for (let i = 0; i < entry.count; i++) {
      const at = i * bytes;
      if (kind === 'rational') values[i] = view.getUint32(at, little) / view.getUint32(at + 4, little);
      else if (kind === 'srational') values[i] = view.getInt32(at, little) / view.getInt32(at + 4, little);
      else if (kind === 'float')
        values[i] = bytes === 4 ? view.getFloat32(at, little) : view.getFloat64(at, little);
      else if (bytes === 8)
        values[i] = Number(kind === 'uint' ? view.getBigUint64(at, little) : view.getBigInt64(at, little));
      else if (bytes === 4)
        values[i] = kind === 'uint' ? view.getUint32(at, little) : view.getInt32(at, little);
      else if (bytes === 2)
        values[i] = kind === 'uint' ? view.getUint16(at, little) : view.getInt16(at, little);
      else values[i] = kind === 'uint' ? view.getUint8(at) : view.getInt8(at);
    }
    return values;
  }

  /** The first value, or `fallback` when the tag is absent. */
  async number(tag: number, fallback: number): Promise<number> {
    const entry = this.#entries.get(tag);
    if (entry === undefined || entry.count === 0) return fallback;
    // Of a tag that claims a whole file of values, no more than is asked for.
    return (await this.#numbersOf(tag, { ...entry, count: 1 }))[0];
  }

  /** Text up to its terminating zero; undefined when absent. UTF-8, else Latin-1. */
  async text(tag: number): Promise<string | undefined> {
    const bytes = await this.bytes(tag);
    if (bytes === undefined) return undefined;
    const end = bytes.indexOf(0);
    const used = end < 0 ? bytes : bytes.subarray(0, end);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(used);
    } catch {
      return new TextDecoder('latin1').decode(used);
    }
  }

  /** The raw bytes of a tag; undefined when absent. */
  async bytes(tag: number): Promise<Uint8Array | undefined> {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return undefined;
    const view = await this.#view(tag, entry);
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  }

  async #view(tag: number, { type, count, offset }: Entry): Promise<DataView> {
    const length = count * fieldType[type].bytes;
    if (length > maxValueBytes) {
      throw new FormatError(this.#file.path, `TIFF tag ${tag} claims ${length} bytes; the file is damaged.`);
    }
    const bytes = await this.#file.read(offset, length, `TIFF tag ${tag}`);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

/**
 * All directories of the main chain, in order.
 * @throws FormatError for a chain that loops, leaves the file or never ends
 */
export async function readDirectories(file: FileBytes, header: TiffHeader): Promise<Directory[]> {
  const directories: Directory[] = [];
  const seen = new Set<number>();
  for (let offset = header.firstDirectory; offset !== 0; ) {
    if (seen.has(offset)) {
      throw new FormatError(file.path, 'the image directories form a loop; the file is damaged.');
    }
    if (directories.length >= maxDirectories) {
      throw new FormatError(file.path, `more than ${maxDirectories} images in one file.`);
    }
    seen.add(offset);
    const { directory, next } = await readDirectory(file, header, offset);
    directories.push(directory);
    offset = next;
  }
  if (directories.length === 0) throw new FormatError(file.path, 'the TIFF holds no image.');
  return directories;
}

/** The directory at an offset, and where the next one of its chain lies (0 for none). */
export async function readDirectory(
  file: FileBytes,
  header: TiffHeader,
  offset: number,
): Promise<{ directory: Directory; next: number }> {
  const { littleEndian: little, isBig } = header;
  const countBytes = isBig ? 8 : 2;
  const entryBytes = isBig ? 20 : 12;
  const nextBytes = isBig ? 8 : 4;
  const head = await file.read(offset, countBytes, 'an image directory');
  const headView = new DataView(head.buffer);
  const count = isBig ? Number(headView.getBigUint64(0, little)) : headView.getUint16(0, little);
  if (count === 0 || count > maxEntries) {
    throw new FormatError(file.path, `an image directory claims ${count} entries; the file is damaged.`);
  }
  const body = await file.read(offset + countBytes, count * entryBytes + nextBytes, 'an image directory');
  const view = new DataView(body.buffer);
  const entries = new Map<number, Entry>();
  for (let i = 0; i < count; i++) {
    const at = i * entryBytes;
    const type = view.getUint16(at + 2, little);
    const known = fieldType[type];
    if (known === undefined) continue;
    const values = isBig ? Number(view.getBigUint64(at + 4, little)) : view.getUint32(at + 4, little);
    const valueAt = at + (isBig ? 12 : 8);
    const isInline = values * known.bytes <= (isBig ? 8 : 4);
    const where = isInline
      ? offset + countBytes + valueAt
      : isBig
        ? Number(view.getBigUint64(valueAt, little))
        : view.getUint32(valueAt, little);
    entries.set(view.getUint16(at, little), { type, count: values, offset: where });
  }
  const nextAt = count * entryBytes;
  const next = isBig ? Number(view.getBigUint64(nextAt, little)) : view.getUint32(nextAt, little);
  return { directory: new Directory(file, header, entries), next };
}
