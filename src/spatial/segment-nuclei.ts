// Finds the nuclei of a slide in its nuclear stain, and counts them.
import type { WorkOptions } from '../core/progress.ts';
import { BitMask } from './bit-mask.ts';
import { cleanMask } from './clean-mask.ts';
import { contrastRows, type StainInput, sampleContrasts } from './contrast.ts';
import { GrowingInts } from './growing-ints.ts';
import { estimateBackground } from './local-background.ts';
import { otsuThreshold } from './otsu.ts';

export interface NucleiOptions {
  /** Gaussian before thresholding, standard deviation. */
  readonly smoothingUm: number;
  readonly backgroundCellUm: number;
  readonly backgroundWindowUm: number;
  readonly backgroundQuantile: number;
  readonly minAreaUm2: number;
  readonly maxHoleUm2: number;
  /** Gaussian before nuclei are counted as its local maxima; it must bridge a nucleus, not two. */
  readonly seedSmoothingUm: number;
  /** No two nuclei's centres are nearer than this along an axis. */
  readonly seedRadiusUm: number;
}

const defaultNucleiOptions: NucleiOptions = {
  smoothingUm: 0.7,
  backgroundCellUm: 8,
  backgroundWindowUm: 56,
  backgroundQuantile: 0.05,
  minAreaUm2: 12,
  maxHoleUm2: 20,
  seedSmoothingUm: 1.8,
  seedRadiusUm: 2.8,
};

export interface NucleiSegmentation {
  readonly mask: BitMask;
  /** Centres of the nuclei in pixels, in row order. */
  readonly xs: Int32Array;
  readonly ys: Int32Array;
  readonly method: string;
  readonly options: NucleiOptions;
  /** Contrast over the local background, in stored units; Infinity, and nothing found, on a channel without contrast. */
  readonly found: { readonly threshold: number };
}

export interface NucleiInput extends StainInput {
  readonly options?: Partial<NucleiOptions>;
}

const method =
  'contrast over the local background (median of cell quantiles), threshold by Otsu (1979); nuclei counted as ' +
  'local maxima of the smoothed stain inside it';

/** Segments nuclei. Reads the channel four times; memory is one bit a pixel, a band, and the centres. */
export async function segmentNuclei(input: NucleiInput, work: WorkOptions = {}): Promise<NucleiSegmentation> {
  const { source, channel, pixelSizeUm } = input;
  const { width, height } = source;
  const options = { ...defaultNucleiOptions, ...input.options };
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
  const { smoothingUm } = options;
  const { sorted: samples } = await sampleContrasts(
    input,
    background,
    smoothingUm,
    'fitting the nuclei threshold',
    work,
  );
  const otsu = samples.length > 0 ? otsuThreshold(samples) : Number.NaN;
  const threshold = Number.isFinite(otsu) ? otsu : Infinity;
  const mask = new BitMask(width, height);
  const xs = new GrowingInts();
  const ys = new GrowingInts();
  if (threshold < Infinity) {
    const bytes = new Uint8Array(width);
    const rows = contrastRows(input, background, smoothingUm, 0, 'finding nuclei', work);
    for await (const { y, contrast } of rows) {
      for (let x = 0; x < width; x++) bytes[x] = Number(contrast[x] > threshold);
      mask.writeRow(y, bytes);
    }
    const pixelArea = pixelSizeUm * pixelSizeUm;
    cleanMask(mask, {
      minAreaPx: options.minAreaUm2 / pixelArea,
      maxHolePx: options.maxHoleUm2 / pixelArea,
    });
    const { seedSmoothingUm, seedRadiusUm } = options;
    const seeds = contrastRows(input, background, seedSmoothingUm, seedRadiusUm, 'counting nuclei', work);
    const radius = Math.round(seedRadiusUm / pixelSizeUm);
    // Row of the last centre in each column.
    const lastY = new Int32Array(width).fill(-radius - 1);
    const isTaken = (x: number, y: number): boolean => {
      for (let c = Math.max(0, x - radius); c <= Math.min(width - 1, x + radius); c++)
        if (lastY[c] >= y - radius) return true;
      return false;
    };
    for await (const { y, contrast, peak } of seeds) {
      for (let x = 0; x < width; x++) {
        if (contrast[x] !== peak[x] || !mask.get(x, y)) continue;
        // A flat top has many largest pixels, of which one counts.
        if (isTaken(x, y)) continue;
        lastY[x] = y;
        xs.push(x);
        ys.push(y);
      }
    }
  }
  return { mask, xs: xs.take(), ys: ys.take(), method, options, found: { threshold } };
}
