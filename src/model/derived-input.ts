/** Images that some models read in place of the stains, computed from the whole slide's vessels. */
import type { PixelSource } from '../core/pixel-source.ts';
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
    read: async (region) => read(region),
    close: async () => {},
  };
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
      const um = distances.um(y, height, pixelSizeUm).map((d) => Math.min(d, farUm));
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
