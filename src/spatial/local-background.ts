// The slowly varying background of a channel, on a coarse grid of cells over the slide.
import type { PixelSource } from '../core/pixel-source.ts';
import { bandsOf, rowsPerBand } from './bands.ts';
import { reflect, smooth } from './gaussian.ts';

export interface BackgroundOptions {
  /** Edge of a cell; the background cannot follow anything finer. */
  readonly cellUm: number;
  /** Edge of the window whose median is taken; structures narrower than half of it do not raise it. */
  readonly windowUm: number;
  /** Which quantile of a cell's pixels stands for its background, 0 to 1. */
  readonly quantile: number;
}

/** Background intensities in stored units, on cell centres, interpolated between them. */
export class LocalBackground {
  readonly #grid: Float32Array;
  readonly #columns: number;
  readonly #rows: number;
  readonly #cellPx: number;

  constructor(grid: Float32Array, columns: number, rows: number, cellPx: number) {
    this.#grid = grid;
    this.#columns = columns;
    this.#rows = rows;
    this.#cellPx = cellPx;
  }

  /** Background of the pixels of row y, bilinear between cell centres, constant beyond the outermost ones. */
  row(y: number, out: Float32Array): void {
    const [top, bottom, down] = place(y, this.#cellPx, this.#rows);
    for (let x = 0; x < out.length; x++) {
      const [left, right, across] = place(x, this.#cellPx, this.#columns);
      const upper = this.#mix(top, left, right, across);
      out[x] = upper + down * (this.#mix(bottom, left, right, across) - upper);
    }
  }

  #mix(row: number, left: number, right: number, across: number): number {
    const a = this.#grid[row * this.#columns + left];
    return a + across * (this.#grid[row * this.#columns + right] - a);
  }
}

/** The two cells around a pixel and how far between their centres it lies. */
function place(pixel: number, cellPx: number, cells: number): [number, number, number] {
  const at = Math.max(0, Math.min(cells - 1, (pixel + 0.5) / cellPx - 0.5));
  const first = Math.floor(at);
  return [first, Math.min(cells - 1, first + 1), at - first];
}

// A cell's quantile from at most 16 x 16 of its pixels: enough for a background, and independent of pixel size.
const maxSamplesPerEdge = 16;

/**
 * Estimates the background of a channel: a low quantile of each cell's pixels, the median of those over a
 * window (so that vessels, even dense ones, do not raise it), then a Gaussian of one cell. Streams the channel once.
 */
export async function estimateBackground(
  source: PixelSource,
  channel: number,
  pixelSizeUm: number,
  options: BackgroundOptions,
  signal?: AbortSignal,
): Promise<LocalBackground> {
  const { width, height } = source;
  const cellPx = Math.max(1, Math.round(options.cellUm / pixelSizeUm));
  const columns = Math.ceil(width / cellPx);
  const rows = Math.ceil(height / cellPx);
  const grid = new Float32Array(columns * rows);
  const step = Math.max(1, Math.ceil(cellPx / maxSamplesPerEdge));
  const values = new Float32Array(Math.ceil(cellPx / step) ** 2);
  // Bands end where cells end, so that no cell is cut.
  const bandRows = cellPx * Math.max(1, Math.floor(rowsPerBand(width, 1) / cellPx));
  for await (const band of bandsOf(source, [channel], { rows: bandRows, signal })) {
    for (let top = 0; top < band.height; top += cellPx) {
      for (let column = 0; column < columns; column++) {
        let n = 0;
        const right = Math.min(width, (column + 1) * cellPx);
        for (let y = top; y < Math.min(band.height, top + cellPx); y += step)
          for (let x = column * cellPx; x < right; x += step) {
            const value = band.raster.data[y * width + x];
            if (Number.isFinite(value)) values[n++] = value;
          }
        const cell = values.subarray(0, n).sort();
        grid[((band.y + top) / cellPx) * columns + column] =
          n === 0 ? Number.NaN : cell[Math.floor(options.quantile * (n - 1))];
      }
    }
  }
  const radius = Math.max(0, Math.round((options.windowUm / options.cellUm - 1) / 2));
  const median = medianFilter(grid, columns, rows, radius);
  return new LocalBackground(smoothKnown(median, columns, rows), columns, rows, cellPx);
}

/** Gaussian of one cell over the cells that are known (normalised convolution); 0 where none is near. */
function smoothKnown(grid: Float32Array, columns: number, rows: number): Float32Array {
  if (!grid.some(Number.isNaN)) return smooth(grid, columns, rows, 1);
  const values = smooth(
    grid.map((value) => (Number.isNaN(value) ? 0 : value)),
    columns,
    rows,
    1,
  );
  const weights = smooth(
    grid.map((value) => (Number.isNaN(value) ? 0 : 1)),
    columns,
    rows,
    1,
  );
  return values.map((value, i) => (weights[i] > 0 ? value / weights[i] : 0));
}

/** Cells without a finite pixel, NaN, count for nothing; NaN where the window holds no other. */
function medianFilter(grid: Float32Array, columns: number, rows: number, radius: number): Float32Array {
  const out = new Float32Array(grid.length);
  const window = new Float32Array((2 * radius + 1) ** 2);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      let n = 0;
      for (let dy = -radius; dy <= radius; dy++) {
        const row = reflect(y + dy, rows) * columns;
        for (let dx = -radius; dx <= radius; dx++) {
          const value = grid[row + reflect(x + dx, columns)];
          if (!Number.isNaN(value)) window[n++] = value;
        }
      }
      out[y * columns + x] = n === 0 ? Number.NaN : window.subarray(0, n).sort()[(n - 1) >> 1];
    }
  }
  return out;
}
