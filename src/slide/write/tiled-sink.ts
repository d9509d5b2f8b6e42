// Writes a slide region by region, whatever the format: tiles, smaller levels, back-pressure, continuing, cleaning up.
import { writeFailure } from '../../core/atomic-file.ts';
import { assert } from '../../core/errors.ts';
import type { Raster, Region } from '../../core/raster.ts';
import { type FinishedTile, PyramidBuilder } from './pyramid-builder.ts';
import { levelSizes, type SlideDescription, type SlideSink, tilePx } from './slide-description.ts';

/** Bytes of finished tiles that may wait for compression and the disk before `write` waits for them. */
const pendingBytes = 16 * 2 ** 20;

/** Where finished tiles go. */
export interface TileBackend {
  has(level: number, column: number, row: number): boolean;
  /** Several may run at a time; `has` is true once it resolves. */
  put(tile: FinishedTile): Promise<void>;
  /** A tile that is stored, [channels, height, width]. */
  read(level: number, column: number, row: number, width: number, height: number): Promise<Raster>;
  /** Makes the slide appear under its name; all tiles are stored. */
  complete(): Promise<void>;
  /** Closes what is open. What is stored stays, for later. */
  close(): Promise<void>;
  /** Removes everything, after `close`. */
  remove(): Promise<void>;
}

export class TiledSink implements SlideSink {
  readonly #path: string;
  readonly #slide: SlideDescription;
  readonly #backend: TileBackend;
  readonly #pyramid: PyramidBuilder;
  readonly #pending = new Set<Promise<void>>();
  #waitingBytes = 0;
  #failure: unknown;
  #isOpen = true;

  private constructor(path: string, slide: SlideDescription, backend: TileBackend) {
    this.#path = path;
    this.#slide = slide;
    this.#backend = backend;
    this.#pyramid = new PyramidBuilder({
      width: slide.width,
      height: slide.height,
      channels: slide.channels.length,
      sampleType: slide.sampleType,
      valueScale: slide.valueScale,
      isStored: (level, column, row) => backend.has(level, column, row),
      onTile: (tile) => this.#queue(tile),
    });
  }

  /** A sink on a backend that may hold tiles already; brings the levels above them up to where they were. */
  static async open(path: string, slide: SlideDescription, backend: TileBackend): Promise<TiledSink> {
    const sink = new TiledSink(path, slide, backend);
    try {
      await sink.#restore();
      return sink;
    } catch (error) {
      await sink.suspend();
      throw error;
    }
  }

  isWritten({ x, y, width, height }: Region): boolean {
    for (let row = Math.floor(y / tilePx); row * tilePx < y + height; row++) {
      for (let column = Math.floor(x / tilePx); column * tilePx < x + width; column++) {
        if (!this.#backend.has(0, column, row)) return false;
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
    assert(this.#isOpen, `${this.#path} is closed already`);
    await this.#settle(0);
    for (const { level, column, row } of tilesOf(this.#slide)) {
      assert(
        this.#backend.has(level, column, row),
        `tile ${column}, ${row} of level ${level} of ${this.#path} was never written`,
      );
    }
    try {
      await this.#backend.complete();
    } catch (cause) {
      throw writeFailure(this.#path, cause);
    }
    await this.suspend();
    await this.#backend.remove();
  }

  async abort(): Promise<void> {
    await this.suspend();
    await this.#backend.remove();
  }

  async suspend(): Promise<void> {
    await Promise.allSettled(this.#pending);
    if (this.#isOpen) await this.#backend.close();
    this.#isOpen = false;
  }

  /** The list is made first: tiles that become complete on the way have already been passed on upwards. */
  async #restore(): Promise<void> {
    const needed = [...tilesOf(this.#slide)].filter(
      ({ level, column, row }) =>
        this.#backend.has(level, column, row) && this.#pyramid.isNeeded(level, column, row),
    );
    for (const { level, column, row, width, height } of needed) {
      const raster = await this.#backend.read(level, column, row, width, height);
      this.#pyramid.restore({ level, column, row, raster });
      await this.#settle(pendingBytes);
    }
    await this.#settle(0);
  }

  #queue(tile: FinishedTile): void {
    const bytes = tile.raster.data.byteLength;
    this.#waitingBytes += bytes;
    const work = this.#backend
      .put(tile)
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
}

/** All tiles of all levels, largest level first, with the size of what is in them. */
export function* tilesOf(
  slide: SlideDescription,
): Generator<{ level: number; column: number; row: number; width: number; height: number }> {
  for (const [level, { width, height }] of levelSizes(slide.width, slide.height).entries()) {
    for (let row = 0; row * tilePx < height; row++) {
      for (let column = 0; column * tilePx < width; column++) {
        yield {
          level,
          column,
          row,
          width: Math.min(tilePx, width - column * tilePx),
          height: Math.min(tilePx, height - row * tilePx),
        };
      }
    }
  }
}
