// Affine maps between stored intensities and the values that a network sees.
import { DataError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { type SlideScan, scanSlide } from './scan-slide.ts';
import { findTissue, type TissueMask } from './tissue-mask.ts';

/** normalised = (stored - offset) / scale; stored = normalised * scale + offset. The scale is positive. */
export interface AffineMap {
  readonly offset: number;
  readonly scale: number;
}

export const identityMap: AffineMap = { offset: 0, scale: 1 };

/** Percentiles of the tissue's 2-um averages that an input's map sends to 0 and 1. */
const lowPercentile = 1;
const highPercentile = 99;

/**
 * One robust map per input, fitted on the slide's own tissue: the 1st percentile of its 2-um box averages goes to
 * 0, the 99th to 1. Averages, so that noise and the pyramid do not enter.
 * @throws DataError when a channel has one value over nearly all of the tissue
 */
export function inputMaps(scan: SlideScan, tissue: TissueMask, inputs: number, slide: string): AffineMap[] {
  return tissueSamples(scan, tissue)
    .slice(0, inputs)
    .map((samples, i) => fitMap([samples], scan.channels[i].name, slide));
}

/** The finite box averages that lie in tissue, one array a scanned channel, in no order that matters. */
export function tissueSamples(scan: SlideScan, tissue: TissueMask): Float32Array[] {
  return scan.channels.map(({ samples }) => inTissue(scan, tissue, samples));
}

/**
 * One map for one input role over several fields of one slide. A map for each field would make a field with much
 * stain look like one with little; as they were recorded at one exposure, their intensities can be compared.
 * @param fields of the training split only
 * @param where for the message
 * @throws DataError when the channel has one value over nearly all of the tissue
 */
export function fitMap(fields: readonly Float32Array[], channel: string, where: string): AffineMap {
  const sorted = new Float32Array(fields.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const field of fields) {
    sorted.set(field, at);
    at += field.length;
  }
  sorted.sort();
  const offset = percentile(sorted, lowPercentile);
  const scale = percentile(sorted, highPercentile) - offset;
  if (!(scale > 0)) {
    throw new DataError(
      `${where}: channel '${channel}' is constant over the tissue (value ${offset}), so it cannot be ` +
        'normalised or learned from. Expected a stain; check the channel given with --role.',
    );
  }
  return { offset, scale };
}

/**
 * What `predict` needs of a new slide before its first tile: its tissue and the maps of its inputs.
 * @param channels indices of the inputs, in the order of the model's roles
 * @throws DataError for a slide without tissue or with a constant input
 */
export async function fitInputMaps(
  source: PixelSource,
  channels: readonly number[],
  pixelSizeUm: number,
  work: WorkOptions = {},
): Promise<{ maps: AffineMap[]; scan: SlideScan; tissue: TissueMask }> {
  const scan = await scanSlide(source, { inputs: channels }, pixelSizeUm, work);
  const tissue = findTissue(scan, channels.length, source.path);
  return { maps: inputMaps(scan, tissue, channels.length, source.path), scan, tissue };
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

function inTissue(scan: SlideScan, tissue: TissueMask, samples: Float32Array): Float32Array {
  const spacingPx = scan.sampleEvery * scan.boxPx;
  const kept = new Float32Array(samples.length);
  let n = 0;
  for (let row = 0; row < scan.samplesHigh; row++) {
    const cellRow = Math.floor((row * spacingPx) / scan.cellPx) * scan.cellsWide;
    for (let column = 0; column < scan.samplesWide; column++) {
      const value = samples[row * scan.samplesWide + column];
      const isTissue = tissue.cells[cellRow + Math.floor((column * spacingPx) / scan.cellPx)] === 1;
      if (isTissue && !Number.isNaN(value)) kept[n++] = value;
    }
  }
  return kept.subarray(0, n);
}

/** Linear interpolation between order statistics, as NumPy's default. NaN for no values. */
function percentile(sorted: Float32Array, percent: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}
