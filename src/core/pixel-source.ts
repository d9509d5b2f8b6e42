// Slides as all folders see them, to be read and to be written, whatever the format.
import { assert } from './errors.ts';
import type { Raster, Region } from './raster.ts';

/** How a channel's samples are stored. Rasters hold them as float32, so integers beyond 2^24 are rounded. */
export type SampleType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64';

/** The value range of an integer sample type; undefined for floating point. */
export function sampleRange(type: SampleType): { min: number; max: number } | undefined {
  switch (type) {
    case 'uint8':
      return { min: 0, max: 255 };
    case 'int8':
      return { min: -128, max: 127 };
    case 'uint16':
      return { min: 0, max: 65535 };
    case 'int16':
      return { min: -32768, max: 32767 };
    case 'uint32':
      return { min: 0, max: 4294967295 };
    case 'int32':
      return { min: -2147483648, max: 2147483647 };
    default:
      return undefined;
  }
}

/** What the file stores of a channel, whose range its samples keep to however they are computed. */
export function storedType({ sampleType, storedAs = sampleType }: ChannelInfo): SampleType {
  return storedAs;
}

export interface ChannelInfo {
  /** As stored in the file, e.g. 'DAPI'; 'channel 0' where the file names none. Unique within a slide. */
  readonly name: string;
  readonly sampleType: SampleType;
  /** Of a computed channel, whose samples are float32 whatever the file's: what the file stores, whose range they keep to. */
  readonly storedAs?: SampleType;
  /** Display colour as 0xRRGGBB, where the file has one. */
  readonly color?: number;
  /** Where the program that wrote the file recorded one, e.g. 'probe'. */
  readonly role?: string;
}

/** One resolution of a pyramid; level 0 is the full resolution. */
export interface PyramidLevel {
  readonly width: number;
  readonly height: number;
}

/**
 * A slide that pixels can be read from. Whatever the format, `read` gives float32 in stored units, unscaled.
 */
export interface PixelSource {
  /** For messages: the path or URL the slide was opened from. */
  readonly path: string;
  /** e.g. 'OME-TIFF', 'TIFF', 'folder of TIFF', 'OME-Zarr 0.5', 'PNG'. */
  readonly format: string;
  /** Full resolution, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly channels: readonly ChannelInfo[];
  /** Edge of a (square) pixel at full resolution in micrometres; undefined where the file does not say. */
  readonly pixelSizeUm: number | undefined;
  /** At least one, largest first. */
  readonly levels: readonly PyramidLevel[];
  /** Names and texts that the program that wrote the slide recorded; absent where the format has no place for them. */
  readonly annotations?: ReadonlyMap<string, string>;
  /**
   * @param region in pixels of `level`, wholly inside it
   * @param channels indices into `channels`, in the order wanted
   * @returns raster [channels.length, region.height, region.width]
   * @throws FormatError for damaged data, CancelledError when the signal fires
   */
  read(region: Region, channels: readonly number[], options?: ReadOptions): Promise<Raster>;
  close(): Promise<void>;
}

export interface ReadOptions {
  /** Index into `levels`; 0 unless given. */
  readonly level?: number;
  readonly signal?: AbortSignal;
}

/**
 * The slide at full resolution alone, with pixels that are computed as they are read.
 * @param read of level 0; keeps the sample type and the extent
 */
export function withPixels(source: PixelSource, read: PixelSource['read']): PixelSource {
  const { path, format, width, height, channels, pixelSizeUm, levels } = source;
  return {
    ...{ path, format, width, height, channels, pixelSizeUm, levels: levels.slice(0, 1) },
    read(region, wanted, options) {
      assert((options?.level ?? 0) === 0, 'computed pixels have one level');
      return read(region, wanted, options);
    },
    close: () => source.close(),
  };
}

/**
 * A slide being written. Regions arrive in any order, do not overlap, and together cover the slide. The file
 * appears under its name only when `finish` resolves; `abort` leaves nothing behind.
 */
export interface PixelSink {
  write(x: number, y: number, raster: Raster): Promise<void>;
  finish(): Promise<void>;
  abort(): Promise<void>;
}
