// Finds the vessels of a slide in its vessel stain, with thresholds that the slide itself sets.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { bandsOf, rowsPerBand } from './bands.ts';
import { BitMask } from './bit-mask.ts';
import { cleanMask } from './clean-mask.ts';
import { gaussianKernel, smooth } from './gaussian.ts';
import { estimateBackground, type LocalBackground } from './local-background.ts';
import { localMaximum } from './local-maximum.ts';
import { otsuThreshold } from './otsu.ts';

export interface VesselOptions {
  /** Gaussian that quietens noise before thresholding, standard deviation. */
  readonly smoothingUm: number;
  readonly backgroundCellUm: number;
  readonly backgroundWindowUm: number;
  readonly backgroundQuantile: number;
  /** How many noise standard deviations above the background a pixel must be to be considered at all. */
  readonly noiseFactor: number;
  /** A faint vessel's pixels need at least this many times the threshold. */
  readonly faintFactor: number;
  /** A faint vessel ends where it falls below this part of its own brightness (its largest contrast nearby). */
  readonly edgeFraction: number;
  readonly edgeRadiusUm: number;
  /** A vessel, bright or faint, needs a pixel above this many times the threshold (hysteresis). */
  readonly seedFactor: number;
  readonly minAreaUm2: number;
  /** Largest lumen filled; a larger dark area inside a ring of vessels is tissue. */
  readonly maxLumenUm2: number;
}

export const defaultVesselOptions: VesselOptions = {
  smoothingUm: 0.6,
  backgroundCellUm: 8,
  backgroundWindowUm: 56,
  backgroundQuantile: 0.3,
  noiseFactor: 4,
  faintFactor: 0.4,
  edgeFraction: 0.5,
  edgeRadiusUm: 3,
  seedFactor: 0.8,
  minAreaUm2: 8,
  maxLumenUm2: 1000,
};

export interface VesselSegmentation {
  readonly mask: BitMask;
  /** For the methods paragraph. */
  readonly method: string;
  readonly options: VesselOptions;
  /**
   * Contrasts over the local background in stored units: the noise's standard deviation and the threshold above
   * which every pixel is vessel. The threshold is Infinity, and the mask empty, where nothing rises above the noise.
   */
  readonly found: { readonly noise: number; readonly threshold: number };
}

export interface VesselInput {
  readonly source: PixelSource;
  readonly channel: number;
  readonly pixelSizeUm: number;
  /** Where thresholds are fitted; the whole slide unless given. Vessels are looked for everywhere. */
  readonly tissue?: BitMask;
  readonly options?: Partial<VesselOptions>;
  /** Rows a band; for tests, the result does not depend on it. */
  readonly bandRows?: number;
}

const method =
  'contrast over the local background (median of cell quantiles); threshold by Otsu (1979) on the logarithm of ' +
  'the contrasts above the noise; fainter vessels bounded at half their own brightness; hysteresis (Canny 1986); ' +
  'small lumens filled';

// Thresholds are fitted on about this many pixels on a regular grid.
const wantedSamples = 1_000_000;
// Fewer contrasts than this above the noise are no vessels.
const fewestSamples = 30;

/**
 * Segments vessels. Reads the channel three times from top to bottom; memory is one bit a pixel, one band, and
 * a coarse grid.
 */
export async function segmentVessels(
  input: VesselInput,
  work: WorkOptions = {},
): Promise<VesselSegmentation> {
  const { source, channel, pixelSizeUm, tissue } = input;
  const { width, height } = source;
  const options = { ...defaultVesselOptions, ...input.options };
  const background = await estimateBackground(
    source,
    channel,
    pixelSizeUm,
    {
      cellUm: options.backgroundCellUm,
      windowUm: options.backgroundWindowUm,
      quantile: options.backgroundQuantile,
    },
    work.signal,
  );
  const contrasts = contrastRows(input, background, options.smoothingUm / pixelSizeUm, work);
  const step = Math.max(1, Math.ceil(Math.sqrt((width * height) / wantedSamples)));
  const samples: number[] = [];
  const tissueRow = new Uint8Array(width).fill(1);
  for await (const { y, row } of contrasts('fitting vessel thresholds')) {
    if (y % step !== 0) continue;
    tissue?.readRow(y, tissueRow);
    for (let x = 0; x < width; x += step) {
      if (tissueRow[x] === 1 && Number.isFinite(row[x])) samples.push(row[x]);
    }
  }
  const found = fitThresholds(Float32Array.from(samples).sort(), options);

  const mask = new BitMask(width, height);
  const seeds = new BitMask(width, height);
  if (found.threshold < Infinity) {
    const bytes = new Uint8Array(width);
    for await (const { y, row, peak } of contrasts('finding vessels', options.edgeRadiusUm / pixelSizeUm)) {
      const faint = options.faintFactor * found.threshold;
      for (let x = 0; x < width; x++)
        bytes[x] = Number(
          row[x] > Math.min(found.threshold, Math.max(faint, options.edgeFraction * peak[x])),
        );
      mask.writeRow(y, bytes);
      for (let x = 0; x < width; x++) bytes[x] = Number(row[x] > options.seedFactor * found.threshold);
      seeds.writeRow(y, bytes);
    }
    const pixelArea = pixelSizeUm * pixelSizeUm;
    cleanMask(
      mask,
      { minAreaPx: options.minAreaUm2 / pixelArea, maxHolePx: options.maxLumenUm2 / pixelArea },
      seeds,
    );
  }
  return { mask, method, options, found };
}

function fitThresholds(sorted: Float32Array, options: VesselOptions): VesselSegmentation['found'] {
  const none = { noise: Number.NaN, threshold: Infinity };
  if (sorted.length === 0) return none;
  const at = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))];
  // Below the median there are no vessels: the distance to the 15.9th percentile is one standard deviation of noise.
  const noise = at(0.5) - at(0.1587);
  const floor = at(0.5) + options.noiseFactor * noise;
  const first = sorted.findIndex((c) => c > Math.max(floor, 0));
  if (first < 0 || sorted.length - first < fewestSamples) return { ...none, noise };
  const threshold = Math.exp(otsuThreshold(sorted.subarray(first).map(Math.log)));
  if (!Number.isFinite(threshold)) return { ...none, noise };
  return { noise, threshold };
}

/** Rows of smoothed contrast over the background, top to bottom; `peak` is the largest contrast within a radius. */
function contrastRows(input: VesselInput, background: LocalBackground, sigmaPx: number, work: WorkOptions) {
  return async function* (
    stage: string,
    peakRadiusPx = 0,
  ): AsyncGenerator<{ y: number; row: Float32Array; peak: Float32Array }> {
    const { source, channel, bandRows } = input;
    const { width } = source;
    const radius = Math.round(peakRadiusPx);
    const base = new Float32Array(width);
    const bands = bandsOf(source, [channel], {
      rows: bandRows ?? rowsPerBand(width, 4),
      halo: gaussianKernel(sigmaPx).length - 1 + radius,
      signal: work.signal,
      onRows: (done, total) => work.onProgress?.({ stage, done, total }),
    });
    for await (const { y, height, above, raster } of bands) {
      const contrast = smooth(raster.data, width, raster.height, sigmaPx);
      for (let r = 0; r < raster.height; r++) {
        background.row(y - above + r, base);
        for (let x = 0; x < width; x++) contrast[r * width + x] -= base[x];
      }
      const peaks = radius > 0 ? localMaximum(contrast, width, raster.height, radius) : contrast;
      for (let r = above; r < above + height; r++) {
        const row = contrast.subarray(r * width, (r + 1) * width);
        yield { y: y - above + r, row, peak: peaks.subarray(r * width, (r + 1) * width) };
      }
    }
  };
}
