/** Images that some models read in place of the stains, computed from the whole slide's vessels. */
import { type PixelSource, sampleRange } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { createRaster, type Raster, type Region } from '../core/raster.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import type { StainInput } from '../spatial/contrast.ts';
import { DistanceMap } from '../spatial/distance-map.ts';
import { segmentVessels } from '../spatial/segment-vessels.ts';

/** 1 in vessels and 0 elsewhere; or the distance to the nearest vessel in micrometres, 0 in vessels. */
export const derivedInputs = ['vessel mask', 'vessel distance'] as const;
export type DerivedInput = (typeof derivedInputs)[number];

/** Stands for the distance where there is no vessel at all. */
const farUm = 1e6;
/** Distances are computed for so many rows at a time, which takes several times the memory of what is kept. */
const rowsAtOnce = 512;

/** What is kept of whole rows of the slide, in bytes a pixel. */
export const derivedRowBytes: Readonly<Record<DerivedInput, number>> = {
  'vessel mask': 0,
  'vessel distance': 4,
};

/**
 * The derived image as a slide with one channel. Segments the vessels of the whole slide first.
 * @param slide its channel is that of the vessels
 */
export async function deriveInput(
  kind: DerivedInput,
  slide: StainInput,
  work: WorkOptions = {},
): Promise<PixelSource> {
  const { mask } = await segmentVessels(slide, work);
  const read = kind === 'vessel mask' ? maskReader(mask) : distanceReader(mask, slide.pixelSizeUm);
  return {
    ...viewOf(slide.source),
    channels: [{ name: kind, sampleType: 'float32' }],
    pixelSizeUm: slide.pixelSizeUm,
    levels: [{ width: mask.width, height: mask.height }],
    async read(region, _, options) {
      const raster = read(region);
      await leaveOutMissing(raster, slide, region, options);
      return raster;
    },
    close: async () => {},
  };
}

/** NaN where the stain is not finite: nothing is known of a missing pixel, though distances reach across it. */
async function leaveOutMissing(
  { data }: Raster,
  { source, channel }: StainInput,
  region: Region,
  options: Parameters<PixelSource['read']>[2],
): Promise<void> {
  if (sampleRange(source.channels[channel].sampleType) !== undefined) return;
  const stain = (await source.read(region, [channel], options)).data;
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(stain[i])) data[i] = Number.NaN;
}

function viewOf({ path, format, width, height }: PixelSource) {
  return { path, format, width, height };
}

function maskReader(mask: BitMask): (region: Region) => Raster {
  return ({ x, y, width, height }) => {
    const out = createRaster(1, height, width);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        if (mask.get(x + column, y + row)) out.data[row * width + column] = 1;
      }
    }
    return out;
  };
}

function distanceReader(mask: BitMask, pixelSizeUm: number): (region: Region) => Raster {
  const distances = new DistanceMap(mask);
  // Tiles come row by row, and distances are computed for whole rows: those of the last tile serve the next one.
  let held = { y: -1, height: 0, um: new Float32Array(0) };
  return ({ x, y, width, height }) => {
    if (held.y !== y || held.height !== height) {
      const um = new Float32Array(height * mask.width);
      for (let row = 0; row < height; row += rowsAtOnce) {
        const strip = distances.um(y + row, Math.min(rowsAtOnce, height - row), pixelSizeUm);
        for (let i = 0; i < strip.length; i++) um[row * mask.width + i] = Math.min(strip[i], farUm);
      }
      held = { y, height, um };
    }
    const out = createRaster(1, height, width);
    for (let row = 0; row < height; row++) {
      const from = row * mask.width + x;
      out.data.set(held.um.subarray(from, from + width), row * width);
    }
    return out;
  };
}
