// The discrete Fourier transform of a plane whose edges are powers of two.
import { assert } from '../core/errors.ts';

/** The smallest power of two that is at least n. */
export function powerOfTwo(n: number): number {
  let size = 1;
  while (size < n) size *= 2;
  return size;
}

/**
 * Transforms complex planes [height, width] in place, unnormalised, sign -1 in the exponent as NumPy's fft2. The
 * inverse is the transform with real and imaginary parts exchanged, divided by the number of pixels.
 */
export class PlaneFft {
  readonly width: number;
  readonly height: number;
  readonly #rows: LineFft;
  readonly #columns: LineFft;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#rows = new LineFft(width);
    this.#columns = new LineFft(height);
    this.#re = new Float64Array(height * 8);
    this.#im = new Float64Array(height * 8);
  }

  run(re: Float64Array, im: Float64Array): void {
    const { width, height } = this;
    for (let y = 0; y < height; y++) this.#rows.run(re, im, y * width);
    // Columns are gathered a few at a time, so that memory is read in runs.
    for (let x = 0; x < width; x += 8) {
      const n = Math.min(8, width - x);
      for (let y = 0; y < height; y++)
        for (let k = 0; k < n; k++) {
          this.#re[k * height + y] = re[y * width + x + k];
          this.#im[k * height + y] = im[y * width + x + k];
        }
      for (let k = 0; k < n; k++) this.#columns.run(this.#re, this.#im, k * height);
      for (let y = 0; y < height; y++)
        for (let k = 0; k < n; k++) {
          re[y * width + x + k] = this.#re[k * height + y];
          im[y * width + x + k] = this.#im[k * height + y];
        }
    }
  }
}

/** Cooley and Tukey's radix 2, with tables. */
class LineFft {
  readonly #length: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #order: Int32Array;

  constructor(length: number) {
    assert(length > 0 && (length & (length - 1)) === 0, `transform of length ${length}`);
    this.#length = length;
    this.#cos = Float64Array.from({ length: length / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / length));
    this.#sin = Float64Array.from({ length: length / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / length));
    this.#order = new Int32Array(length);
    for (let i = 1; i < length; i++) this.#order[i] = (this.#order[i >> 1] >> 1) | (i & 1 ? length >> 1 : 0);
  }

  run(re: Float64Array, im: Float64Array, from: number): void {
    const n = this.#length;
    for (let i = 0; i < n; i++) {
      const j = this.#order[i];
      if (j <= i) continue;
      const [a, b] = [from + i, from + j];
      const [r, q] = [re[a], im[a]];
      re[a] = re[b];
      im[a] = im[b];
      re[b] = r;
      im[b] = q;
    }
    for (let size = 2; size <= n; size *= 2) {
      const half = size >> 1;
      const step = n / size;
      for (let start = from; start < from + n; start += size) {
        for (let k = 0; k < half; k++) {
          const c = this.#cos[k * step];
          const s = this.#sin[k * step];
          const a = start + k;
          const b = a + half;
          const r = re[b] * c - im[b] * s;
          const q = re[b] * s + im[b] * c;
          re[b] = re[a] - r;
          im[b] = im[a] - q;
          re[a] += r;
          im[a] += q;
        }
      }
    }
  }
}
