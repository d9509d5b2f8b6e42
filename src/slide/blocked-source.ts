// Reads any rectangle out of an image that is stored in blocks (tiles, strips, chunks), through a bounded cache.
import { assert, throwIfCancelled } from '../core/errors.ts';
import type { ChannelInfo, PixelSource, PyramidLevel, ReadOptions } from '../core/pixel-source.ts';
import { createRaster, type Raster, type Region } from '../core/raster.ts';
import { decodeValues, type ValueScale } from './value-scale.ts';

/** Decoded samples in their stored type. */
export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** A plane of the file: a grid of blocks, all of the same size but for what hangs over the right and lower edge. */
export interface BlockPlane {
  readonly width: number;
  readonly height: number;
  readonly blockWidth: number;
  readonly blockHeight: number;
  /** Distance in samples between horizontal and vertical neighbours of one channel within a decoded block. */
  readonly columnStride: number;
  readonly rowStride: number;
  /** Of a decoded block. */
  readonly blockBytes: number;
  /** @returns at least all samples of the block that lie inside the plane; `undefined` for a block of zeros */
  decode(column: number, row: number): Promise<Samples | undefined>;
}

/** Where a channel lies: in which plane, and at which offset within its blocks. */
export interface ChannelPlane {
  readonly plane: BlockPlane;
  readonly offset: number;
}

export interface BlockedImage {
  readonly path: string;
  readonly format: string;
  readonly channels: readonly ChannelInfo[];
  readonly pixelSizeUm: number | undefined;
  /** Where the file records that its samples stand for other values; `read` gives those. */
  readonly valueScale?: ValueScale;
  readonly annotations?: ReadonlyMap<string, string>;
  /** [level][channel]; all planes of a level have one size, largest level first. */
  readonly levels: readonly (readonly ChannelPlane[])[];
  close(): Promise<void>;
}

/** Decoded blocks kept by one source, in bytes. The dataset has its own, larger cache above. */
const defaultCacheBytes = 64 * 2 ** 20;
/** Most that is kept where blocks are wider than what is read: strips, which every region of a row of regions needs. */
const stripCacheBytes = 512 * 2 ** 20;
/** Blocks decoded at a time, to keep the thread pool busy; fewer where they are large, to bound memory. */
const concurrency = { blocks: 8, bytes: 128 * 2 ** 20 };

/** A slide made of blocks. */
export class BlockedSource implements PixelSource {
  readonly path: string;
  readonly format: string;
  readonly channels: readonly ChannelInfo[];
  readonly pixelSizeUm: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly levels: readonly PyramidLevel[];
  readonly annotations: ReadonlyMap<string, string> | undefined;
  readonly #image: BlockedImage;
  readonly #cache: SampleCache;

  constructor(image: BlockedImage, cacheBytes = defaultCacheBytes) {
    this.#image = image;
    this.#cache = new SampleCache(cacheBytes);
    this.path = image.path;
    this.format = image.format;
    this.channels = image.channels;
    this.annotations = image.annotations;
    if (image.valueScale !== undefined) {
      this.format += ` (${image.channels[0].sampleType} with a recorded scale)`;
      this.channels = image.channels.map((channel) => ({ ...channel, sampleType: 'float32' }));
    }
    this.pixelSizeUm = image.pixelSizeUm;
    this.levels = image.levels.map(([{ plane }]) => ({ width: plane.width, height: plane.height }));
    this.width = this.levels[0].width;
    this.height = this.levels[0].height;
  }

  async read(region: Region, channels: readonly number[], options: ReadOptions = {}): Promise<Raster> {
    throwIfCancelled(options.signal, 'reading');
    const level = options.level ?? 0;
    const size = this.levels[level];
    assert(size !== undefined, `${this.path} has no level ${level}`);
    assert(
      region.x >= 0 &&
        region.y >= 0 &&
        region.x + region.width <= size.width &&
        region.y + region.height <= size.height,
      `region ${region.x},${region.y} ${region.width} x ${region.height} lies outside level ${level} of ${this.path}`,
    );
    const raster = createRaster(channels.length, region.height, region.width);
    // Channels that share a plane (RGB samples) share its decoded blocks.
    const planes = new Map<BlockPlane, { offset: number; target: number }[]>();
    channels.forEach((channel, target) => {
      const at = this.#image.levels[level][channel];
      assert(at !== undefined, `${this.path} has no channel ${channel}`);
      const held = planes.get(at.plane) ?? [];
      held.push({ offset: at.offset, target });
      planes.set(at.plane, held);
    });
    const tasks: (() => Promise<void>)[] = [];
    for (const [plane, targets] of planes) {
      for (const { column, row } of blocksOf(plane, region)) {
        tasks.push(async () => {
          throwIfCancelled(options.signal, 'reading');
          const samples = await this.#cache.get(plane, column, row);
          if (samples === undefined) return;
          for (const { offset, target } of targets) {
            copyBlock(samples, plane, offset, column, row, raster, target, region);
          }
        });
      }
    }
    this.#cache.hold(sharedBytes([...planes.keys()], region));
    const largest = Math.max(1, ...[...planes.keys()].map(({ blockBytes }) => blockBytes));
    await runAll(tasks, Math.max(1, Math.min(concurrency.blocks, Math.floor(concurrency.bytes / largest))));
    if (this.#image.valueScale !== undefined) decodeValues(raster.data, this.#image.valueScale);
    return raster;
  }

  async close(): Promise<void> {
    this.#cache.clear();
    await this.#image.close();
  }
}

/** What the blocks of a region take that are wider than it: the next region of a row of them needs most of these again. */
function sharedBytes(planes: readonly BlockPlane[], region: Region): number {
  return planes
    .filter(({ blockWidth }) => blockWidth > region.width)
    .reduce((sum, plane) => sum + plane.blockBytes * [...blocksOf(plane, region)].length, 0);
}

function* blocksOf(plane: BlockPlane, region: Region): Generator<{ column: number; row: number }> {
  if (region.width === 0 || region.height === 0) return;
  const lastColumn = Math.floor((region.x + region.width - 1) / plane.blockWidth);
  const lastRow = Math.floor((region.y + region.height - 1) / plane.blockHeight);
  for (let row = Math.floor(region.y / plane.blockHeight); row <= lastRow; row++) {
    for (let column = Math.floor(region.x / plane.blockWidth); column <= lastColumn; column++) {
      yield { column, row };
    }
  }
}

/** Runs a few at a time; after a failure no further one is begun, and all have ended when it is thrown. */
async function runAll(tasks: readonly (() => Promise<void>)[], lanes: number): Promise<void> {
  let next = 0;
  let failure: { error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (next < tasks.length && failure === undefined) {
      try {
        await tasks[next++]();
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, tasks.length) }, lane));
  if (failure !== undefined) throw failure.error;
}

function copyBlock(
  samples: Samples,
  plane: BlockPlane,
  offset: number,
  column: number,
  row: number,
  raster: Raster,
  target: number,
  region: Region,
): void {
  const left = column * plane.blockWidth;
  const top = row * plane.blockHeight;
  const fromX = Math.max(left, region.x);
  const toX = Math.min(left + plane.blockWidth, region.x + region.width);
  const fromY = Math.max(top, region.y);
  const toY = Math.min(top + plane.blockHeight, region.y + region.height);
  const { columnStride, rowStride } = plane;
  const { data } = raster;
  for (let y = fromY; y < toY; y++) {
    let from = offset + (y - top) * rowStride + (fromX - left) * columnStride;
    let to = (target * region.height + y - region.y) * region.width + fromX - region.x;
    if (columnStride === 1) {
      data.set(samples.subarray(from, from + toX - fromX), to);
    } else {
      for (let x = fromX; x < toX; x++, from += columnStride) data[to++] = samples[from];
    }
  }
}

/** Least recently used blocks go first. A block asked for twice at the same time is decoded once. */
class SampleCache {
  #budget: number;
  readonly #blocks = new Map<string, { samples: Promise<Samples | undefined>; bytes: number }>();
  readonly #planes = new Map<BlockPlane, number>();
  #bytes = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Keeps a quarter more than `bytes` from now on, within `stripCacheBytes`, if that is more than so far. */
  hold(bytes: number): void {
    this.#budget = Math.max(this.#budget, Math.min(stripCacheBytes, 1.25 * bytes));
  }

  async get(plane: BlockPlane, column: number, row: number): Promise<Samples | undefined> {
    let id = this.#planes.get(plane);
    if (id === undefined) {
      id = this.#planes.size;
      this.#planes.set(plane, id);
    }
    const key = `${id}:${column}:${row}`;
    const held = this.#blocks.get(key);
    if (held !== undefined) {
      this.#blocks.delete(key);
      this.#blocks.set(key, held);
      return held.samples;
    }
    const entry = { samples: plane.decode(column, row), bytes: 0 };
    this.#blocks.set(key, entry);
    try {
      const samples = await entry.samples;
      if (this.#blocks.get(key) === entry) {
        entry.bytes = samples?.byteLength ?? 0;
        this.#bytes += entry.bytes;
        this.#trim();
      }
      return samples;
    } catch (error) {
      if (this.#blocks.get(key) === entry) this.#blocks.delete(key);
      throw error;
    }
  }

  clear(): void {
    this.#blocks.clear();
    this.#bytes = 0;
  }

  #trim(): void {
    for (const [key, { bytes }] of this.#blocks) {
      if (this.#bytes <= this.#budget) break;
      this.#blocks.delete(key);
      this.#bytes -= bytes;
    }
  }
}
