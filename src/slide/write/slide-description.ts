// What a slide to be written is, whatever its format.
import { assert } from '../../core/errors.ts';
import type { PixelSink } from '../../core/pixel-source.ts';
import type { Region } from '../../core/raster.ts';
import type { ValueScale } from '../value-scale.ts';

/** Sample types that are written. */
export type WrittenType = 'float32' | 'uint8' | 'uint16';

export interface WrittenChannel {
  readonly name: string;
  /** Display colour as 0xRRGGBB. */
  readonly color?: number;
  /** Recorded in the file, e.g. 'probe'. */
  readonly role?: string;
}

export interface SlideDescription {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly channels: readonly WrittenChannel[];
  /** Integer types round to the nearest value and clip to their range; NaN becomes 0 there. */
  readonly sampleType: WrittenType;
  /** For integer types: how the samples stand for the values given. It is recorded in the file. */
  readonly valueScale?: ValueScale;
  readonly pixelSizeUm: number;
  /** One sentence for people. */
  readonly description?: string;
  /** Recorded in the file as keys and values, e.g. which model and command made it. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** `deflate` unless given, which every program reads. */
  readonly compression?: 'deflate' | 'zstd' | 'none';
}

export interface SinkOptions {
  /** Goes on with an interrupted file of the same description, if there is one. */
  readonly resume?: boolean;
}

/** A slide being written that can be interrupted and continued. */
export interface SlideSink extends PixelSink {
  /**
   * True when all of a region is safely in the unfinished file, so that it need not be computed and written again.
   * What is written again is ignored where it is there already.
   */
  isWritten(region: Region): boolean;
  /** Stops and keeps what is there, for a later sink with `resume`. */
  suspend(): Promise<void>;
}

/** Edge of the tiles (TIFF) or chunks (Zarr) written, in pixels. */
export const tilePx = 512;

/** Sizes of the levels: halved, rounded up, until the whole slide is one tile. */
export function levelSizes(width: number, height: number): { width: number; height: number }[] {
  assert(width >= 1 && height >= 1, `a slide of ${width} x ${height} pixels cannot be written`);
  const sizes = [{ width, height }];
  for (let w = width, h = height; w > tilePx || h > tilePx; ) {
    w = Math.ceil(w / 2);
    h = Math.ceil(h / 2);
    sizes.push({ width: w, height: h });
  }
  return sizes;
}
