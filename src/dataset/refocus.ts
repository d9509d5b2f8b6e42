// Makes an image sharper or softer, and a slide's inputs so as they are read.
import type { PixelSource, ReadOptions } from '../core/pixel-source.ts';
import { channelOf, cropRaster, type Raster, type Region } from '../core/raster.ts';
import { discreteGaussianKernel, smoothWith } from '../spatial/gaussian.ts';

/**
 * Changes the variance of a plane's point spread [H, W], in place: a discrete Gaussian makes it greater; twice the image
 * less that, the first terms of the inverse, makes it smaller. Borders are mirrored; a pixel that is not finite stays so, and
 * counts as the mean of the others.
 * @param variance to be added, in squared pixels; negative sharpens
 */
export function refocus(plane: Float32Array, width: number, height: number, variance: number): void {
  if (variance === 0) return;
  const missing = fillMissing(plane);
  const soft = smoothWith(discreteGaussianKernel(Math.abs(variance)), plane, width, height);
  if (variance > 0) plane.set(soft);
  else for (let i = 0; i < plane.length; i++) plane[i] = 2 * plane[i] - soft[i];
  for (const [i, value] of missing) plane[i] = value;
}

/** How far a pixel's value depends on others, in pixels. */
export function refocusReach(variances: readonly number[]): number {
  return Math.max(0, ...variances.map((v) => (v === 0 ? 0 : discreteGaussianKernel(Math.abs(v)).length - 1)));
}

function fillMissing(plane: Float32Array): [number, number][] {
  let [sum, count] = [0, 0];
  const missing: [number, number][] = [];
  for (let i = 0; i < plane.length; i++) {
    const value = plane[i];
    if (Number.isFinite(value)) {
      sum += value;
      count++;
    } else missing.push([i, value]);
  }
  for (const [i] of missing) plane[i] = count > 0 ? sum / count : 0;
  return missing;
}

/**
 * The slide with some channels sharper or softer, computed as it is read. Any region read gives the same values as the whole. Further
 * levels are left as they are.
 * @param variances one a channel in `channels`, squared pixels, as `refocus` takes them
 */
export function refocusedSource(
  source: PixelSource,
  channels: readonly number[],
  variances: readonly number[],
): PixelSource {
  const reach = refocusReach(variances);
  if (reach === 0) return source;
  const varianceOf = new Map(channels.map((channel, i) => [channel, variances[i]]));
  return {
    ...source,
    async read(region: Region, wanted: readonly number[], options?: ReadOptions): Promise<Raster> {
      if ((options?.level ?? 0) > 0) return source.read(region, wanted, options);
      const x = Math.max(0, region.x - reach);
      const y = Math.max(0, region.y - reach);
      const width = Math.min(source.width, region.x + region.width + reach) - x;
      const height = Math.min(source.height, region.y + region.height + reach) - y;
      const raster = await source.read({ x, y, width, height }, wanted, options);
      wanted.forEach((channel, c) => {
        refocus(channelOf(raster, c), width, height, varianceOf.get(channel) ?? 0);
      });
      return cropRaster(raster, { ...region, x: region.x - x, y: region.y - y });
    },
    close: () => source.close(),
  };
}
