// One level of a pyramid from the level above it.
import { createRaster, type Raster } from '../../core/raster.ts';

/**
 * Half the size, rounded up, by the average of 2 x 2 pixels (fewer at an odd edge). NaN pixels do not count; the
 * average of NaN alone is NaN.
 */
export function halve(raster: Raster): Raster {
  const { channels, width, height, data } = raster;
  const out = createRaster(channels, Math.ceil(height / 2), Math.ceil(width / 2));
  const evenWidth = width - (width % 2);
  let to = 0;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y += 2) {
      const upper = (c * height + y) * width;
      const lower = y + 1 < height ? upper + width : upper;
      for (let x = 0; x < evenWidth; x += 2) {
        const sum = data[upper + x] + data[upper + x + 1] + data[lower + x] + data[lower + x + 1];
        // A sum that is a number is the usual case; the rest is looked at pixel by pixel.
        out.data[to++] = Number.isNaN(sum) ? meanOfNumbers(data, upper + x, lower + x, 2) : sum / 4;
      }
      if (evenWidth < width) out.data[to++] = meanOfNumbers(data, upper + evenWidth, lower + evenWidth, 1);
    }
  }
  return out;
}

/** At the last odd row `upper` and `lower` are the same; counting it twice leaves the average as it is. */
function meanOfNumbers(data: Float32Array, upper: number, lower: number, columns: number): number {
  let sum = 0;
  let count = 0;
  for (const start of [upper, lower]) {
    for (let i = start; i < start + columns; i++) {
      if (!Number.isNaN(data[i])) {
        sum += data[i];
        count++;
      }
    }
  }
  return count === 0 ? Number.NaN : sum / count;
}
