// The exact Euclidean distance from every pixel to the nearest pixel of a mask, for any rows of a slide.
import type { BitMask } from './bit-mask.ts';

/**
 * Exact distances by the two-phase method of Meijster, Roerdink and Hesselink (2000): vertical distances, then
 * the lower envelope of parabolas along each row. All arithmetic is on integers that doubles hold exactly.
 *
 * Distances go from the centre of a pixel to the centre of the nearest mask pixel, as in SciPy's
 * distance_transform_edt(~mask): 0 on the mask, one pixel edge beside it. `wallDistanceUm` makes of them distances to
 * the wall itself, the line between mask and not-mask.
 *
 * Rows can be asked for in any order. Beside the mask it keeps two numbers a column for every 512 rows, so a
 * slide's memory is that of its mask.
 */
export class DistanceMap {
  readonly #mask: BitMask;
  /** Nearest mask row at or above / at or below the first row of each block, per column; -1 where none. */
  readonly #above: Int32Array[] = [];
  readonly #below: Int32Array[] = [];
  readonly #bytes: Uint8Array;
  readonly #empty: boolean;

  constructor(mask: BitMask) {
    const { width, height } = mask;
    this.#mask = mask;
    this.#bytes = new Uint8Array(width);
    this.#empty = mask.count() === 0;
    if (this.#empty) return;
    let nearest = new Int32Array(width).fill(-1);
    for (let y = 0; y < height; y++) {
      if (y % blockRows === 0) this.#above.push(nearest.slice());
      this.#advance(y, nearest);
    }
    nearest = new Int32Array(width).fill(-1);
    for (let y = height - 1; y >= 0; y--) {
      this.#advance(y, nearest);
      if (y % blockRows === 0) this.#below[y / blockRows] = nearest.slice();
    }
  }

  /**
   * Squared distances in pixels of rows `from` to `from + rows`, [rows, width]; Infinity where the mask is empty.
   * @param nearest if given, gets the index y * width + x of the nearest mask pixel (-1 where the mask is empty);
   *   of several at the same distance, the one found first from the left
   */
  squared(from: number, rows: number, out: Float64Array, nearest?: Float64Array): void {
    const { width } = this.#mask;
    if (this.#empty) {
      out.fill(Infinity, 0, rows * width);
      nearest?.fill(-1, 0, rows * width);
      return;
    }
    const vertical = this.#verticals(from, rows);
    const envelope = new RowEnvelope(width);
    for (let r = 0; r < rows; r++) envelope.row(from + r, vertical, r * width, out, nearest);
  }

  /** The same in micrometres, as float32. */
  um(from: number, rows: number, pixelSizeUm: number): Float32Array {
    return this.#each(from, rows, (d) => Math.sqrt(d) * pixelSizeUm);
  }

  /** Distances to the wall in micrometres, as float32; see `wallDistanceUm`. */
  wallUm(from: number, rows: number, pixelSizeUm: number): Float32Array {
    return this.#each(from, rows, (d) => wallDistanceUm(d, pixelSizeUm));
  }

  #each(from: number, rows: number, distanceOf: (squared: number) => number): Float32Array {
    const squared = new Float64Array(rows * this.#mask.width);
    this.squared(from, rows, squared);
    // Float32Array.from would make a list of numbers first, at ten times the memory.
    const out = new Float32Array(squared.length);
    for (let i = 0; i < out.length; i++) out[i] = distanceOf(squared[i]);
    return out;
  }

  /** The mask row nearest to each pixel in its own column, -1 where the column has none. */
  #verticals(from: number, rows: number): Int32Array {
    const { width } = this.#mask;
    const out = new Int32Array(rows * width);
    const firstBlock = Math.floor(from / blockRows);
    const above = this.#above[firstBlock].slice();
    for (let y = firstBlock * blockRows; y < from + rows; y++) {
      this.#advance(y, above);
      if (y >= from) out.set(above, (y - from) * width);
    }
    const end = from + rows;
    const nextBlock = Math.ceil(end / blockRows);
    const below = this.#below[nextBlock]?.slice() ?? new Int32Array(width).fill(-1);
    const last = Math.min(this.#mask.height, nextBlock * blockRows);
    for (let y = last - 1; y >= from; y--) {
      this.#advance(y, below);
      if (y >= end) continue;
      const row = (y - from) * width;
      for (let x = 0; x < width; x++) {
        const up = out[row + x];
        const down = below[x];
        if (up < 0 || (down >= 0 && down - y < y - up)) out[row + x] = down;
      }
    }
    return out;
  }

  /** Lets `nearest` hold y in the columns where row y is on the mask. */
  #advance(y: number, nearest: Int32Array): void {
    this.#mask.readRow(y, this.#bytes);
    for (let x = 0; x < nearest.length; x++) if (this.#bytes[x] === 1) nearest[x] = y;
  }
}

const blockRows = 512;

/** The lower envelope of the parabolas (x - i)^2 + vertical(i)^2 of one row. */
class RowEnvelope {
  readonly #width: number;
  readonly #column: Int32Array;
  readonly #start: Float64Array;
  readonly #height: Float64Array;

  constructor(width: number) {
    this.#width = width;
    this.#column = new Int32Array(width);
    this.#start = new Float64Array(width);
    this.#height = new Float64Array(width);
  }

  row(
    y: number,
    vertical: Int32Array,
    at: number,
    out: Float64Array,
    nearest: Float64Array | undefined,
  ): void {
    const width = this.#width;
    const column = this.#column;
    const start = this.#start;
    const height = this.#height;
    let top = -1;
    for (let u = 0; u < width; u++) {
      const row = vertical[at + u];
      if (row < 0) continue;
      const h = (y - row) * (y - row);
      // Parabola u lies under the last one from `begin` on; last ones that it covers wholly are dropped.
      let begin = 0;
      while (top >= 0) {
        const i = column[top];
        begin = Math.floor((u * u - i * i + h - height[top]) / (2 * (u - i))) + 1;
        if (begin > start[top]) break;
        top--;
      }
      if (top < 0) begin = 0;
      if (begin >= width) continue;
      top++;
      column[top] = u;
      start[top] = begin;
      height[top] = h;
    }
    for (let x = width - 1; x >= 0; x--) {
      while (start[top] > x) top--;
      const dx = x - column[top];
      out[at + x] = dx * dx + height[top];
      if (nearest) nearest[at + x] = vertical[at + column[top]] * width + column[top];
    }
  }
}

/**
 * Distance in micrometres to a vessel's wall, which lies half a pixel nearer than the centre of the nearest vessel pixel;
 * 0 in vessels, Infinity without any. This is the distance that all measures of space and every `extravascular` go by.
 * @param squared as `DistanceMap.squared` gives it
 */
export function wallDistanceUm(squared: number, pixelSizeUm: number): number {
  return Math.max(0, Math.sqrt(squared) - 0.5) * pixelSizeUm;
}
