// One tile of a TIFF as it is stored: the reader's own way goes through a view of every single pixel, which is most of
// the time that a picture takes to appear.
import { getDecoder } from 'geotiff';
import type { TileData } from './tile-source.ts';

/** The part of geotiff's image that is used. */
export interface TiffImage {
  readonly isTiled: boolean;
  readonly littleEndian: boolean;
  readonly fileDirectory: object;
  getWidth(): number;
  getHeight(): number;
  getTileWidth(): number;
  getTileHeight(): number;
  getSamplesPerPixel(): number;
  getTileOrStrip(x: number, y: number, sample: number, decoder: unknown): Promise<{ data: ArrayBuffer }>;
}

const arrays = {
  Uint8: Uint8Array,
  Uint16: Uint16Array,
  Uint32: Uint32Array,
  Float32: Float32Array,
} as const;

/** @returns cut off at the picture's edges; undefined where the reader's own way is needed */
export async function readTiffTile(
  source: {
    readonly dtype: string;
    readonly tileSize: number;
    readonly _indexer?: (selection: unknown) => unknown;
  },
  x: number,
  y: number,
  selection: unknown,
): Promise<TileData | undefined> {
  const TypedArray = arrays[source.dtype as keyof typeof arrays];
  if (source._indexer === undefined || TypedArray === undefined) return undefined;
  const image = (await source._indexer(selection)) as TiffImage;
  if (!image.isTiled || !image.littleEndian || image.getSamplesPerPixel() !== 1) return undefined;
  const tileWidth = image.getTileWidth();
  const tileHeight = image.getTileHeight();
  // Viv asks in squares of a power of two, whatever the file's tiles are.
  if (tileWidth !== source.tileSize || tileHeight !== source.tileSize) return undefined;
  const decoder = await getDecoder(image.fileDirectory);
  const bytes = (await image.getTileOrStrip(x, y, 0, decoder)).data;
  if (bytes.byteLength !== tileWidth * tileHeight * TypedArray.BYTES_PER_ELEMENT) return undefined;
  const all = new TypedArray(bytes);
  const width = Math.min(tileWidth, image.getWidth() - x * tileWidth);
  const height = Math.min(tileHeight, image.getHeight() - y * tileHeight);
  if (width === tileWidth) return { data: all.subarray(0, width * height), width, height };
  const data = new TypedArray(width * height);
  for (let row = 0; row < height; row++) {
    data.set(all.subarray(row * tileWidth, row * tileWidth + width), row * width);
  }
  return { data, width, height };
}
