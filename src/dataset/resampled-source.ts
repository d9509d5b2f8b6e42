// A slide seen at another pixel size.
import { assert, DataError } from '../core/errors.ts';
import type { PixelSource, ReadOptions } from '../core/pixel-source.ts';
import { createRaster, type Raster, type Region } from '../core/raster.ts';

/** Pixel sizes nearer than this count as the same: scanners state 0.69 for 0.6897. */
const sameWithin = 0.01;
const largestFactor = 2;

/**
 * Whether a slide must be resampled to be used at `wantedUm`.
 * @throws DataError beyond a factor of 2, where resampling would invent or throw away too much
 */
export function needsResampling(path: string, ownUm: number, wantedUm: number): boolean {
  const factor = wantedUm / ownUm;
  if (factor > largestFactor * (1 + sameWithin) || factor < (1 - sameWithin) / largestFactor) {
    throw new DataError(
      `${path} has pixels of ${ownUm} um, but ${wantedUm} um are needed: more than a factor of ` +
        `${largestFactor} apart, which resampling cannot bridge honestly. Export the slide nearer to ${wantedUm} um ` +
        'a pixel, or correct its pixel size with --pixel-size-um if the file states it wrongly.',
    );
  }
  return Math.abs(factor - 1) > sameWithin;
}

/**
 * The slide at `wantedUm` a pixel, float32 and of one level, computed as it is read: linear interpolation,
 * averaged over a larger pixel's aperture when pixels get larger (so that detail is averaged and not skipped). Exact
 * for linear ramps. Any region read gives the same values as the whole. Pixel centres keep their place in micrometres from the upper left corner.
 */
export function resampledSource(source: PixelSource, ownUm: number, wantedUm: number): PixelSource {
  const step = wantedUm / ownUm;
  const width = Math.max(1, Math.round(source.width / step));
  const height = Math.max(1, Math.round(source.height / step));
  return {
    path: source.path,
    format: `${source.format}, resampled from ${ownUm} to ${wantedUm} um a pixel`,
    width,
    height,
    channels: source.channels.map((channel) => ({
      ...channel,
      sampleType: 'float32' as const,
      storedAs: channel.sampleType,
    })),
    pixelSizeUm: wantedUm,
    levels: [{ width, height }],
    async read(region: Region, channels: readonly number[], options?: ReadOptions): Promise<Raster> {
      assert((options?.level ?? 0) === 0, 'a resampled slide has one level');
      const columns = filterTaps(region.x, region.width, step, source.width);
      const rows = filterTaps(region.y, region.height, step, source.height);
      const from = {
        x: columns.first,
        y: rows.first,
        width: columns.end - columns.first,
        height: rows.end - rows.first,
      };
      return filter(await source.read(from, channels, { signal: options?.signal }), columns, rows);
    },
    close: () => source.close(),
  };
}

/** For each output index, its input taps: weights[i * taps + t] belongs to input start[i] + t. */
interface Taps {
  readonly first: number;
  readonly end: number;
  readonly taps: number;
  readonly start: Int32Array;
  readonly weights: Float64Array;
}

function filterTaps(from: number, count: number, step: number, length: number): Taps {
  // A box of this width turns the aperture of an own pixel into that of a wanted one (their variances add up).
  const aperture = step > 1 ? Math.sqrt(step * step - 1) : 0;
  const radius = 1 + aperture / 2;
  const taps = Math.ceil(2 * radius) + 1;
  const start = new Int32Array(count);
  const weights = new Float64Array(count * taps);
  let first = length;
  let end = 0;
  for (let i = 0; i < count; i++) {
    // Clamped, because rounding the size can put the last output centre just beyond the last input pixel.
    const centre = Math.min((from + i + 0.5) * step - 0.5, length - 1);
    start[i] = Math.max(0, Math.ceil(centre - radius));
    let sum = 0;
    for (let t = 0; t < taps && start[i] + t < length; t++) {
      const weight = hatOverBox(start[i] + t - centre, aperture);
      weights[i * taps + t] = weight;
      sum += weight;
    }
    for (let t = 0; t < taps; t++) weights[i * taps + t] /= sum;
    first = Math.min(first, start[i]);
    end = Math.max(end, Math.min(length, start[i] + taps));
  }
  return { first, end, taps, start, weights };
}

/** The hat function of linear interpolation at `distance`, averaged over a box around it. */
function hatOverBox(distance: number, box: number): number {
  if (box === 0) return Math.max(0, 1 - Math.abs(distance));
  return (hatIntegral(distance + box / 2) - hatIntegral(distance - box / 2)) / box;
}

/** Integral of max(0, 1 - |t|) from minus infinity to x. */
function hatIntegral(x: number): number {
  if (x <= -1) return 0;
  if (x >= 1) return 1;
  return x < 0 ? ((1 + x) * (1 + x)) / 2 : 1 - ((1 - x) * (1 - x)) / 2;
}

function filter(input: Raster, columns: Taps, rows: Taps): Raster {
  const width = columns.start.length;
  const height = rows.start.length;
  const out = createRaster(input.channels, height, width);
  const narrow = new Float64Array(input.height * width);
  const sums = new Float64Array(width);
  for (let c = 0; c < input.channels; c++) {
    for (let y = 0; y < input.height; y++) {
      const row = (c * input.height + y) * input.width - columns.first;
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let t = 0; t < columns.taps; t++) {
          const weight = columns.weights[x * columns.taps + t];
          if (weight > 0) sum += weight * input.data[row + columns.start[x] + t];
        }
        narrow[y * width + x] = sum;
      }
    }
    for (let y = 0; y < height; y++) {
      // Summed in double precision: what is the same everywhere stays so, and is seen to be overexposed.
      sums.fill(0);
      for (let t = 0; t < rows.taps; t++) {
        const weight = rows.weights[y * rows.taps + t];
        if (!(weight > 0)) continue;
        const from = (rows.start[y] + t - rows.first) * width;
        for (let x = 0; x < width; x++) sums[x] += weight * narrow[from + x];
      }
      out.data.set(sums, (c * height + y) * width);
    }
  }
  return out;
}
