// Small pictures of a slide for reports: a composite of its channels, and maps of one quantity, with a scale bar.
import sharp from 'sharp';
import { type ColormapName, colormap } from './colormap.ts';
import type { ImageField } from './image-field.ts';
import { fieldQuantile } from './image-field.ts';
import { label } from './label.ts';
import { roundDown } from './nice-scale.ts';

export interface CompositeChannel {
  readonly field: ImageField;
  /** Full intensity, RGB 0 to 255. */
  readonly colour: readonly [number, number, number];
}

/** Adds up the channels in their colours, each from its 2nd to its 99.7th percentile. */
export async function compositePng(
  channels: readonly CompositeChannel[],
  umPerPixel: number,
): Promise<Uint8Array> {
  const { width, height } = channels[0].field;
  const rgb = new Float32Array(width * height * 3);
  for (const { field, colour } of channels) {
    const low = fieldQuantile(field, 0.02);
    const high = fieldQuantile(field, 0.997);
    const scale = 1 / (high - low || 1);
    for (let i = 0; i < field.data.length; i++) {
      const share = Math.max(0, Math.min(1, (field.data[i] - low) * scale)) || 0;
      for (let c = 0; c < 3; c++) rgb[3 * i + c] += share * colour[c];
    }
  }
  return withScaleBar(Buffer.from(Uint8ClampedArray.from(rgb)), width, height, umPerPixel);
}

/** One quantity in the colours of a map; NaN is light grey. `outlined` are cells of `factor` pixels to be framed. */
export async function mapPng(
  field: ImageField,
  low: number,
  high: number,
  name: ColormapName,
  umPerPixel: number,
  outlined?: { readonly kind: Int8Array; readonly factor: number },
): Promise<Uint8Array> {
  const table = colormap(name);
  const rgb = Buffer.alloc(field.width * field.height * 3, 226);
  const scale = 255 / (high - low || 1);
  for (let i = 0; i < field.data.length; i++) {
    const value = field.data[i];
    if (Number.isNaN(value)) continue;
    const at = 3 * Math.max(0, Math.min(255, Math.round((value - low) * scale)));
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = table[at + c];
  }
  if (outlined) drawOutlines(rgb, field, outlined.kind, outlined.factor);
  return withScaleBar(rgb, field.width, field.height, umPerPixel);
}

/** White around cells of kind 1, cyan around those of kind -1, two pixels wide on the inside. */
function drawOutlines(rgb: Buffer, { width, height }: ImageField, kind: Int8Array, factor: number): void {
  const wide = width / factor;
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height
      ? 0
      : kind[Math.floor(y / factor) * wide + Math.floor(x / factor)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const own = at(x, y);
      if (own === 0) continue;
      if (at(x - 2, y) === own && at(x + 2, y) === own && at(x, y - 2) === own && at(x, y + 2) === own)
        continue;
      rgb.set(own > 0 ? [255, 255, 255] : [90, 230, 255], 3 * (y * width + x));
    }
}

/** Nearest-pixel enlargement, so that small fields fill their place. */
export function enlarge(field: ImageField, factor: number): ImageField {
  if (factor <= 1) return field;
  const [width, height] = [field.width * factor, field.height * factor];
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data[y * width + x] = field.data[Math.floor(y / factor) * field.width + Math.floor(x / factor)];
  return { data, width, height };
}

async function withScaleBar(
  rgb: Buffer,
  width: number,
  height: number,
  umPerPixel: number,
): Promise<Uint8Array> {
  const image = sharp(rgb, { raw: { width, height, channels: 3 } });
  if (width < 120 || height < 60) return image.png().toBuffer();
  const um = roundDown(width * 0.28 * umPerPixel);
  const length = um / umPerPixel;
  const size = Math.max(11, Math.min(18, width / 40));
  const name = um >= 1000 ? `${um / 1000} mm` : `${um} µm`;
  const [right, bottom] = [width - 12, height - 12];
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect x="${right - length - 8}" y="${bottom - size - 14}" width="${length + 16}" height="${size + 22}" rx="4" fill="#000" fill-opacity="0.6"/>` +
    `<rect x="${right - length}" y="${bottom - 4}" width="${length}" height="4" fill="#fff"/>` +
    label(name, right - length / 2, bottom - 9, { size, color: '#fff', anchor: 'middle' }) +
    '</svg>';
  return image
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
}
