// Writes a pyramidal OME-TIFF region by region.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { partialPath, writeFailure } from '../core/atomic-file.ts';
import { assert, DataError } from '../core/errors.ts';
import type { Raster, Region } from '../core/raster.ts';
import { createSamples, viewSamples } from './sample-type.ts';
import { decompress } from './tiff/decompress.ts';
import { undoHorizontal } from './tiff/predictor.ts';
import { compression as compressionCode } from './tiff/tags.ts';
import { compress, difference, littleEndianBytes } from './write/encode-block.ts';
import { omeXml } from './write/ome-xml-text.ts';
import { type FinishedTile, PyramidBuilder } from './write/pyramid-builder.ts';
import {
  levelSizes,
  type SinkOptions,
  type SlideDescription,
  type SlideSink,
  tilePx,
} from './write/slide-description.ts';
import { toSamples } from './write/stored-values.ts';
import { layOutTiff } from './write/tiff-layout.ts';
import { TileStore, writeAll } from './write/tile-store.ts';

/** Bytes of finished tiles that may wait for compression and the disk before `write` waits for them. */
const pendingBytes = 64 * 2 ** 20;

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
  try {
    await mkdir(dirname(path), { recursive: true });
    const store = await TileStore.open(partialPath(path), identity, slide.channels.length, resume);
    const sink = new OmeTiffSink(path, slide, xml, store);
    try {
      await sink.restore();
      return sink;
    } catch (error) {
      await sink.suspend();
      throw error;
    }
  } catch (cause) {
    if (!resume) await rm(partialPath(path), { recursive: true, force: true }).catch(() => {});
    throw writeFailure(path, cause);
  }
}

class OmeTiffSink implements SlideSink {
  readonly #path: string;
  readonly #slide: SlideDescription;
  readonly #xml: string;
  readonly #store: TileStore;
  readonly #pyramid: PyramidBuilder;
  readonly #pending = new Set<Promise<void>>();
  #waitingBytes = 0;
  #failure: unknown;
  #isOpen = true;

  constructor(path: string, slide: SlideDescription, xml: string, store: TileStore) {
    this.#path = path;
    this.#slide = slide;
    this.#xml = xml;
    this.#store = store;
    this.#pyramid = new PyramidBuilder({
      width: slide.width,
      height: slide.height,
      channels: slide.channels.length,
      sampleType: slide.sampleType,
      isStored: (level, column, row) => store.has(level, column, row),
      onTile: (tile) => this.#queue(tile),
    });
  }

  /** Brings the levels above the stored tiles up to where they were. */
  async restore(): Promise<void> {
    for (const [level, { width, height }] of levelSizes(this.#slide.width, this.#slide.height).entries()) {
      for (let row = 0; row * tilePx < height; row++) {
        for (let column = 0; column * tilePx < width; column++) {
          if (!this.#store.has(level, column, row) || !this.#pyramid.isNeeded(level, column, row)) continue;
          const tileWidth = Math.min(tilePx, width - column * tilePx);
          const tileHeight = Math.min(tilePx, height - row * tilePx);
          const raster = await this.#readTile(level, column, row, tileWidth, tileHeight);
          this.#pyramid.restore({ level, column, row, raster });
          await this.#settle(pendingBytes);
        }
      }
      await this.#settle(0);
    }
  }

  isWritten({ x, y, width, height }: Region): boolean {
    for (let row = Math.floor(y / tilePx); row * tilePx < y + height; row++) {
      for (let column = Math.floor(x / tilePx); column * tilePx < x + width; column++) {
        if (!this.#store.has(0, column, row)) return false;
      }
    }
    return true;
  }

  async write(x: number, y: number, raster: Raster): Promise<void> {
    assert(this.#isOpen, `${this.#path} is closed already`);
    this.#pyramid.write(x, y, raster);
    await this.#settle(pendingBytes);
  }

  async finish(): Promise<void> {
    await this.#settle(0);
    try {
      const assembled = join(this.#store.folder, 'image');
      await this.#assemble(assembled);
      await rename(assembled, this.#path);
    } catch (cause) {
      throw writeFailure(this.#path, cause);
    }
    this.#isOpen = false;
    await this.#store.close();
    await this.#store.remove();
  }

  async abort(): Promise<void> {
    await this.suspend();
    await this.#store.remove();
  }

  async suspend(): Promise<void> {
    await Promise.allSettled(this.#pending);
    if (this.#isOpen) await this.#store.close();
    this.#isOpen = false;
  }

  #queue(tile: FinishedTile): void {
    const bytes = tile.raster.data.byteLength;
    this.#waitingBytes += bytes;
    const work = this.#storeTile(tile)
      .catch((error) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#waitingBytes -= bytes;
        this.#pending.delete(work);
      });
    this.#pending.add(work);
  }

  /** Waits until no more than `bytes` are on their way. */
  async #settle(bytes: number): Promise<void> {
    while (this.#waitingBytes > bytes && this.#failure === undefined) await Promise.race(this.#pending);
    if (this.#failure !== undefined) throw writeFailure(this.#path, this.#failure);
  }

  async #storeTile({ level, column, row, raster }: FinishedTile): Promise<void> {
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

  /** Differences help integers; those of noisy floating point would only cost time. */
  get #predictor(): number {
    const { sampleType, compression } = this.#slide;
    return sampleType === 'float32' || compression === 'none' ? 1 : 2;
  }

  async #readTile(
    level: number,
    column: number,
    row: number,
    width: number,
    height: number,
  ): Promise<Raster> {
    const { sampleType, channels, compression = 'deflate' } = this.#slide;
    const data = new Float32Array(channels.length * width * height);
    const bytesWanted = createSamples(sampleType, tilePx * tilePx).byteLength;
    for (let c = 0; c < channels.length; c++) {
      const fail = (reason: string): Error =>
        new DataError(
          `${this.#store.folder} is damaged: ${reason}. Remove it and run again without --resume.`,
        );
      const stored = await this.#store.get(level, column, row, c);
      const bytes = await decompress(compressionCode[compression], stored, bytesWanted, fail);
      const samples = viewSamples(bytes, sampleType);
      if (this.#predictor === 2) {
        const view = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
        undoHorizontal(view, samples.BYTES_PER_ELEMENT, tilePx, 1);
      }
      for (let y = 0; y < height; y++) {
        data.set(samples.subarray(y * tilePx, y * tilePx + width), (c * height + y) * width);
      }
    }
    return { channels: channels.length, width, height, data };
  }

  async #assemble(assembled: string): Promise<void> {
    const { channels } = this.#slide;
    const sizes = levelSizes(this.#slide.width, this.#slide.height);
    const lengths = sizes.map(({ width, height }, level) => {
      const columns = Math.ceil(width / tilePx);
      const count = columns * Math.ceil(height / tilePx);
      return Array.from({ length: count }, (_, i) =>
        this.#store.lengthsOf(level, i % columns, Math.floor(i / columns)),
      );
    });
    const images = channels.map((_, c) =>
      sizes.map((size, level) => ({ ...size, tileLengths: lengths[level].map((parts) => parts[c]) })),
    );
    const { head, tileOffsets } = layOutTiff(this.#slide, images, this.#predictor, this.#xml);
    const file = await open(assembled, 'w');
    try {
      await writeAll(file, head, 0);
      for (let level = sizes.length - 1; level >= 0; level--) {
        const columns = Math.ceil(sizes[level].width / tilePx);
        for (let i = 0; i < lengths[level].length; i++) {
          const parts: Uint8Array[] = [];
          for (let c = 0; c < channels.length; c++) {
            parts.push(await this.#store.get(level, i % columns, Math.floor(i / columns), c));
          }
          await writeAll(file, Buffer.concat(parts), tileOffsets[0][level][i]);
        }
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

export type {
  SinkOptions,
  SlideDescription,
  SlideSink,
  WrittenChannel,
  WrittenType,
} from './write/slide-description.ts';
