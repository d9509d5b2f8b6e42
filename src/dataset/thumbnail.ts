// A small picture of a slide, made from what was scanned: no pixel is read again.
import sharp from 'sharp';
import type { SlideScan } from './scan-slide.ts';
import type { TissueMask } from './tissue-mask.ts';

/** Longest edge in pixels. */
const longestPx = 720;
/** Of the roles in order where they have no colour of their own. */
const furtherColours: readonly Colour[] = [
  [255, 190, 40],
  [200, 80, 255],
  [60, 220, 220],
];
const colourOfRole: Readonly<Record<string, Colour>> = {
  vessel: [255, 60, 50],
  nuclei: [70, 110, 255],
  probe: [60, 230, 80],
};

type Colour = readonly [number, number, number];

/**
 * The channels added up in their roles' colours, each from its 1st to its 99.5th percentile over the tissue (over
 * all without a mask); what is not tissue is dimmed and outlined.
 * @param roles one a scanned channel
 * @returns a JPEG and its size
 */
export async function drawThumbnail(
  scan: SlideScan,
  roles: readonly string[],
  tissue: TissueMask | undefined,
): Promise<{ jpeg: Uint8Array; width: number; height: number }> {
  const step = Math.max(1, Math.ceil(Math.max(scan.samplesWide, scan.samplesHigh) / longestPx));
  const width = Math.ceil(scan.samplesWide / step);
  const height = Math.ceil(scan.samplesHigh / step);
  const inTissue = new Uint8Array(width * height).fill(1);
  if (tissue !== undefined) {
    const spacing = (step * scan.sampleEvery * scan.boxPx) / scan.cellPx;
    for (let y = 0, i = 0; y < height; y++) {
      const row = Math.min(tissue.cellsHigh - 1, Math.floor((y + 0.5) * spacing));
      for (let x = 0; x < width; x++, i++) {
        const column = Math.min(tissue.cellsWide - 1, Math.floor((x + 0.5) * spacing));
        inTissue[i] = tissue.cells[row * tissue.cellsWide + column];
      }
    }
  }
  const light = new Float32Array(3 * width * height);
  scan.channels.forEach((channel, c) => {
    const plane = shrink(channel.samples, scan.samplesWide, scan.samplesHigh, step);
    const shown = plane.filter((value, i) => inTissue[i] === 1 && !Number.isNaN(value)).sort();
    if (shown.length === 0) return;
    const low = shown[Math.floor(0.01 * (shown.length - 1))];
    const high = shown[Math.floor(0.995 * (shown.length - 1))];
    const colour = colourOf(roles, c);
    for (let i = 0; i < plane.length; i++) {
      const value = high > low ? Math.min(1, Math.max(0, (plane[i] - low) / (high - low))) : 0;
      for (let k = 0; k < 3; k++) light[3 * i + k] += Number.isNaN(value) ? 0 : value * colour[k];
    }
  });
  const rgb = Uint8Array.from(light, (value, i) =>
    Math.min(255, inTissue[Math.floor(i / 3)] ? value : 0.45 * value),
  );
  outline(rgb, inTissue, width, height);
  const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80, chromaSubsampling: '4:4:4' })
    .toBuffer();
  return { jpeg, width, height };
}

/** The colour of a role in thumbnails, for legends. */
export function colourOf(roles: readonly string[], index: number): Colour {
  const further = roles.slice(0, index).filter((role) => colourOfRole[role] === undefined).length;
  return colourOfRole[roles[index]] ?? furtherColours[further % furtherColours.length];
}

/** Averages over step x step samples, without those that are NaN. */
function shrink(samples: Float32Array, width: number, height: number, step: number): Float32Array {
  if (step === 1) return samples;
  const wide = Math.ceil(width / step);
  const high = Math.ceil(height / step);
  const sum = new Float32Array(wide * high);
  const count = new Uint16Array(wide * high);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = samples[y * width + x];
      if (Number.isNaN(value)) continue;
      const to = Math.floor(y / step) * wide + Math.floor(x / step);
      sum[to] += value;
      count[to]++;
    }
  }
  return sum.map((total, i) => (count[i] > 0 ? total / count[i] : Number.NaN));
}

/** Whitens the pixels of tissue that have something else beside them. */
function outline(rgb: Uint8Array, inTissue: Uint8Array, width: number, height: number): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const isEdge =
        inTissue[i] === 1 &&
        ((x > 0 && inTissue[i - 1] === 0) ||
          (x + 1 < width && inTissue[i + 1] === 0) ||
          (y > 0 && inTissue[i - width] === 0) ||
          (y + 1 < height && inTissue[i + width] === 0));
      if (isEdge) rgb.fill(255, 3 * i, 3 * i + 3);
    }
  }
}
