// Finds tissue against empty glass on the low-resolution scan of a slide.
import { DataError } from '../core/errors.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { cleanMask } from '../spatial/clean-mask.ts';
import { smooth } from '../spatial/gaussian.ts';
import { otsuThreshold } from '../spatial/otsu.ts';
import type { ChannelScan, SlideScan } from './scan-slide.ts';

/** Tissue of a slide on a coarse grid; cell (column, row) covers pixels from (column, row) * cellPx on. */
export interface TissueMask {
  readonly cellPx: number;
  readonly cellsWide: number;
  readonly cellsHigh: number;
  /** 1 tissue, 0 not; row-major [cellsHigh * cellsWide]. */
  readonly cells: Uint8Array;
}

/** Smoothing before the threshold, in micrometres: bridges the dark between nuclei. */
const smoothingUm = 16;
/** Tissue is what exceeds this share of the tissue's typical signal above the darkest of the slide. */
const tissueShare = 0.2;
/** Largest hole that is filled, in square micrometres (a disc of 560 um), unless it is a gap: dark tissue is tissue. */
const maxHoleUm2 = 250_000;
/**
 * Tears and holes: smoothing before their threshold, for they have sharp edges; the smallest that are cut out (a
 * square of 45 um: nuclei are seldom that far apart); and the share of the typical signal that a gap must fall below somewhere: a necrosis is dark,
 * but not as dark as glass.
 */
const gapSmoothingUm = 5;
const minGapUm2 = 2000;
const glassShare = 0.06;
/** Smallest island kept, in square micrometres (a square of 50 um); dust on the glass is smaller. */
const minIslandUm2 = 2500;
/**
 * Between-cell variance over what independent pixel noise would leave of it. White noise gives 1, noise as
 * correlated as in a JPEG up to about 2; the five dextran fields give 54 to 90.
 */
const minStructure = 3;
/** With fewer cells than this nothing can be told from a histogram, and all that is not blank is tissue. */
const minCells = 64;

/**
 * The tissue of a slide from all of its input channels: their cell averages, each scaled to its own range, are
 * summed and smoothed; tissue is what exceeds 20% of the typical tissue signal (the median of Otsu's upper class)
 * above the darkest of the slide. A slide that is tissue everywhere stays so: Otsu only finds the level, it does
 * not cut. Dark pieces inside stay tissue but for tears and holes, which are as dark as glass. Cells whose inputs are all zero are never tissue, as in the published pipeline.
 * @param inputs how many of the scan's first channels are inputs; @param slide its path, for messages
 * @throws DataError when the inputs hold nothing but zeros, a constant, or noise
 */
export function findTissue(scan: SlideScan, inputs: number, slide: string): TissueMask {
  const { cellPx, cellsWide, cellsHigh, pixelSizeUm, blank } = scan;
  const usable = usableCells(blank);
  const channels = scan.channels.slice(0, inputs);
  const names = channels.map((channel) => `'${channel.name}'`).join(', ');
  if (usable.length === 0) {
    throw new DataError(
      `${slide} holds no tissue: every pixel of its input channels ${names} is zero or no finite number. ` +
        'Expected a stained section; check the file, or leave the slide out.',
    );
  }
  const cells = new Uint8Array(cellsWide * cellsHigh);
  if (usable.length < minCells) {
    for (const i of usable) cells[i] = 1;
    return { cellPx, cellsWide, cellsHigh, cells };
  }
  const structured = withStructure(channels, usable);
  if (structured.length === 0) {
    throw new DataError(
      `${slide} holds no tissue: its input channels ${names} are constant or hold nothing but noise. ` +
        'Expected a stained section; check the file and the channels given with --role, or leave the slide out.',
    );
  }
  const cellUm = cellPx * pixelSizeUm;
  const sum = scaledSum(structured, usable);
  const signal = smooth(sum, cellsWide, cellsHigh, smoothingUm / cellUm);
  const roots = new Float64Array(usable.length);
  for (let k = 0; k < usable.length; k++) roots[k] = Math.sqrt(signal[usable[k]]);
  roots.sort();
  const split = otsuThreshold(roots);
  let upper = 0;
  while (upper < roots.length && !(roots[upper] > split)) upper++;
  if (upper === roots.length) upper = 0;
  const typical = roots[upper + ((roots.length - upper) >> 1)] ** 2;
  for (const i of usable) if (signal[i] > tissueShare * typical) cells[i] = 1;

  const mask = BitMask.fromBytes(cells, cellsWide, cellsHigh);
  cleanMask(mask, { minAreaPx: minIslandUm2 / cellUm ** 2, maxHolePx: maxHoleUm2 / cellUm ** 2 });
  cutGaps(mask, smooth(sum, cellsWide, cellsHigh, gapSmoothingUm / cellUm), typical, cellUm);
  const cleaned = mask.toBytes();
  for (let i = 0; i < cleaned.length; i++) if (blank[i] === 1) cleaned[i] = 0;
  if (!cleaned.includes(1)) {
    throw new DataError(
      `${slide} holds no piece of tissue of at least ${minIslandUm2} square micrometres. ` +
        'Check its pixel size and channels, or leave the slide out.',
    );
  }
  return { cellPx, cellsWide, cellsHigh, cells: cleaned };
}

/**
 * 1 in cells of the tissue that are neither glass nor beside it: what is measured at the tissue's dark end must not come
 * from glass. Glass is what lies outside the tissue, or is as dark as it in all inputs: holes too small to be cut out.
 * @param inputs, mask as `findTissue` was given and gave them
 */
export function solidCells(scan: SlideScan, inputs: number, mask: TissueMask): Uint8Array {
  const { cellsWide, cellsHigh, cells } = mask;
  const usable = usableCells(scan.blank);
  const structured = withStructure(scan.channels.slice(0, inputs), usable);
  if (structured.length === 0) return cells;
  const signal = scaledSum(structured, usable);
  const inTissue = new Float32Array(signal.length);
  let count = 0;
  for (let i = 0; i < cells.length; i++) if (cells[i] === 1) inTissue[count++] = signal[i];
  const dark = glassShare * inTissue.subarray(0, count).sort()[count >> 1];
  const isGlass = new Uint8Array(cells.length);
  for (let i = 0; i < cells.length; i++) isGlass[i] = cells[i] === 0 || signal[i] < dark ? 1 : 0;
  const solid = new Uint8Array(cells.length);
  for (let y = 0; y < cellsHigh; y++)
    for (let x = 0; x < cellsWide; x++) {
      let glass = 0;
      for (let v = Math.max(0, y - 1); v <= Math.min(cellsHigh - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(cellsWide - 1, x + 1); u++)
          glass += isGlass[v * cellsWide + u];
      solid[y * cellsWide + x] = glass === 0 ? 1 : 0;
    }
  // Tissue that is nothing but edge.
  return solid.includes(1) ? solid : cells;
}

/** Takes tears and holes out of the tissue. */
function cutGaps(mask: BitMask, signal: Float32Array, typical: number, cellUm: number): void {
  const below = (share: number): BitMask => {
    const bytes = new Uint8Array(signal.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = signal[i] < share * typical ? 1 : 0;
    return BitMask.fromBytes(bytes, mask.width, mask.height);
  };
  const gaps = below(tissueShare);
  cleanMask(gaps, { minAreaPx: minGapUm2 / cellUm ** 2, maxHolePx: 0 }, below(glassShare));
  const row = new Uint8Array(mask.width);
  for (let y = 0; y < mask.height; y++) {
    gaps.readRow(y, row);
    for (let x = 0; x < mask.width; x++) if (row[x] === 1) mask.fillRun(y, x, x + 1, false);
  }
}

/** Tissue area in square millimetres; cells that reach over the slide's edge count with their part inside. */
export function tissueAreaMm2(mask: TissueMask, scan: SlideScan): number {
  const { cellPx, cellsWide, cells } = mask;
  let areaPx = 0;
  for (let i = 0; i < cells.length; i++) {
    if (cells[i] === 0) continue;
    const x = (i % cellsWide) * cellPx;
    const y = Math.floor(i / cellsWide) * cellPx;
    areaPx += Math.min(cellPx, scan.widthPx - x) * Math.min(cellPx, scan.heightPx - y);
  }
  return (areaPx * scan.pixelSizeUm ** 2) / 1e6;
}

/**
 * Indices of the cells that are not blank. A gigapixel has six million cells: typed arrays and plain loops, for `from`
 * and `filter` take minutes on as many.
 */
function usableCells(blank: Uint8Array): Int32Array {
  const all = new Int32Array(blank.length);
  let count = 0;
  for (let i = 0; i < blank.length; i++) if (blank[i] === 0) all[count++] = i;
  return all.subarray(0, count);
}

/** The channels that hold more than noise. */
function withStructure(channels: readonly ChannelScan[], usable: Int32Array): ChannelScan[] {
  return channels.filter((channel) => structure(channel, usable) >= minStructure);
}

/** Variance between cells over the variance that their pixels' spread would leave if pixels were independent. */
function structure(channel: ChannelScan, usable: Int32Array): number {
  let total = 0;
  let squares = 0;
  let within = 0;
  let n = 0;
  for (const i of usable) {
    const count = channel.cellCount[i];
    if (count === 0) continue;
    const mean = channel.cellMean[i];
    total += mean;
    squares += mean * mean;
    within += channel.cellSquares[i] / count / count;
    n++;
  }
  if (n === 0) return 0;
  const between = squares / n - (total / n) ** 2;
  // A channel that is constant inside cells but not between them, such as a mask, has all the structure there is.
  if (within === 0) return between > 1e-12 * (squares / n) ? Number.POSITIVE_INFINITY : 0;
  return between / (within / n);
}

/** Sum over channels of (average - 0.5th percentile) / (99th - 0.5th), clipped to 0..1, one a cell. */
function scaledSum(channels: readonly ChannelScan[], usable: Int32Array): Float32Array {
  const sum = new Float32Array(channels[0].cellMean.length);
  for (const { cellMean: means } of channels) {
    const values = new Float32Array(usable.length);
    let count = 0;
    for (let k = 0; k < usable.length; k++) {
      const mean = means[usable[k]];
      if (!Number.isNaN(mean)) values[count++] = mean;
    }
    const sorted = values.subarray(0, count).sort();
    const low = sorted[Math.floor(0.005 * (sorted.length - 1))];
    const high = sorted[Math.floor(0.99 * (sorted.length - 1))];
    if (high <= low) continue;
    for (let k = 0; k < usable.length; k++) {
      const mean = means[usable[k]];
      if (!Number.isNaN(mean)) sum[usable[k]] += Math.min(1, Math.max(0, (mean - low) / (high - low)));
    }
  }
  return sum;
}
