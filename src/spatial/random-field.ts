// Random fields with the spatial correlation of a given one: what chance alone would look like.
import { Rng } from '../core/rng.ts';
import { PlaneFft, powerOfTwo } from './fft.ts';

/** Values on a grid [high, wide]; only those with `valid` 1 count. */
export interface GridField {
  readonly wide: number;
  readonly high: number;
  readonly valid: Uint8Array;
  readonly values: Float64Array;
}

/**
 * Stationary Gaussian fields with the covariance of the field given, on its grid. The covariance is that of all pairs
 * of valid cells at each shift (so any shape of tissue will do), corrected for the mean having been subtracted,
 * tapered to 0 at half the grid, and made positive definite by leaving out negative power (Dietrich and Newsam 1997).
 */
export class CorrelatedFields {
  readonly #fft: PlaneFft;
  readonly #amplitude: Float64Array;
  readonly #rng: Rng;
  readonly #wide: number;
  readonly #high: number;
  #spare: Float64Array | undefined;

  /** @param field with mean 0 and variance 1 over its valid cells */
  constructor(field: GridField, seed: number) {
    const { wide, high } = field;
    this.#wide = wide;
    this.#high = high;
    this.#rng = new Rng(seed).fork('field');
    this.#fft = new PlaneFft(powerOfTwo(2 * wide), powerOfTwo(2 * high));
    this.#amplitude = this.#spectrumOf(field);
  }

  #spectrumOf({ wide, high, valid, values }: GridField): Float64Array {
    const { width, height } = this.#fft;
    const n = width * height;
    const plane = (of: (i: number) => number): Float64Array => {
      const out = new Float64Array(n);
      for (let y = 0; y < high; y++) for (let x = 0; x < wide; x++) out[y * width + x] = of(y * wide + x);
      return out;
    };
    const products = this.#autocorrelation(plane((i) => (valid[i] ? values[i] : 0)));
    const pairs = this.#autocorrelation(plane((i) => valid[i]));
    const count = pairs[0];
    const covariance = new Float64Array(n);
    let ofMean = 0;
    for (let i = 0; i < n; i++) {
      if (pairs[i] < 0.5) continue;
      covariance[i] = products[i] / pairs[i];
      const [x, y] = [signed(i % width, width), signed(Math.floor(i / width), height)];
      // What a mean of few far pairs says is noise; the nearer half decides.
      if (2 * Math.abs(x) < wide && 2 * Math.abs(y) < high) ofMean += products[i] / count / count;
    }
    const correction = Math.max(0, Math.min(0.5, ofMean));
    for (let i = 0; i < n; i++) {
      const [x, y] = [signed(i % width, width), signed(Math.floor(i / width), height)];
      covariance[i] = (covariance[i] + correction) * taper((2 * x) / wide) * taper((2 * y) / high);
    }
    const im = new Float64Array(n);
    this.#fft.run(covariance, im);
    let total = 0;
    for (let i = 0; i < n; i++) {
      covariance[i] = Math.max(0, covariance[i]);
      total += covariance[i];
    }
    // Variance 1 + correction, so that it is 1 about the mean that is subtracted.
    const scale = ((1 + correction) * n) / (total || 1);
    return covariance.map((power) => Math.sqrt((power * scale) / n));
  }

  #autocorrelation(re: Float64Array): Float64Array {
    const im = new Float64Array(re.length);
    this.#fft.run(re, im);
    for (let i = 0; i < re.length; i++) {
      re[i] = re[i] * re[i] + im[i] * im[i];
      im[i] = 0;
    }
    this.#fft.run(re, im);
    return re.map((value) => value / re.length);
  }

  /** One field [high, wide]. */
  next(): Float64Array {
    if (this.#spare) {
      const field = this.#spare;
      this.#spare = undefined;
      return field;
    }
    const n = this.#amplitude.length;
    const re = new Float64Array(n);
    const im = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      if (this.#amplitude[i] === 0) continue;
      re[i] = this.#amplitude[i] * this.#rng.normal();
      im[i] = this.#amplitude[i] * this.#rng.normal();
    }
    this.#fft.run(re, im);
    // Real and imaginary part are independent fields.
    this.#spare = this.#crop(im);
    return this.#crop(re);
  }

  #crop(plane: Float64Array): Float64Array {
    const out = new Float64Array(this.#wide * this.#high);
    for (let y = 0; y < this.#high; y++)
      out.set(plane.subarray(y * this.#fft.width, y * this.#fft.width + this.#wide), y * this.#wide);
    return out;
  }
}

function signed(i: number, length: number): number {
  return i > length / 2 ? i - length : i;
}

/** 1 at 0, 0 from 1 on, smooth. */
function taper(t: number): number {
  const a = Math.abs(t);
  return a >= 1 ? 0 : 0.5 + 0.5 * Math.cos(Math.PI * a);
}
