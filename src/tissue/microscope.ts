// From stain and probe to the grey levels of three channels.
import { throughOptics } from './blur.ts';
import { cellCount, type Grid } from './grid.ts';
import { photonsOfTile } from './photons.ts';
import type { SlideModel } from './slide-model.ts';

/** Width and height of a camera field, um. */
const cameraFieldUm = 665;

/**
 * Mean electrons of every channel: the stains through the optics, with bleed-through and vignetting.
 * @param emitted electrons that the structures of each channel emit in each cell; a fourth plane is another probe
 */
export function meanElectrons(
  model: SlideModel,
  grid: Grid,
  emitted: readonly Float32Array[],
): Float32Array[] {
  const n = cellCount(grid);
  const channelOf = (plane: number): number => Math.min(2, plane);
  const seen = emitted.map((image, c) => throughOptics(grid, image, model.optics[channelOf(c)]));
  const light = new Float32Array(n);
  for (let j = 0, at = 0; j < grid.height; j++) {
    for (let i = 0; i < grid.width; i++, at++) {
      const u = fieldPosition(grid.fromX + (i + 0.5) * grid.spacing);
      const v = fieldPosition(grid.fromY + (j + 0.5) * grid.spacing);
      light[at] = 1 - model.vignetting * (0.5 * (u * u + v * v) - 0.33);
    }
  }
  return seen.map((own, plane) => {
    const to = channelOf(plane);
    const electrons = own.slice();
    for (let from = 0; from < 3; from++) {
      const share = model.bleed[to][from];
      if (share === 0 || from === to) continue;
      // Of the probe only its drawn signal bleeds into other channels.
      const image = seen[from];
      for (let at = 0; at < n; at++) electrons[at] += share * image[at];
    }
    for (let at = 0; at < n; at++) electrons[at] = electrons[at] * light[at] + model.optics[to].dark;
    return electrons;
  });
}

/** -1 to 1 across a camera field. */
function fieldPosition(um: number): number {
  return 2 * (um / cameraFieldUm - Math.floor(um / cameraFieldUm)) - 1;
}

/** Mean grey level of given mean electrons: the noise-free image. */
export function greyLevel(model: SlideModel, channel: number, electrons: number): number {
  const { gain, offset } = model.optics[channel];
  return Math.min(largest(model), Math.max(0, offset + gain * electrons));
}

/** Shot noise, read noise, and rounding to whole grey levels. */
export function record(
  model: SlideModel,
  tileX: number,
  tileY: number,
  channel: number,
  electrons: Float32Array,
): Float32Array {
  const { gain, offset, readNoise } = model.optics[channel];
  const noise = photonsOfTile(model.seed, tileX, tileY, channel);
  const top = largest(model);
  return electrons.map((mean) => {
    const counted = noise.poisson(mean) + readNoise * noise.normal();
    return Math.min(top, Math.max(0, Math.round(offset + gain * counted)));
  });
}

function largest({ sampleType }: SlideModel): number {
  return sampleType === 'uint8' ? 255 : 65535;
}
