// Affine maps between stored intensities and the values that a network sees.
import { DataError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { quantile } from '../core/quantile.ts';
import { type FocusSpectrum, focusChange, measureFocus } from './focus.ts';
import { type SlideScan, scanSlide } from './scan-slide.ts';
import { findTissue, type TissueMask } from './tissue-mask.ts';

/** normalised = (stored - offset) / scale; stored = normalised * scale + offset. The scale is positive. */
export interface AffineMap {
  readonly offset: number;
  readonly scale: number;
}

export const identityMap: AffineMap = { offset: 0, scale: 1 };

/** The percentile of the tissue's 2-um averages that an input's map sends to 1 on a typical training slide. */
const brightPercentile = 99;
/** Half-sample modes stop at this share of the samples: what is left lies within the noise. */
const modeShare = 0.05;
/** Edge of the blocks whose sums are taken, in micrometres, and the share of them that is left out. */
const blockUm = 128;
const brightestBlocks = 0.05;

/** Averages of one channel over the tissue. */
export interface StainSamples {
  /** Block after block. */
  readonly values: Float32Array;
  /** Of each block of the slide that holds any, as views of `values`. */
  readonly blocks: readonly Float32Array[];
}

/** The finite box averages that lie in tissue, of each scanned channel. */
export function tissueSamples(scan: SlideScan, tissue: TissueMask): StainSamples[] {
  return scan.channels.map(({ samples }) => inTissue(scan, tissue, samples));
}

/** What the intensities of one input are like, in stored units. */
export interface StainFit {
  /** Of tissue without stain: what most of the darker half is like. */
  readonly background: number;
  /** A typical brightness of what is stained, above the background. */
  readonly brightness: number;
  /** Of the brightest tissue, above the background. */
  readonly range: number;
}

/**
 * Fits one input of a slide, or of several fields of one: a fit for each would make a field with much stain look like one
 * with little; as they were recorded at one exposure, their intensities can be compared.
 *
 * The background is a mode, for the darkest tissue is where glass shines through: how dark that is depends on holes and
 * edges, not on the stain. With c the signal above it, the brightness is (sum c^2 / sum c^1.5)^2, in which the tissue
 * without stain cancels. A percentile would not do: with half as many vessels the 99th falls by a third. The blocks with
 * the greatest sums are left out: folds and dust are few and very bright.
 * @param fields of the training split only
 * @param where for the message
 * @throws DataError when the channel has one value over nearly all of the tissue
 */
export function fitStain(fields: readonly StainSamples[], channel: string, where: string): StainFit {
  const sorted = new Float32Array(fields.reduce((total, { values }) => total + values.length, 0));
  let at = 0;
  for (const { values } of fields) {
    sorted.set(values, at);
    at += values.length;
  }
  sorted.sort();
  const background = halfSampleMode(sorted.subarray(0, Math.ceil(sorted.length / 2)));
  const range = quantile(sorted, brightPercentile / 100) - background;
  const blocks = fields.flatMap(({ blocks }) => blocks.map((block) => stainSums(block, background)));
  blocks.sort((a, b) => b.squares - a.squares);
  const kept = blocks.slice(Math.floor(brightestBlocks * blocks.length));
  const total = (sum: 'squares' | 'powers'): number => kept.reduce((all, block) => all + block[sum], 0);
  const brightness = (total('squares') / total('powers')) ** 2;
  if (!(brightness > 0 && range > 0)) {
    throw new DataError(
      `${where}: channel '${channel}' is constant over the tissue (value ${background}), so it cannot be ` +
        'normalised or learned from. Expected a stain; check the channel given with --role.',
    );
  }
  return { background, brightness, range };
}

/**
 * The brightness that becomes 1, as a multiple of the typical one: such that on training slides the brightest tissue does,
 * for networks learn slowly from inputs of very different sizes. Geometric mean over slides.
 */
export function stainReach(training: readonly StainFit[]): number {
  const logs = training.map(({ brightness, range }) => Math.log(range / brightness));
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

/** @param reach as `stainReach` */
export function stainMap({ background, brightness }: StainFit, reach: number): AffineMap {
  return { offset: background, scale: reach * brightness };
}

/** Sums of c^2 and c^1.5 over the values above the background. */
function stainSums(block: Float32Array, background: number): { squares: number; powers: number } {
  let [squares, powers] = [0, 0];
  for (const value of block) {
    const c = value - background;
    if (c <= 0) continue;
    squares += c * c;
    powers += c * Math.sqrt(c);
  }
  return { squares, powers };
}

/**
 * What `predict` needs of a new slide before its first tile: its tissue and the maps and focus of its inputs.
 * @param channels indices of the inputs, in the order of the model's roles
 * @param model reaches and spectra, one a role
 * @returns focus: what brings each input to the model's (`focusChange`); null where the model has one and the slide's is not known
 * @throws DataError for a slide without tissue or with a constant input
 */
export async function fitInputs(
  source: PixelSource,
  channels: readonly number[],
  { reaches, spectra }: { reaches: readonly number[]; spectra: readonly (FocusSpectrum | null)[] },
  pixelSizeUm: number,
  work: WorkOptions = {},
): Promise<{ maps: AffineMap[]; focus: (number | null)[]; scan: SlideScan; tissue: TissueMask }> {
  const scan = await scanSlide(source, { inputs: channels }, pixelSizeUm, work);
  const tissue = findTissue(scan, channels.length, source.path);
  const maps = tissueSamples(scan, tissue).map((samples, i) =>
    stainMap(fitStain([samples], scan.channels[i].name, source.path), reaches[i]),
  );
  const own = spectra.every((spectrum) => spectrum === null)
    ? spectra
    : await measureFocus(source, channels, tissue, work.signal);
  const focus = own.map((spectrum, i) =>
    spectrum === null && spectra[i] !== null ? null : focusChange(spectrum, spectra[i]),
  );
  return { maps, focus, scan, tissue };
}

/** Of the finite pixels of one channel inside the tissue; `squares` sums their squared deviations from the mean. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
}

/** Moments of several sets of pixels together; mean NaN where there are none. */
function poolMoments(parts: readonly Moments[]): Moments {
  const count = parts.reduce((total, part) => total + part.count, 0);
  const mean =
    parts.reduce((total, part) => total + (part.count > 0 ? part.mean * part.count : 0), 0) / count;
  const squares = parts.reduce(
    (total, part) => total + (part.count > 0 ? part.squares + part.count * (part.mean - mean) ** 2 : 0),
    0,
  );
  return { count, mean, squares };
}

/** Moments of the target (a scanned channel) over the tissue's pixels at full resolution. */
export function tissueMoments(scan: SlideScan, tissue: TissueMask, channel: number): Moments {
  const { cellMean, cellSquares, cellCount } = scan.channels[channel];
  const counts = (i: number): boolean => tissue.cells[i] === 1 && cellCount[i] > 0;
  let count = 0;
  let sum = 0;
  for (let i = 0; i < tissue.cells.length; i++) {
    if (!counts(i)) continue;
    count += cellCount[i];
    sum += cellCount[i] * cellMean[i];
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < tissue.cells.length; i++) {
    if (counts(i)) squares += cellSquares[i] + cellCount[i] * (cellMean[i] - mean) ** 2;
  }
  return { count, mean, squares };
}

/**
 * The target's map: mean and standard deviation over the tissue pixels of the training slides together.
 * @throws DataError when the target is constant there
 */
export function targetMap(slides: readonly Moments[], channel: string): AffineMap {
  const { count, mean: offset, squares } = poolMoments(slides);
  const variance = squares / count;
  if (!(variance > 1e-12 * offset * offset)) {
    throw new DataError(
      `the target channel '${channel}' is constant over the tissue of the training slides (value ${offset}): ` +
        'there is nothing to learn. Expected the probe; check --role probe=CHANNEL.',
    );
  }
  return { offset, scale: Math.sqrt(variance) };
}

function inTissue(scan: SlideScan, tissue: TissueMask, samples: Float32Array): StainSamples {
  const { samplesWide, samplesHigh } = scan;
  const spacingPx = scan.sampleEvery * scan.boxPx;
  const edge = Math.max(1, Math.round(blockUm / (spacingPx * scan.pixelSizeUm)));
  const values = new Float32Array(samples.length);
  const blocks: Float32Array[] = [];
  let n = 0;
  for (let top = 0; top < samplesHigh; top += edge) {
    for (let left = 0; left < samplesWide; left += edge) {
      const start = n;
      for (let row = top; row < Math.min(samplesHigh, top + edge); row++) {
        const cellRow = Math.floor((row * spacingPx) / scan.cellPx) * scan.cellsWide;
        for (let column = left; column < Math.min(samplesWide, left + edge); column++) {
          const value = samples[row * samplesWide + column];
          const isTissue = tissue.cells[cellRow + Math.floor((column * spacingPx) / scan.cellPx)] === 1;
          if (isTissue && !Number.isNaN(value)) values[n++] = value;
        }
      }
      if (n > start) blocks.push(values.subarray(start, n));
    }
  }
  return { values: values.subarray(0, n), blocks };
}

/**
 * The value around which values lie most densely (Robertson and Cryer 1974): the narrowest interval that holds half of
 * them, of those in it again, and so on; the middle one of the last. NaN for no values.
 */
function halfSampleMode(sorted: Float32Array): number {
  let [start, length] = [0, sorted.length];
  while (length > 2 && length > modeShare * sorted.length) {
    const half = Math.ceil(length / 2);
    let narrowest = start;
    const widthAt = (i: number): number => sorted[i + half - 1] - sorted[i];
    for (let i = start + 1; i + half <= start + length; i++) {
      if (widthAt(i) < widthAt(narrowest)) narrowest = i;
    }
    [start, length] = [narrowest, half];
  }
  return sorted[start + (length >> 1)] ?? Number.NaN;
}
