// Random fields with the spatial correlation of a given one: what chance alone would look like.
import { Rng } from '../core/rng.ts';
import { PlaneFft, powerOfTwo } from './fft.ts';
import type { GridField } from './grid-field.ts';
import { fitVariogram, type Variogram, variogramValue } from './variogram.ts';

/**
 * Stationary Gaussian fields with the variogram of the field given, on its grid: mean 0, variance that of the fitted
 * model. Drawn from a torus of at least twice the grid (circulant embedding; Dietrich and Newsam 1997), made positive
 * definite by leaving out negative power.
 */
export class CorrelatedFields {
  readonly #fft: PlaneFft;
  readonly #amplitude: Float64Array;
  readonly #rng: Rng;
  readonly #wide: number;
  readonly #high: number;
  #spare: Float64Array | undefined;

  constructor(field: GridField, seed: number) {
    const { wide, high } = field;
    this.#wide = wide;
    this.#high = high;
    this.#rng = new Rng(seed).fork('field');
    this.#fft = new PlaneFft(powerOfTwo(2 * wide), powerOfTwo(2 * high));
    this.#amplitude = this.#amplitudeOf(fitVariogram(field));
  }

  #amplitudeOf(variogram: Variogram): Float64Array {
    const { width, height } = this.#fft;
    const n = width * height;
    const sill = variogram.nugget + variogram.sill;
    const power = new Float64Array(n);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const h = Math.hypot(Math.min(x, width - x), Math.min(y, height - y));
        power[y * width + x] = sill - variogramValue(variogram, h);
      }
    this.#fft.run(power, new Float64Array(n));
    let total = 0;
    for (let i = 0; i < n; i++) {
      power[i] = Math.max(0, power[i]);
      total += power[i];
    }
    return power.map((value) => Math.sqrt((value * sill) / (total || 1)));
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
