// Makes an image sharper or softer, and a slide's inputs so as they are read.
import { type PixelSource, withPixels } from '../core/pixel-source.ts';
import { channelOf, cropRaster, freeRaster } from '../core/raster.ts';
import { discreteGaussianKernel, smoothWith } from '../spatial/gaussian.ts';

/**
 * Changes the variance of a plane's point spread [H, W], in place: a discrete Gaussian makes it greater; twice the image
 * less that, the first terms of the inverse, makes it smaller. Borders are mirrored.
 * @param variance to be added, in squared pixels; negative sharpens
 * @param fill what a pixel that is not finite counts as for its neighbours; it stays as it is
 */
export function refocus(
  plane: Float32Array,
  width: number,
  height: number,
  variance: number,
  fill = 0,
): void {
  if (variance === 0) return;
  // As it was, where something is missing; a whole plane may be.
  const before = plane.every(Number.isFinite) ? undefined : plane.slice();
  if (before) for (let i = 0; i < plane.length; i++) if (!Number.isFinite(before[i])) plane[i] = fill;
  const soft = smoothWith(discreteGaussianKernel(Math.abs(variance)), plane, width, height);
  if (variance > 0) plane.set(soft);
  else for (let i = 0; i < plane.length; i++) plane[i] = 2 * plane[i] - soft[i];
  freeRaster({ channels: 1, width, height, data: soft });
  if (before) for (let i = 0; i < plane.length; i++) if (!Number.isFinite(before[i])) plane[i] = before[i];
}

/** How far a pixel's value depends on others, in pixels. */
export function refocusReach(variances: readonly number[]): number {
  return Math.max(0, ...variances.map((v) => (v === 0 ? 0 : discreteGaussianKernel(Math.abs(v)).length - 1)));
}

/**
 * The slide at full resolution with some channels sharper or softer, computed as it is read. Any region read gives the same values
 * as the whole.
 * @param variances one a channel in `channels`, squared pixels, as `refocus` takes them
 * @param fills likewise, what a pixel that is not finite counts as
 */
export function refocusedSource(
  source: PixelSource,
  channels: readonly number[],
  variances: readonly number[],
  fills: readonly number[],
): PixelSource {
  const reach = refocusReach(variances);
  if (reach === 0) return source;
  return withPixels(source, async (region, wanted, options) => {
    const x = Math.max(0, region.x - reach);
    const y = Math.max(0, region.y - reach);
    const width = Math.min(source.width, region.x + region.width + reach) - x;
    const height = Math.min(source.height, region.y + region.height + reach) - y;
    const raster = await source.read({ x, y, width, height }, wanted, options);
    wanted.forEach((channel, c) => {
      const i = channels.indexOf(channel);
      if (i >= 0) refocus(channelOf(raster, c), width, height, variances[i], fills[i]);
    });
    const cropped = cropRaster(raster, { ...region, x: region.x - x, y: region.y - y });
    freeRaster(raster);
    return cropped;
  });
}
