// Images in memory and the regions of slides that they come from.
import { assert } from './errors.ts';

/** An image in memory: [channels, height, width], row-major, float32. Values are in stored units unless said. */
export interface Raster {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Length channels * height * width; index (c * height + y) * width + x. */
  readonly data: Float32Array;
}

/** A rectangle of pixels; `x`, `y` is its upper left corner. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A zero-filled raster, or one around the given data (not copied). */
export function createRaster(
  channels: number,
  height: number,
  width: number,
  data: Float32Array = new Float32Array(channels * height * width),
): Raster {
  assert(
    data.length === channels * height * width,
    `raster ${channels} x ${height} x ${width} holds ${data.length} values`,
  );
  return { channels, height, width, data };
}

/**
 * Gives the memory back at once; the raster must not be used any more. For what is large and made again and again: the
 * collector comes when it sees fit, and by then there are several. Before Node 21 it is left to the collector.
 */
export function freeRaster({ data }: Raster): void {
  (data.buffer as ArrayBuffer).transfer?.(0);
}

/** One channel as a view of length height * width (shares memory). */
export function channelOf(raster: Raster, channel: number): Float32Array {
  assert(channel >= 0 && channel < raster.channels, `channel ${channel} of ${raster.channels}`);
  const plane = raster.height * raster.width;
  return raster.data.subarray(channel * plane, (channel + 1) * plane);
}

/** A copy of a region, which must lie inside the raster. */
export function cropRaster(raster: Raster, region: Region): Raster {
  const { x, y, width, height } = region;
  assert(
    x >= 0 && y >= 0 && x + width <= raster.width && y + height <= raster.height,
    `region ${x},${y} ${width} x ${height} lies outside ${raster.width} x ${raster.height}`,
  );
  const out = createRaster(raster.channels, height, width);
  for (let c = 0; c < raster.channels; c++) {
    for (let row = 0; row < height; row++) {
      const from = (c * raster.height + y + row) * raster.width + x;
      out.data.set(raster.data.subarray(from, from + width), (c * height + row) * width);
    }
  }
  return out;
}

/** Copies `source` into `target` with its upper left corner at (x, y); it must fit. Same channel count. */
export function pasteRaster(target: Raster, source: Raster, x: number, y: number): void {
  assert(
    source.channels === target.channels &&
      x >= 0 &&
      y >= 0 &&
      x + source.width <= target.width &&
      y + source.height <= target.height,
    `pasting ${source.channels} x ${source.height} x ${source.width} at ${x},${y} into ${target.channels} x ${target.height} x ${target.width}`,
  );
  for (let c = 0; c < source.channels; c++) {
    for (let row = 0; row < source.height; row++) {
      const from = (c * source.height + row) * source.width;
      target.data.set(
        source.data.subarray(from, from + source.width),
        (c * target.height + y + row) * target.width + x,
      );
    }
  }
}
