// A raster too large for memory, in a temporary file of plain float32.
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFailure } from '../core/atomic-file.ts';
import { assert, throwIfCancelled } from '../core/errors.ts';
import type { PixelSource, ReadOptions } from '../core/pixel-source.ts';
import { createRaster, type Raster, type Region } from '../core/raster.ts';
import { writeAll } from '../slide/write/tile-store.ts';

/** [channels, height, width]; 0 where nothing was written, which takes no room on most file systems. */
export class ScratchRaster {
  readonly #folder: string;
  readonly #file: FileHandle;
  readonly #channels: number;
  readonly #height: number;
  readonly #width: number;

  private constructor(folder: string, file: FileHandle, channels: number, height: number, width: number) {
    this.#folder = folder;
    this.#file = file;
    this.#channels = channels;
    this.#height = height;
    this.#width = width;
  }

  /** @throws WriteError; whoever makes one must `remove` it */
  static async create(channels: number, height: number, width: number): Promise<ScratchRaster> {
    const folder = await mkdtemp(join(tmpdir(), 'hrpn-scratch-'));
    try {
      const file = await open(join(folder, 'raster'), 'wx+');
      await file.truncate(4 * channels * height * width);
      return new ScratchRaster(folder, file, channels, height, width);
    } catch (cause) {
      await rm(folder, { recursive: true, force: true });
      throw writeFailure(folder, cause);
    }
  }

  /** Same channel count. @throws WriteError when the disk is full */
  async write(x: number, y: number, raster: Raster): Promise<void> {
    assert(raster.channels === this.#channels, `${raster.channels} channels for ${this.#channels}`);
    const { width, height } = raster;
    try {
      for (const { bytes, at } of this.#runs({ x, y, width, height }, raster))
        await writeAll(this.#file, bytes, at);
    } catch (cause) {
      throw writeFailure(this.#folder, cause);
    }
  }

  /** What was written, as a slide; until `remove`. */
  source(channelNames: readonly string[], pixelSizeUm: number): PixelSource {
    const [width, height] = [this.#width, this.#height];
    return {
      path: this.#folder,
      format: 'scratch',
      width,
      height,
      channels: channelNames.map((name) => ({ name, sampleType: 'float32' })),
      pixelSizeUm,
      levels: [{ width, height }],
      read: (region, channels, options) => this.#read(region, channels, options),
      close: async () => {},
    };
  }

  async remove(): Promise<void> {
    await this.#file.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #read(region: Region, channels: readonly number[], options?: ReadOptions): Promise<Raster> {
    const out = createRaster(channels.length, region.height, region.width);
    for (const { bytes, at } of this.#runs(region, out, channels)) {
      throwIfCancelled(options?.signal, 'reading');
      const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, at);
      assert(bytesRead === bytes.length, `${this.#folder} became shorter`);
    }
    return out;
  }

  /** The bytes of a raster that lie together in the file too, and where; rows of whole width lie behind one another. */
  *#runs(
    region: Region,
    { data }: Raster,
    channels: readonly number[] = Array.from({ length: this.#channels }, (_, c) => c),
  ): Generator<{ bytes: Uint8Array; at: number }> {
    const { x, y, width, height } = region;
    const rows = width === this.#width ? height : 1;
    for (const [c, channel] of channels.entries()) {
      for (let row = 0; row < height; row += rows) {
        const from = data.byteOffset + 4 * (c * height + row) * width;
        yield {
          bytes: new Uint8Array(data.buffer, from, 4 * rows * width),
          at: 4 * ((channel * this.#height + y + row) * this.#width + x),
        };
      }
    }
  }
}
