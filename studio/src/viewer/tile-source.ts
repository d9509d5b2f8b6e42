// One level of a pyramid as Viv wants it, with the tiles kept, so that the read-out, the overview and derived
// layers find what is on screen.

export interface TileData {
  readonly data: Float32Array | Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array;
  readonly width: number;
  readonly height: number;
}

export interface Selection {
  readonly c: number;
}

/** The part of Viv's PixelSource that its image layers call. */
interface TileSource {
  readonly shape: number[];
  readonly labels: readonly string[];
  readonly dtype: string;
  readonly tileSize: number;
  getTile(request: { x: number; y: number; selection: Selection }): Promise<TileData>;
  getRaster(request: { selection: Selection }): Promise<TileData>;
  onTileError(error: Error): void;
}

export interface LevelReader {
  readonly width: number;
  readonly height: number;
  readonly tileSize: number;
  /** Viv's name, e.g. 'Uint16'. */
  readonly dtype: string;
  /** Cut off at the edges of the level. */
  readTile(x: number, y: number, channel: number): Promise<TileData>;
}

/** A level longer than this on a side is not read whole. */
export const largestWhole = 4096;

/** All tiles of all slides together, in bytes. */
const cacheBytes = 384 * 2 ** 20;

interface Held {
  readonly promise: Promise<TileData>;
  bytes: number;
}

/** Least recently used first; shared, so that several open slides do not add up. */
const cache = new Map<string, Held>();
let cachedBytes = 0;
let sources = 0;

export class CachedLevel implements TileSource {
  readonly shape: number[];
  readonly labels = ['c', 'y', 'x'] as const;
  readonly dtype: string;
  readonly tileSize: number;
  readonly width: number;
  readonly height: number;
  readonly #reader: LevelReader;
  readonly #id = sources++;

  constructor(reader: LevelReader, channels: number) {
    this.#reader = reader;
    this.width = reader.width;
    this.height = reader.height;
    this.tileSize = reader.tileSize;
    this.dtype = reader.dtype;
    this.shape = [channels, reader.height, reader.width];
  }

  getTile({ x, y, selection }: { x: number; y: number; selection: Selection }): Promise<TileData> {
    return this.#held(`${this.#id}/${selection.c}/${x}/${y}`, () => this.#reader.readTile(x, y, selection.c));
  }

  getRaster({ selection }: { selection: Selection }): Promise<TileData> {
    return this.#held(`${this.#id}/${selection.c}`, () => this.readPart(selection.c, 0, 0, this));
  }

  /** The level, or the tile in its middle where it is too large to be read whole. */
  sample(channel: number): Promise<TileData> {
    const selection = { c: channel };
    if (Math.max(this.width, this.height) <= largestWhole) return this.getRaster({ selection });
    const middle = (size: number): number => Math.floor(size / 2 / this.tileSize);
    return this.getTile({ x: middle(this.width), y: middle(this.height), selection });
  }

  /** A rectangle that lies within the level, out of whatever tiles it has. */
  async readPart(
    channel: number,
    left: number,
    top: number,
    { width, height }: { readonly width: number; readonly height: number },
  ): Promise<TileData> {
    const { tileSize } = this;
    const lastX = Math.floor((left + width - 1) / tileSize);
    const lastY = Math.floor((top + height - 1) / tileSize);
    const places: [number, number][] = [];
    for (let y = Math.floor(top / tileSize); y <= lastY; y++)
      for (let x = Math.floor(left / tileSize); x <= lastX; x++) places.push([x, y]);
    const tiles = await Promise.all(
      places.map(([x, y]) => this.getTile({ x, y, selection: { c: channel } })),
    );
    const data = new (tiles[0].data.constructor as Float32ArrayConstructor)(width * height);
    places.forEach(([x, y], i) => {
      const tile = tiles[i];
      const fromX = Math.max(left, x * tileSize);
      const toX = Math.min(left + width, x * tileSize + tile.width);
      const toY = Math.min(top + height, y * tileSize + tile.height);
      for (let row = Math.max(top, y * tileSize); row < toY; row++) {
        const at = (row - y * tileSize) * tile.width - x * tileSize;
        data.set(tile.data.subarray(at + fromX, at + toX), (row - top) * width + fromX - left);
      }
    });
    return { data, width, height };
  }

  /** The value under a pixel of this level; NaN outside. */
  async valueAt(px: number, py: number, channel: number): Promise<number> {
    if (px < 0 || py < 0 || px >= this.width || py >= this.height) return Number.NaN;
    const x = Math.floor(px / this.tileSize);
    const y = Math.floor(py / this.tileSize);
    const tile = await this.getTile({ x, y, selection: { c: channel } });
    return tile.data[(py - y * this.tileSize) * tile.width + (px - x * this.tileSize)];
  }

  onTileError(error: Error): void {
    console.warn('a tile could not be read:', error.message);
  }

  #held(key: string, read: () => Promise<TileData>): Promise<TileData> {
    const found = cache.get(key);
    if (found !== undefined) {
      cache.delete(key);
      cache.set(key, found);
      return found.promise;
    }
    const held: Held = { promise: read(), bytes: 0 };
    cache.set(key, held);
    held.promise.then(
      ({ data }) => {
        held.bytes = data.byteLength;
        cachedBytes += held.bytes;
        shrink();
      },
      // What failed is asked for again.
      () => cache.delete(key),
    );
    return held.promise;
  }
}

function shrink(): void {
  for (const [key, { bytes }] of cache) {
    if (cachedBytes <= cacheBytes) return;
    if (bytes === 0) continue;
    cache.delete(key);
    cachedBytes -= bytes;
  }
}
