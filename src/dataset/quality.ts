// How good a slide's channels are: glass background, saturation, focus, shading. Measured on the scan, never corrected.

import { type FieldShading, fitFieldShading } from './field-shading.ts';
import type { StainSamples } from './normalisation.ts';
import type { ChannelScan, SlideScan } from './scan-slide.ts';
import { findRepeatingPattern } from './stitching.ts';
import type { TissueMask } from './tissue-mask.ts';

/** What was measured of one channel; intensities in stored units. */
export interface ChannelQuality {
  readonly name: string;
  /** Median over glass (cells outside the tissue and not blank); null where there is nearly none. */
  readonly background: number | null;
  /** 1st, 50th and 99th percentile of the tissue's 2-um averages. */
  readonly percentiles: readonly [low: number, median: number, high: number];
  /** Largest value, and the share of the tissue's area that is at it. */
  readonly max: number;
  readonly atMaxShare: number;
  readonly notFinitePx: number;
  /**
   * Median over tissue of the von Neumann ratio of 2-um averages in squares of 32 um: half the mean squared
   * difference of neighbours over the variance. 1 for noise; 0.33 to 0.37 in the sharp dextran fields, 0.25 after a
   * Gaussian blur of 1 um, 0.14 after 2 um, 0.09 after 3 um. null where pixels are too large for it.
   */
  readonly sharpness: number | null;
  /** Share of those squares whose ratio is below 0.15; null likewise. */
  readonly blurredShare: number | null;
  /** Shading that repeats with the camera's fields in a stitched slide, along x and y; null where there is none. */
  readonly stitching: { readonly x: StitchingShading | null; readonly y: StitchingShading | null };
  /** Brightness as a smooth surface over the slide, meaningful over several camera fields only; null with few cells. */
  readonly shading: FieldShading | null;
  /** Of the tissue's 2-um averages in `histogramBins` equal bins from `histogramRange[0]` to `[1]`; counts. */
  readonly histogram: readonly number[];
  readonly histogramRange: readonly [number, number];
}

interface StitchingShading {
  readonly periodUm: number;
  /** Brightest over darkest place of the camera's field, minus 1. */
  readonly amplitude: number;
}

/** What is left to compare between slides once their inputs are normalised. */
export interface InputLook {
  /** Where the median lies between the 1st percentile, at 0, and the 99th, at 1: how much of the tissue is stained. */
  readonly median: number;
  /** `ChannelQuality.sharpness` */
  readonly sharpness: number | null;
}

/** The median is 0 for a channel without contrast. */
export function lookOf({ percentiles: [low, median, high], sharpness }: ChannelQuality): InputLook {
  return { median: high > low ? (median - low) / (high - low) : 0, sharpness };
}

const histogramBins = 64;
/** Squares below this are out of focus: as sharp tissue is after a blur of about 2 um. */
const blurredBelow = 0.15;
/** Boxes larger than this (in micrometres) cannot show focus. */
const largestBoxUm = 3;
/** Squares with less variance than this share of the median square hold no structure to judge. */
const minVariance = 0.1;
/** With less glass than this share of the cells, its median is not to be trusted. */
const minGlass = 0.01;
/** Edges of cameras' fields, in micrometres; what repeats more densely is tissue. */
const smallestFieldUm = 200;
const largestFieldUm = 3000;
/** Profiles are taken over bands at least this wide, so that they cross different tissue, and over so many at most. */
const bandUm = 250;
const mostBands = 24;

/** @param samples of each channel over the tissue, in the scan's order */
export function measureQuality(
  scan: SlideScan,
  tissue: TissueMask,
  samples: readonly StainSamples[],
): ChannelQuality[] {
  let tissueCells = 0;
  for (const cell of tissue.cells) tissueCells += cell;
  const tissuePx = tissueCells * scan.cellPx ** 2;
  return scan.channels.map((channel, c) => {
    const sorted = samples[c].values.slice().sort();
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
    const background = glassLevel(scan, tissue, channel);
    const floor = background ?? at(0.001);
    const range: [number, number] = [Math.min(at(0), floor), at(0.999)];
    return {
      name: channel.name,
      background,
      percentiles: [at(0.01), at(0.5), at(0.99)],
      max: channel.max,
      atMaxShare: channel.max > channel.min ? atMaxIn(tissue, channel) / tissuePx : 0,
      notFinitePx: channel.notFinitePx,
      ...focus(scan, tissue, channel),
      stitching: {
        x: stitchingAlong(scan, tissue, channel, floor, 'x'),
        y: stitchingAlong(scan, tissue, channel, floor, 'y'),
      },
      shading: fitFieldShading(scan, tissue, channel, floor),
      histogram: histogram(sorted, range),
      histogramRange: range,
    };
  });
}

/** Tissue pixels that have the channel's largest value. */
function atMaxIn({ cells }: TissueMask, { cellAtMax }: ChannelScan): number {
  let sum = 0;
  for (let i = 0; i < cells.length; i++) if (cells[i] === 1) sum += cellAtMax[i];
  return sum;
}

function glassLevel({ blank }: SlideScan, { cells }: TissueMask, { cellMean }: ChannelScan): number | null {
  const found = new Float32Array(cells.length);
  let count = 0;
  for (let i = 0; i < cells.length; i++) {
    if (cells[i] === 0 && blank[i] === 0 && !Number.isNaN(cellMean[i])) found[count++] = cellMean[i];
  }
  const glass = found.subarray(0, count).sort();
  return glass.length >= Math.max(16, minGlass * cells.length) ? glass[glass.length >> 1] : null;
}

function focus(
  scan: SlideScan,
  tissue: TissueMask,
  { areaSum, areaSquares, areaCount, areaStep, areaSteps }: ChannelScan,
): { sharpness: number | null; blurredShare: number | null } {
  if (scan.boxPx * scan.pixelSizeUm > largestBoxUm) return { sharpness: null, blurredShare: null };
  const squares: { ratio: number; variance: number }[] = [];
  const cellsPerArea = scan.areaPx / scan.cellPx;
  for (let row = 0, i = 0; row < scan.areasHigh; row++) {
    for (let column = 0; column < scan.areasWide; column++, i++) {
      if (!isTissue(tissue, column * cellsPerArea, row * cellsPerArea, cellsPerArea)) continue;
      const variance = areaSquares[i] / areaCount[i] - (areaSum[i] / areaCount[i]) ** 2;
      if (variance > 1e-9 * areaSquares[i]) {
        squares.push({ ratio: areaStep[i] / areaSteps[i] / (2 * variance), variance });
      }
    }
  }
  const typical = median(squares.map(({ variance }) => variance));
  const ratios = squares
    .filter(({ variance }) => variance >= minVariance * typical)
    .map(({ ratio }) => ratio);
  if (ratios.length === 0) return { sharpness: null, blurredShare: null };
  return {
    sharpness: median(ratios),
    blurredShare: ratios.filter((ratio) => ratio < blurredBelow).length / ratios.length,
  };
}

/** Whether a square of cells lies wholly inside the tissue. */
function isTissue(
  { cells, cellsWide, cellsHigh }: TissueMask,
  column: number,
  row: number,
  size: number,
): boolean {
  if (column + size > cellsWide || row + size > cellsHigh) return false;
  for (let y = row; y < row + size; y++) {
    for (let x = column; x < column + size; x++) if (cells[y * cellsWide + x] === 0) return false;
  }
  return true;
}

function stitchingAlong(
  scan: SlideScan,
  { cells, cellsWide, cellsHigh }: TissueMask,
  { cellMean }: ChannelScan,
  floor: number,
  axis: 'x' | 'y',
): StitchingShading | null {
  const length = axis === 'x' ? cellsWide : cellsHigh;
  const across = axis === 'x' ? cellsHigh : cellsWide;
  const cellUm = scan.cellPx * scan.pixelSizeUm;
  const bands = Math.max(1, Math.min(mostBands, Math.floor((across * cellUm) / bandUm)));
  const sums = Array.from({ length: bands }, () => new Float64Array(length));
  const counts = Array.from({ length: bands }, () => new Float64Array(length));
  for (let row = 0, i = 0; row < cellsHigh; row++) {
    for (let column = 0; column < cellsWide; column++, i++) {
      if (cells[i] === 0 || Number.isNaN(cellMean[i])) continue;
      const [at, side] = axis === 'x' ? [column, row] : [row, column];
      const band = Math.min(bands - 1, Math.floor((side * bands) / across));
      sums[band][at] += cellMean[i] - floor;
      counts[band][at]++;
    }
  }
  const profiles = sums.map((sum, band) =>
    sum.map((total, at) =>
      counts[band][at] > 0 && total > 0 ? Math.log(total / counts[band][at]) : Number.NaN,
    ),
  );
  const found = findRepeatingPattern(profiles, smallestFieldUm / cellUm, largestFieldUm / cellUm);
  return found === undefined ? null : { periodUm: found.period * cellUm, amplitude: found.amplitude };
}

function histogram(sorted: Float32Array, [from, to]: readonly [number, number]): number[] {
  const counts = new Array<number>(histogramBins).fill(0);
  for (let i = 0; i < sorted.length; i++) {
    const bin = to > from ? Math.floor(((sorted[i] - from) / (to - from)) * histogramBins) : 0;
    counts[Math.max(0, Math.min(histogramBins - 1, bin))]++;
  }
  return counts;
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
