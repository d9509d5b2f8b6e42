// The lowest level of a layer as a picture, computed without the graphics: the overview, and what is seen first.
import { mapColor } from './colormaps.ts';
import type { ViewLayer } from './layers.ts';
import { largestWhole } from './tile-source.ts';

const shades = 256;

/** @returns undefined where that level is too large to be read whole */
export async function paint(layer: ViewLayer, width: number, height: number): Promise<ImageData | undefined> {
  const level = layer.lowest;
  if (Math.max(level.width, level.height) > largestWhole) return undefined;
  const visible = layer.channels.filter(({ isVisible }) => isVisible);
  const rasters = await Promise.all(visible.map(({ index }) => level.getRaster({ selection: { c: index } })));
  const image = new ImageData(width, height);
  const pixels = image.data;
  for (let at = 3; at < pixels.length; at += 4) pixels[at] = 255;
  visible.forEach(({ limits: [black, full], color }, i) => {
    const values = rasters[i].data;
    const table = Uint8Array.from({ length: 3 * shades }, (_, k) => {
      const share = Math.floor(k / 3) / (shades - 1);
      return layer.colormap ? mapColor(layer.colormap, share)[k % 3] : color[k % 3] * share;
    });
    const perUnit = (shades - 1) / (full - black);
    for (let y = 0, at = 0; y < height; y++) {
      const row = Math.min(level.height - 1, Math.floor(((y + 0.5) / height) * level.height)) * level.width;
      for (let x = 0; x < width; x++, at += 4) {
        const column = Math.min(level.width - 1, Math.floor(((x + 0.5) / width) * level.width));
        const shade = Math.round((values[row + column] - black) * perUnit);
        // NaN is drawn as nothing.
        const k = 3 * Math.min(shades - 1, Math.max(0, shade || 0));
        pixels[at] += table[k];
        pixels[at + 1] += table[k + 1];
        pixels[at + 2] += table[k + 2];
      }
    }
  });
  return image;
}
