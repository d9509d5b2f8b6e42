// Colour tables as CSS and numbers, for legends and the overview; the same maps that the picture is drawn with.
import type { Colormap } from './layers.ts';

/** Evenly spaced stops of inferno, viridis (both Smith and van der Walt, matplotlib) and RdBu (ColorBrewer). */
const stops: Readonly<Record<Colormap, readonly string[]>> = {
  inferno: ['000004', '1f0c48', '550f6d', '88226a', 'ba3655', 'e35933', 'f98e09', 'f9cb35', 'fcffa4'],
  viridis: ['440154', '482878', '3e4a89', '31688e', '26828e', '1f9e89', '35b779', '6ece58', 'fde725'],
  rdbu: ['050aac', '232fc2', '5670e8', '708df3', 'bebebe', 'dea67f', 'e28755', 'c53d34', 'b20a1c'],
};

/** @param share 0 to 1 along the map */
export function mapColor(map: Colormap, share: number): [number, number, number] {
  const table = stops[map];
  const at = Math.min(1, Math.max(0, share)) * (table.length - 1);
  const i = Math.min(table.length - 2, Math.floor(at));
  const channel = (hex: string, k: number): number => Number.parseInt(hex.slice(2 * k, 2 * k + 2), 16);
  return [0, 1, 2].map((k) => {
    const from = channel(table[i], k);
    return from + (channel(table[i + 1], k) - from) * (at - i);
  }) as [number, number, number];
}

export function cssGradient(map: Colormap): string {
  return `linear-gradient(to right, ${stops[map].map((hex) => `#${hex}`).join(', ')})`;
}
