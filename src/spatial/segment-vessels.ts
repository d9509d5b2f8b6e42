// Finds the vessels of a slide in its vessel stain, with thresholds that the slide itself sets.
import type { WorkOptions } from '../core/progress.ts';
import { BitMask } from './bit-mask.ts';
import { cleanMask } from './clean-mask.ts';
import { contrastRows, type SampledContrasts, type StainInput, sampleContrasts } from './contrast.ts';
import { estimateBackground } from './local-background.ts';
import { otsuThreshold } from './otsu.ts';

export interface VesselOptions {
  /** Gaussian that quietens noise before thresholding, standard deviation. */
  readonly smoothingUm: number;
  readonly backgroundCellUm: number;
  readonly backgroundWindowUm: number;
  readonly backgroundQuantile: number;
  /** How many noise standard deviations above the background a pixel must be to be considered at all. */
  readonly noiseFactor: number;
  /** A faint vessel ends where it falls below this part of its own brightness (its largest contrast nearby). */
  readonly edgeFraction: number;
  readonly edgeRadiusUm: number;
  /** A vessel needs a pixel this many noise standard deviations above the background (hysteresis). */
  readonly seedFactor: number;
  readonly minAreaUm2: number;
  /** Largest lumen filled; a larger dark area inside a ring of vessels is tissue. */
  readonly maxLumenUm2: number;
}

const defaultVesselOptions: VesselOptions = {
  smoothingUm: 0.6,
  backgroundCellUm: 8,
  backgroundWindowUm: 56,
  backgroundQuantile: 0.3,
  noiseFactor: 4,
  edgeFraction: 0.5,
  edgeRadiusUm: 3,
  seedFactor: 8,
  minAreaUm2: 4,
  maxLumenUm2: 1000,
};

export interface VesselSegmentation {
  readonly mask: BitMask;
  /** For the methods paragraph. */
  readonly method: string;
  readonly options: VesselOptions;
  /**
   * Contrasts over the local background in stored units: the noise's standard deviation, the least that a vessel's
   * pixels and its brightest pixel need, and the threshold above which every pixel is vessel. Thresholds are Infinity,
   * and the mask empty, where nothing rises above the noise.
   */
  readonly found: {
    readonly noise: number;
    readonly faint: number;
    readonly seed: number;
    readonly threshold: number;
    /**
     * Share of the tissue at the stain's lowest value. From a half on the noise is not seen, NaN, and one threshold says what
     * is vessel.
     */
    readonly lowestShare: number;
  };
}

export interface VesselInput extends StainInput {
  readonly options?: Partial<VesselOptions>;
}

const method =
  'contrast over the local background (median of cell quantiles); threshold by Otsu (1979) on the logarithm of ' +
  'the contrasts above the noise; fainter vessels bounded at half their own brightness; hysteresis at multiples of ' +
  'the noise (Canny 1986); small lumens filled';

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
  const { source, channel, pixelSizeUm } = input;
  const { width, height } = source;
  const options = { ...defaultVesselOptions, ...input.options };
  const { smoothingUm } = options;
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
  const samples = await sampleContrasts(input, background, smoothingUm, 'fitting vessel thresholds', work);
  const found = fitThresholds(samples, options);
  const mask = new BitMask(width, height);
  const seeds = new BitMask(width, height);
  if (found.threshold < Infinity) {
    const bytes = new Uint8Array(width);
    const { edgeRadiusUm, edgeFraction } = options;
    const { faint, seed } = found;
    const rows = contrastRows(input, background, smoothingUm, edgeRadiusUm, 'finding vessels', work);
    for await (const { y, contrast, peak } of rows) {
      for (let x = 0; x < width; x++)
        bytes[x] = Number(contrast[x] > Math.min(found.threshold, Math.max(faint, edgeFraction * peak[x])));
      mask.writeRow(y, bytes);
      for (let x = 0; x < width; x++) bytes[x] = Number(contrast[x] > seed);
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

/** More of the tissue than this at the stain's lowest value: the background was cut off there. */
const cutOffShare = 0.02;
/** From this share on, no noise is left to be seen. */
export const hiddenShare = 0.5;
/** Then contrasts below this part of the brightest are what smoothing makes of single pixels. */
const leastOfBrightest = 0.02;

function fitThresholds(
  { sorted, lowestShare }: SampledContrasts,
  options: VesselOptions,
): VesselSegmentation['found'] {
  const nothing = { faint: Infinity, seed: Infinity, threshold: Infinity };
  const none = { noise: Number.NaN, ...nothing, lowestShare };
  if (sorted.length === 0) return none;
  const at = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))];
  if (lowestShare >= hiddenShare) {
    const threshold = otsuOfLogarithms(sorted, leastOfBrightest * at(0.999));
    return { ...none, faint: threshold, seed: threshold, threshold };
  }
  // Below the median there are no vessels: the distance to the 15.9th percentile is one standard deviation of noise. Where that
  // side is cut off it is half of one to the 69.1st, of which vessels are a small part.
  const below = at(0.5) - at(0.1587);
  const noise = lowestShare > cutOffShare ? Math.max(below, 2 * (at(0.6915) - at(0.5))) : below;
  const faint = Math.max(0, at(0.5) + options.noiseFactor * noise);
  const seed = Math.max(0, at(0.5) + options.seedFactor * noise);
  const threshold = otsuOfLogarithms(sorted, faint);
  return threshold < Infinity ? { noise, faint, seed, threshold, lowestShare } : { ...none, noise };
}

/** Infinity where too few contrasts lie above. */
function otsuOfLogarithms(sorted: Float32Array, above: number): number {
  const first = sorted.findIndex((c) => c > Math.max(0, above));
  if (first < 0 || sorted.length - first < fewestSamples) return Infinity;
  const threshold = Math.exp(otsuThreshold(sorted.subarray(first).map(Math.log)));
  return Number.isFinite(threshold) ? threshold : Infinity;
}
