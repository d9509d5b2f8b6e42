// Writes a pyramidal OME-TIFF region by region.
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { partialPath, writeFailure } from '../core/atomic-file.ts';
import { DataError, FileAccessError } from '../core/errors.ts';
import { createRaster, type Raster } from '../core/raster.ts';
import { bytesOf, viewSamples } from './sample-type.ts';
import { decompress } from './tiff/decompress.ts';
import { undoHorizontal } from './tiff/predictor.ts';
import { compression as compressionCode } from './tiff/tags.ts';
import { compress, difference, littleEndianBytes } from './write/encode-block.ts';
import { omeXml } from './write/ome-xml-text.ts';
import type { FinishedTile } from './write/pyramid-builder.ts';
import {
  levelSizes,
  type SinkOptions,
  type SlideDescription,
  type SlideSink,
  tilePx,
} from './write/slide-description.ts';
import { toSamples } from './write/stored-values.ts';
import { layOutTiff } from './write/tiff-layout.ts';
import { removeTileStore, TileStore, writeAll, writeParts } from './write/tile-store.ts';
import { type TileBackend, TiledSink } from './write/tiled-sink.ts';

/**
 * A pyramidal OME-TIFF: one image a channel, 512 px tiles, smaller levels as SubIFDs made by averaging while writing,
 * BigTIFF when needed. Regions may come in any order; memory holds the tiles that are begun and not complete. The
 * bytes of the file depend on the pixels and the description only.
 *
 * Until it is complete the file is a folder, PATH.partial, with the finished tiles and a journal of them, so that it
 * can be continued (`resume`) after an interruption or a crash. `finish` lays the tiles out in their final order,
 * which needs room for the file a second time.
 * @throws FileAccessError, WriteError (full disk); DataError when `resume` finds the beginnings of another file
 */
export async function createOmeTiff(
  path: string,
  slide: SlideDescription,
  options: SinkOptions = {},
): Promise<SlideSink> {
  const xml = omeXml(slide);
  const identity = JSON.stringify({ writer: 1, tilePx, compression: slide.compression ?? 'deflate', xml });
  const { resume = false } = options;
  if (!resume) await removeTileStore(partialPath(path));
  try {
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) {
      throw new FileAccessError(
        path,
        `${path} is a folder and is not replaced. Choose another name with --out.`,
      );
    }
    await mkdir(dirname(path), { recursive: true });
    const store = await TileStore.open(partialPath(path), identity, slide.channels.length, resume);
    return await TiledSink.open(path, slide, new TiffBackend(path, slide, xml, store));
  } catch (cause) {
    if (!resume) await rm(partialPath(path), { recursive: true, force: true }).catch(() => {});
    throw writeFailure(path, cause);
  }
}

class TiffBackend implements TileBackend {
  readonly #path: string;
  readonly #slide: SlideDescription;
  readonly #xml: string;
  readonly #store: TileStore;

  constructor(path: string, slide: SlideDescription, xml: string, store: TileStore) {
    this.#path = path;
    this.#slide = slide;
    this.#xml = xml;
    this.#store = store;
  }

  has(level: number, column: number, row: number): boolean {
    return this.#store.has(level, column, row);
  }

  async put({ level, column, row, raster }: FinishedTile): Promise<void> {
    const { sampleType, compression = 'deflate' } = this.#slide;
    const plane = raster.width * raster.height;
    const parts = Array.from({ length: raster.channels }, (_, c) => {
      const values = raster.data.subarray(c * plane, (c + 1) * plane);
      const samples = toSamples(values, raster.width, raster.height, tilePx, tilePx, sampleType);
      if (this.#predictor === 2) difference(samples, tilePx);
      return compress(littleEndianBytes(samples, sampleType), compression, this.#path);
    });
    await this.#store.put(level, column, row, await Promise.all(parts));
  }

  async read(level: number, column: number, row: number, width: number, height: number): Promise<Raster> {
    const { sampleType, channels, compression = 'deflate' } = this.#slide;
    const raster = createRaster(channels.length, height, width);
    for (let c = 0; c < channels.length; c++) {
      const fail = (reason: string): Error =>
        new DataError(
          `${this.#store.folder} is damaged: ${reason}. Remove it and run again without --resume.`,
        );
      const stored = await this.#store.get(level, column, row, c);
      const expected = tilePx * tilePx * bytesOf(sampleType);
      const bytes = await decompress(compressionCode[compression], stored, expected, fail);
      const samples = viewSamples(bytes, sampleType);
      if (this.#predictor === 2) {
        const view = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
        undoHorizontal(view, bytesOf(sampleType), tilePx, 1);
      }
      for (let y = 0; y < height; y++) {
        raster.data.set(samples.subarray(y * tilePx, y * tilePx + width), (c * height + y) * width);
      }
    }
    return raster;
  }

  /** Copies the tiles into their final order, which does not depend on the order in which they were written. */
  async complete(): Promise<void> {
    const { channels } = this.#slide;
    const sizes = levelSizes(this.#slide.width, this.#slide.height);
    const columnsOf = (level: number): number => Math.ceil(sizes[level].width / tilePx);
    const lengths = sizes.map(({ height }, level) => {
      const columns = columnsOf(level);
      return Array.from({ length: columns * Math.ceil(height / tilePx) }, (_, i) =>
        this.#store.lengthsOf(level, i % columns, Math.floor(i / columns)),
      );
    });
    const images = channels.map((_, c) =>
      sizes.map((size, level) => ({ ...size, tileLengths: lengths[level].map((parts) => parts[c]) })),
    );
    const { head, tileOffsets } = layOutTiff(this.#slide, images, this.#predictor, this.#xml);
    const assembled = join(this.#store.folder, 'image');
    const file = await open(assembled, 'w');
    try {
      await writeAll(file, head, 0);
      for (let level = sizes.length - 1; level >= 0; level--) {
        const columns = columnsOf(level);
        for (let i = 0; i < lengths[level].length; i++) {
          const parts: Uint8Array[] = [];
          for (let c = 0; c < channels.length; c++) {
            parts.push(await this.#store.get(level, i % columns, Math.floor(i / columns), c));
          }
          await writeParts(file, parts, tileOffsets[0][level][i]);
        }
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(assembled, this.#path);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  remove(): Promise<void> {
    return this.#store.remove();
  }

  /** Differences help integers; those of noisy floating point would only cost time. */
  get #predictor(): number {
    const { sampleType, compression } = this.#slide;
    return sampleType === 'float32' || compression === 'none' ? 1 : 2;
  }
}

export type {
  SinkOptions,
  SlideDescription,
  SlideSink,
  WrittenChannel,
  WrittenType,
} from './write/slide-description.ts';
