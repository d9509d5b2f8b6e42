// Writes an OME-Zarr 0.5 (Zarr v3) region by region.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { partialPath, removeUnfinished, writeFailure } from '../core/atomic-file.ts';
import { DataError, FileAccessError } from '../core/errors.ts';
import { createRaster, type Raster } from '../core/raster.ts';
import { bytesOf, viewSamples } from './sample-type.ts';
import { compress, decompressChunk, littleEndianBytes } from './write/encode-block.ts';
import type { FinishedTile } from './write/pyramid-builder.ts';
import {
  levelSizes,
  type SinkOptions,
  type SlideDescription,
  type SlideSink,
  tilePx,
} from './write/slide-description.ts';
import { toSamples } from './write/stored-values.ts';
import { type TileBackend, TiledSink, tilesOf } from './write/tiled-sink.ts';
import { arrayJson, groupJson, type ValueRange, zarrCompression } from './write/zarr-json.ts';

/** Says what an unfinished folder is the beginning of; gone from a finished one. Readers of Zarr pass it over. */
export const identityFile = 'unfinished.json';

/**
 * An OME-Zarr 0.5: axes c, y, x; chunks of 512 x 512 px of one channel; smaller levels made by averaging while writing;
 * Zstandard unless the description says otherwise. Regions may come in any order; memory holds the chunks that are
 * begun and not complete. Until it is complete the slide is the folder PATH.partial, which `resume` continues.
 * @throws FileAccessError, WriteError (full disk); DataError when `resume` finds the beginnings of another slide
 */
export async function createOmeZarr(
  path: string,
  slide: SlideDescription,
  options: SinkOptions = {},
): Promise<SlideSink> {
  const folder = partialPath(path);
  const { resume = false } = options;
  if (!resume) await removeBegun(folder);
  try {
    const backend = new ZarrBackend(path, folder, slide);
    await backend.begin(resume);
    return await TiledSink.open(path, slide, backend);
  } catch (cause) {
    if (!resume) await rm(folder, { recursive: true, force: true }).catch(() => {});
    throw writeFailure(path, cause);
  }
}

const removeBegun = (folder: string): Promise<void> =>
  removeUnfinished(folder, (names) => names.includes(identityFile));

class ZarrBackend implements TileBackend {
  readonly #path: string;
  readonly #folder: string;
  readonly #slide: SlideDescription;
  readonly #stored = new Set<string>();
  /** Of the full resolution, one a channel; viewers need them to choose a display range. */
  readonly #ranges: ValueRange[];

  constructor(path: string, folder: string, slide: SlideDescription) {
    this.#path = path;
    this.#folder = folder;
    this.#slide = slide;
    this.#ranges = slide.channels.map(() => ({
      min: Number.POSITIVE_INFINITY,
      max: Number.NEGATIVE_INFINITY,
    }));
  }

  /** Takes over what an interrupted run left, or clears it away. */
  async begin(resume: boolean): Promise<void> {
    const there = await readdir(this.#path).catch((cause) => (cause.code === 'ENOTDIR' ? ['a file'] : []));
    if (there.length > 0 && !there.includes('zarr.json') && !there.includes('.zgroup')) {
      throw new FileAccessError(
        this.#path,
        `${this.#path} is no OME-Zarr but a file, or a folder with other things in it, and is not replaced. Choose another name with --out.`,
      );
    }
    const identity = JSON.stringify({ writer: 1, tilePx, slide: this.#slide });
    const file = join(this.#folder, identityFile);
    const found = resume ? await readFile(file, 'utf8').catch(() => undefined) : undefined;
    if (found === undefined) {
      await removeBegun(this.#folder);
      await mkdir(this.#folder, { recursive: true });
      await writeFile(file, identity);
      return;
    }
    if (found !== identity) {
      throw new DataError(
        `${this.#folder} was begun with other settings or for another slide. Remove it, or run again without --resume.`,
      );
    }
    for (const tile of tilesOf(this.#slide)) {
      const { level, column, row, width, height } = tile;
      const raster = await this.read(level, column, row, width, height).catch(() => undefined);
      if (raster === undefined) continue;
      this.#stored.add(keyOf(level, column, row));
      if (level === 0) this.#widen(raster);
    }
  }

  has(level: number, column: number, row: number): boolean {
    return this.#stored.has(keyOf(level, column, row));
  }

  async put({ level, column, row, raster }: FinishedTile): Promise<void> {
    const { sampleType } = this.#slide;
    const plane = raster.width * raster.height;
    if (level === 0) this.#widen(raster);
    await Promise.all(
      this.#slide.channels.map(async (_, c) => {
        const values = raster.data.subarray(c * plane, (c + 1) * plane);
        const samples = toSamples(values, raster.width, raster.height, tilePx, tilePx, sampleType);
        const method = zarrCompression(this.#slide);
        const bytes = await compress(littleEndianBytes(samples, sampleType), method, this.#path);
        const file = this.#chunkFile(level, c, column, row);
        await mkdir(dirname(file), { recursive: true });
        // Under its name only when it is whole, so that what is there can be trusted after a crash.
        await writeFile(`${file}.part`, bytes);
        await rename(`${file}.part`, file);
      }),
    );
    this.#stored.add(keyOf(level, column, row));
  }

  async read(level: number, column: number, row: number, width: number, height: number): Promise<Raster> {
    const { sampleType, channels } = this.#slide;
    const raster = createRaster(channels.length, height, width);
    const expected = tilePx * tilePx * bytesOf(sampleType);
    for (let c = 0; c < channels.length; c++) {
      const file = this.#chunkFile(level, c, column, row);
      const stored = await readFile(file);
      const bytes = await decompressChunk(stored, zarrCompression(this.#slide), expected, file);
      const samples = viewSamples(bytes, sampleType);
      for (let y = 0; y < height; y++) {
        raster.data.set(samples.subarray(y * tilePx, y * tilePx + width), (c * height + y) * width);
      }
    }
    return raster;
  }

  async complete(): Promise<void> {
    for (const level of levelSizes(this.#slide.width, this.#slide.height).keys()) {
      await writeFile(join(this.#folder, String(level), 'zarr.json'), arrayJson(this.#slide, level));
    }
    await writeFile(join(this.#folder, 'zarr.json'), groupJson(this.#slide, this.#ranges));
    await this.#takeItsPlace();
  }

  /**
   * A folder cannot replace one that holds something, so an earlier slide steps aside. It is removed when the new one is
   * in its place, and the identity goes last: killed anywhere on the way, one of the two is complete under its name
   * or `resume` finds all tiles of the new one.
   */
  async #takeItsPlace(): Promise<void> {
    const replaced = `${this.#path}.replaced`;
    await rm(replaced, { recursive: true, force: true });
    await rename(this.#path, replaced).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause;
    });
    await rename(this.#folder, this.#path);
    await rm(join(this.#path, identityFile));
    await rm(replaced, { recursive: true, force: true });
  }

  async close(): Promise<void> {}

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #chunkFile(level: number, channel: number, column: number, row: number): string {
    return join(this.#folder, String(level), 'c', String(channel), String(row), String(column));
  }

  #widen({ channels, width, height, data }: Raster): void {
    const plane = width * height;
    for (let c = 0; c < channels; c++) {
      let { min, max } = this.#ranges[c];
      for (let i = c * plane; i < (c + 1) * plane; i++) {
        if (data[i] < min) min = data[i];
        if (data[i] > max) max = data[i];
      }
      this.#ranges[c] = { min, max };
    }
  }
}

function keyOf(level: number, column: number, row: number): string {
  return `${level}:${column}:${row}`;
}
