// A small picture of a whole channel: means over square boxes of pixels, streamed.
import type { PixelSource } from '../core/pixel-source.ts';
import { bandsOf } from '../spatial/bands.ts';

export interface Overview {
  /** [channels][height * width], means over the box; NaN where no pixel is finite. */
  readonly planes: readonly Float32Array[];
  readonly width: number;
  readonly height: number;
  /** Edge of a box in pixels. */
  readonly boxPx: number;
}

/**
 * Every channel asked for, reduced so that the longer edge is at most `largest`.
 */
export async function overviewOf(
  source: PixelSource,
  channels: readonly number[],
  largest: number,
  signal?: AbortSignal,
): Promise<Overview> {
  const boxPx = Math.max(1, Math.ceil(Math.max(source.width, source.height) / largest));
  const width = Math.ceil(source.width / boxPx);
  const height = Math.ceil(source.height / boxPx);
  const planes = channels.map(() => new Float32Array(width * height));
  const sums = new Float64Array(width);
  const counts = new Float64Array(width);
  // Bands of whole boxes, so that a box is summed in one go whatever the size of bands.
  const rows = boxPx * Math.max(1, Math.floor(256 / boxPx));
  for await (const { y, height: bandHeight, raster } of bandsOf(source, channels, { rows, signal })) {
    for (let c = 0; c < channels.length; c++) {
      for (let top = 0; top < bandHeight; top += boxPx) {
        sums.fill(0);
        counts.fill(0);
        for (let r = top; r < Math.min(bandHeight, top + boxPx); r++) {
          const from = (c * raster.height + r) * source.width;
          for (let x = 0; x < source.width; x++) {
            const value = raster.data[from + x];
            if (!(Math.abs(value) < Infinity)) continue;
            const box = Math.floor(x / boxPx);
            sums[box] += value;
            counts[box]++;
          }
        }
        const to = ((y + top) / boxPx) * width;
        for (let x = 0; x < width; x++) planes[c][to + x] = counts[x] > 0 ? sums[x] / counts[x] : Number.NaN;
      }
    }
  }
  return { planes, width, height, boxPx };
}
