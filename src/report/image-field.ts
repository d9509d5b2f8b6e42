// A scalar image to be drawn: resampled to a panel's pixels and coloured.
import sharp from 'sharp';
import { type ColormapName, colormap } from './colormap.ts';

/** A plane [height, width] in stored units; NaN is drawn grey. */
export interface ImageField {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Means over boxes when shrinking (so that no detail aliases), nearest pixel when enlarging. NaN is left out. */
export function resample(field: ImageField, width: number, height: number): ImageField {
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = span(y, height, field.height);
    for (let x = 0; x < width; x++) {
      const [left, right] = span(x, width, field.width);
      let sum = 0;
      let count = 0;
      for (let j = top; j < bottom; j++)
        for (let i = left; i < right; i++) {
          const value = field.data[j * field.width + i];
          if (Number.isNaN(value)) continue;
          sum += value;
          count++;
        }
      data[y * width + x] = count > 0 ? sum / count : Number.NaN;
    }
  }
  return { data, width, height };
}

function span(index: number, panel: number, image: number): [number, number] {
  const first = Math.min(image - 1, Math.floor((index * image) / panel));
  return [first, Math.max(first + 1, Math.floor(((index + 1) * image) / panel))];
}

/** A PNG of the field as a data URI; `low` and `high` take the ends of the colour scale. */
export async function colorField(
  field: ImageField,
  low: number,
  high: number,
  map: ColormapName,
): Promise<string> {
  const table = colormap(map);
  const rgb = Buffer.alloc(field.width * field.height * 3);
  const scale = 255 / (high - low || 1);
  for (let i = 0; i < field.data.length; i++) {
    const value = field.data[i];
    if (Number.isNaN(value)) {
      rgb.fill(200, 3 * i, 3 * i + 3);
      continue;
    }
    const at = 3 * Math.max(0, Math.min(255, Math.round((value - low) * scale)));
    rgb[3 * i] = table[at];
    rgb[3 * i + 1] = table[at + 1];
    rgb[3 * i + 2] = table[at + 2];
  }
  const png = await sharp(rgb, { raw: { width: field.width, height: field.height, channels: 3 } })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

/** The value below which a share q of the finite pixels lies; NaN without any. */
export function fieldQuantile(field: ImageField, q: number): number {
  const sorted = field.data.filter(Number.isFinite).sort();
  return sorted.length > 0 ? sorted[Math.round(q * (sorted.length - 1))] : Number.NaN;
}
