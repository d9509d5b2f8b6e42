// Decoded pixels of the slides, in their stored sample type, within a byte budget.
import type { PixelSource, SampleType } from '../core/pixel-source.ts';
import { channelOf } from '../core/raster.ts';

/** Edge of a cached block in pixels; the usual tile edge of slide files is this or half of it, so that what is decoded is kept. */
export const blockPx = 512;

/** One channel of a block in its stored type; integers beyond 16 bits are kept as float32, as they were read. */
type BlockPixels = Uint8Array | Int8Array | Uint16Array | Int16Array | Float32Array;

/** Pixels of one block, one array a channel, row-major; blocks at the right and lower edge are smaller. */
export interface Block {
  readonly width: number;
  readonly height: number;
  readonly channels: readonly BlockPixels[];
}

/** Least recently used blocks go first once the budget is spent. Shared by all slides of a dataset. */
export class BlockCache {
  readonly #budgetBytes: number;
  readonly #blocks = new Map<string, { block: Block; bytes: number }>();
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  /** Bytes held now; at most the budget, except for the blocks of one request. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The blocks that cover a rectangle of a slide, row by row. Blocks that are missing are read in one go, as the
   * rectangle that encloses them.
   * @param slide key of the source, unique in this cache
   * @param channels channel indices; the same in every call for one slide
   */
  async read(
    slide: number,
    source: PixelSource,
    channels: readonly number[],
    columns: { from: number; to: number },
    rows: { from: number; to: number },
    signal?: AbortSignal,
  ): Promise<Block[]> {
    const keys: { key: string; column: number; row: number }[] = [];
    for (let row = rows.from; row <= rows.to; row++) {
      for (let column = columns.from; column <= columns.to; column++) {
        keys.push({ key: `${slide}:${column}:${row}`, column, row });
      }
    }
    const held = new Map<string, Block>();
    for (const { key } of keys) {
      const entry = this.#blocks.get(key);
      if (entry === undefined) continue;
      held.set(key, entry.block);
      this.#blocks.delete(key);
      this.#blocks.set(key, entry);
    }
    const missing = keys.filter(({ key }) => !held.has(key));
    if (missing.length > 0) {
      const left = Math.min(...missing.map((k) => k.column));
      const right = Math.max(...missing.map((k) => k.column));
      const top = missing[0].row;
      const bottom = missing[missing.length - 1].row;
      const x = left * blockPx;
      const y = top * blockPx;
      const region = {
        x,
        y,
        width: Math.min(source.width, (right + 1) * blockPx) - x,
        height: Math.min(source.height, (bottom + 1) * blockPx) - y,
      };
      const raster = await source.read(region, channels, { signal });
      for (const { key, column, row } of missing) {
        const offsetX = column * blockPx - x;
        const offsetY = row * blockPx - y;
        const width = Math.min(blockPx, region.width - offsetX);
        const height = Math.min(blockPx, region.height - offsetY);
        const block: Block = {
          width,
          height,
          channels: channels.map((channel, c) => {
            const pixels = allocate(source.channels[channel].sampleType, width * height);
            const plane = channelOf(raster, c);
            for (let line = 0; line < height; line++) {
              const from = (offsetY + line) * region.width + offsetX;
              pixels.set(plane.subarray(from, from + width), line * width);
            }
            return pixels;
          }),
        };
        held.set(key, block);
        this.#store(key, block);
      }
    }
    return keys.map(({ key }) => held.get(key)!);
  }

  #store(key: string, block: Block): void {
    const bytes = block.channels.reduce((sum, pixels) => sum + pixels.byteLength, 0);
    const before = this.#blocks.get(key);
    if (before !== undefined) this.#bytes -= before.bytes; // two requests read the same block side by side
    this.#blocks.set(key, { block, bytes });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#blocks) {
      if (this.#bytes <= this.#budgetBytes || oldest === key) break;
      this.#blocks.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }
}

function allocate(type: SampleType, length: number): BlockPixels {
  switch (type) {
    case 'uint8':
      return new Uint8Array(length);
    case 'int8':
      return new Int8Array(length);
    case 'uint16':
      return new Uint16Array(length);
    case 'int16':
      return new Int16Array(length);
    default:
      return new Float32Array(length);
  }
}
