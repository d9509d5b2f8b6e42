// The levels of a slide as the graphics want them: read by range requests where Viv's readers can, else tile by tile
// by the server's own readers.
import { loadOmeTiff, loadOmeZarrFromStore } from '@hms-dbmi/viv';
import type { SlideView } from '../../../src/contract/studio.ts';
import { fileUrl } from '../api.ts';
import { registerDecoders } from './decoders.ts';
import { serverReader } from './server-reader.ts';
import { readTiffTile, type TiffImage } from './tiff-tile.ts';
import { CachedLevel, type LevelReader, type TileData } from './tile-source.ts';
import { zarrStore } from './zarr-store.ts';

export interface SlideLevels {
  /** One for every power of two, largest first. */
  readonly levels: readonly CachedLevel[];
  /** How the pixels come, for people who wonder. */
  readonly reads: 'range requests' | 'tiles from the server';
}

registerDecoders();

/** Tiles from the server, and pieces of files that have no tiles. */
const serverTile = 512;

export async function slideLevels(view: SlideView): Promise<SlideLevels> {
  const cached = (readers: readonly LevelReader[]): CachedLevel[] =>
    powersOfTwo(readers).map((reader) => new CachedLevel(reader, view.channels.length));
  if (view.access !== 'tiles') {
    try {
      const readers = await vivReaders(view);
      await checkPixels(readers[readers.length - 1], view);
      return { levels: cached(readers), reads: 'range requests' };
    } catch (error) {
      console.info(`${view.path} is read by the server instead:`, error);
    }
  }
  const levels = cached(view.levels.map((_, level) => serverReader(view, level, serverTile)));
  return { levels, reads: 'tiles from the server' };
}

interface VivSource {
  readonly shape: number[];
  readonly labels: string[];
  readonly dtype: string;
  tileSize: number;
  getTile(request: { x: number; y: number; selection: unknown }): Promise<TileData>;
  /** Only of a TIFF: the image of a plane. */
  readonly _indexer?: (selection: unknown) => unknown;
}

async function vivReaders(view: SlideView): Promise<LevelReader[]> {
  const url = new URL(fileUrl(view.path), location.href).href;
  const { data } =
    view.access === 'ome-zarr'
      ? await loadOmeZarrFromStore((await zarrStore(url)) as never)
      : await loadOmeTiff(url);
  const sources = data as unknown as VivSource[];
  if (sources.length !== view.levels.length) throw new Error('the pyramid is read differently by the server');
  const { tileSize } = sources[0];
  if (tileSize > 2048) throw new Error('the tiles are too large');
  await checkImages(sources[0], view);
  return sources.map((source, level) => {
    const { width, height } = view.levels[level];
    // Viv takes it that each level halves the one before, rounded down; the server has looked.
    source.shape[source.labels.indexOf('x')] = width;
    source.shape[source.labels.indexOf('y')] = height;
    // Strips of a few rows would make thousands of tiles.
    source.tileSize = tileSize < 256 ? serverTile : tileSize;
    return {
      width,
      height,
      tileSize: source.tileSize,
      dtype: source.dtype,
      readTile: async (x, y, channel) => {
        const selection = select(source, channel);
        const whole = source.tileSize === tileSize && (await readTiffTile(source, x, y, selection));
        return whole || source.getTile({ x, y, selection });
      },
    };
  });
}

/** The only plane of a channel. */
function select({ labels }: VivSource, channel: number): Record<string, number> {
  const others = labels.filter((label) => label !== 'x' && label !== 'y');
  return Object.fromEntries(others.map((label) => [label, label === 'c' ? channel : 0]));
}

/**
 * Viv takes it that every channel of a TIFF is the next image of the file. A colour image holds several: Viv would find
 * no image for the others, or a wrong one.
 * @throws Error when it is otherwise
 */
async function checkImages(full: VivSource, { width, height, channels }: SlideView): Promise<void> {
  if (full._indexer === undefined) return;
  for (const c of channels.keys()) {
    const image = (await full._indexer(select(full, c))) as TiffImage;
    const isOwn = image.getSamplesPerPixel() === 1;
    if (!isOwn || image.getWidth() !== width || image.getHeight() !== height) {
      throw new Error(`channel ${c} is not an image of its own`);
    }
  }
}

/**
 * That Viv's readers know the compression, and take the same image of the file for each channel as the server: they go by the
 * order of images, whatever the file says of it, and by the first of several pictures.
 * @throws Error when a pixel of the lowest level differs
 */
async function checkPixels(lowest: LevelReader, view: SlideView): Promise<void> {
  const server = serverReader(view, view.levels.length - 1, serverTile);
  for (const c of view.channels.keys()) {
    const [own, known] = await Promise.all([lowest, server].map((reader) => reader.readTile(0, 0, c)));
    const [width, height] = [Math.min(own.width, known.width), Math.min(own.height, known.height)];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [a, b] = [own.data[y * own.width + x], known.data[y * known.width + x]];
        if (!Object.is(Math.fround(a) + 0, b + 0))
          throw new Error(`channel ${c} is read differently by the server`);
      }
    }
  }
}

/**
 * A level for every power of two, as Viv wants them: a real one where there is one of that size to a pixel, else every second
 * or fourth pixel of the next finer one that is. A level of a third would be drawn at the scale of a quarter.
 */
function powersOfTwo(readers: readonly LevelReader[]): LevelReader[] {
  const [full] = readers;
  const ratioOf = ({ width }: LevelReader): number => full.width / width;
  const powerOf = (reader: LevelReader): number => Math.round(Math.log2(ratioOf(reader)));
  const count = powerOf(readers[readers.length - 1]) + 1;
  const halved = readers.filter((reader) => {
    const shrunk = 2 ** powerOf(reader);
    return (
      Math.abs(reader.width - full.width / shrunk) <= 1 && Math.abs(reader.height - full.height / shrunk) <= 1
    );
  });
  return Array.from({ length: count }, (_, power) => {
    const finer = halved.filter((reader) => powerOf(reader) <= power).at(-1) as LevelReader;
    const skip = 2 ** (power - powerOf(finer));
    return skip === 1 ? finer : everyNth(finer, skip);
  });
}

function everyNth(finer: LevelReader, skip: number): LevelReader {
  const { tileSize } = finer;
  const width = Math.ceil(finer.width / skip);
  const height = Math.ceil(finer.height / skip);
  const read = async (
    left: number,
    top: number,
    w: number,
    h: number,
    channel: number,
  ): Promise<TileData> => {
    const tiles = new Map<string, TileData>();
    const data = new Float32Array(w * h);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const fx = (left + x) * skip;
        const fy = (top + y) * skip;
        const tx = Math.floor(fx / tileSize);
        const ty = Math.floor(fy / tileSize);
        const key = `${tx}/${ty}`;
        let tile = tiles.get(key);
        if (tile === undefined) {
          tile = await finer.readTile(tx, ty, channel);
          tiles.set(key, tile);
        }
        data[y * w + x] = tile.data[(fy - ty * tileSize) * tile.width + (fx - tx * tileSize)];
      }
    }
    return { data, width: w, height: h };
  };
  return {
    width,
    height,
    tileSize,
    dtype: 'Float32',
    readTile: (x, y, channel) => {
      const left = x * tileSize;
      const top = y * tileSize;
      return read(left, top, Math.min(tileSize, width - left), Math.min(tileSize, height - top), channel);
    },
  };
}
