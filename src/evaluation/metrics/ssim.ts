// Structural similarity, streamed row by row.
import { assert } from '../../core/errors.ts';

const sigmaPx = 1.5;
const radius = 5; // floor(3.5 sigma + 0.5), as in scikit-image
/** Pixels around one that its value of the map depends on. */
export const ssimReachPx = radius;
const window = 2 * radius + 1;
const maps = 4; // measured, predicted, sum of their squares, product

/**
 * SSIM of Wang, Bovik, Sheikh and Simoncelli (2004): Gaussian window of sigma 1.5 px cut at 5 px, K1 = 0.01,
 * K2 = 0.03, population covariance, borders mirrored; the map of scikit-image's structural_similarity with
 * gaussian_weights=True, sigma=1.5, use_sample_covariance=False.
 *
 * Rows go in from top to bottom, and the map's rows come out the same way, five rows later. Memory is eleven
 * rows. A pixel whose window holds a NaN is NaN.
 */
export class SsimRows {
  readonly #width: number;
  readonly #height: number;
  readonly #c1: number;
  readonly #c2: number;
  readonly #onRow: (y: number, ssim: Float64Array) => void;
  readonly #kernel: Float64Array;
  /** Horizontally smoothed rows; image row y is at y mod `window`. */
  readonly #ring: Float64Array[];
  readonly #padded: Float64Array[];
  readonly #vertical: Float64Array[];
  readonly #out: Float64Array;
  #rows = 0;

  /**
   * @param dataRange L of the definition: 255 for 8 bits, 65535 for 16
   * @param onRow gets each row of the map once; the array is reused
   */
  constructor(
    width: number,
    height: number,
    dataRange: number,
    onRow: (y: number, ssim: Float64Array) => void,
  ) {
    assert(dataRange > 0, `SSIM with a data range of ${dataRange}`);
    this.#width = width;
    this.#height = height;
    this.#c1 = (0.01 * dataRange) ** 2;
    this.#c2 = (0.03 * dataRange) ** 2;
    this.#onRow = onRow;
    const weights = Float64Array.from({ length: radius + 1 }, (_, i) =>
      Math.exp((-0.5 * i * i) / (sigmaPx * sigmaPx)),
    );
    const sum = weights.reduce((total, weight, i) => total + (i === 0 ? weight : 2 * weight), 0);
    this.#kernel = weights.map((weight) => weight / sum);
    const planes = (length: number) => Array.from({ length: maps }, () => new Float64Array(length));
    this.#ring = planes(window * width);
    this.#padded = planes(width + 2 * radius);
    this.#vertical = planes(width);
    this.#out = new Float64Array(width);
  }

  push(measured: Float32Array, predicted: Float32Array): void {
    assert(this.#rows < this.#height, `more than ${this.#height} rows pushed to SSIM`);
    this.#smoothRow(measured, predicted, (this.#rows % window) * this.#width);
    this.#rows++;
    if (this.#rows > radius) this.#emit(this.#rows - 1 - radius);
    if (this.#rows === this.#height) {
      for (let y = Math.max(0, this.#height - radius); y < this.#height; y++) this.#emit(y);
    }
  }

  #smoothRow(measured: Float32Array, predicted: Float32Array, to: number): void {
    const width = this.#width;
    const [a, b, squares, product] = this.#padded;
    for (let i = 0; i < width + 2 * radius; i++) {
      const x = mirror(i - radius, width);
      const y = measured[x];
      const p = predicted[x];
      a[i] = y;
      b[i] = p;
      squares[i] = y * y + p * p;
      product[i] = y * p;
    }
    const [k0, k1, k2, k3, k4, k5] = this.#kernel;
    for (let map = 0; map < maps; map++) {
      const v = this.#padded[map];
      const ring = this.#ring[map];
      for (let x = 0; x < width; x++) {
        const c = x + radius;
        ring[to + x] =
          k0 * v[c] +
          k1 * (v[c - 1] + v[c + 1]) +
          k2 * (v[c - 2] + v[c + 2]) +
          k3 * (v[c - 3] + v[c + 3]) +
          k4 * (v[c - 4] + v[c + 4]) +
          k5 * (v[c - 5] + v[c + 5]);
      }
    }
  }

  #emit(y: number): void {
    const width = this.#width;
    for (let map = 0; map < maps; map++) {
      const ring = this.#ring[map];
      const sum = this.#vertical[map];
      const centre = (y % window) * width;
      for (let x = 0; x < width; x++) sum[x] = this.#kernel[0] * ring[centre + x];
      for (let k = 1; k <= radius; k++) {
        const up = (mirror(y - k, this.#height) % window) * width;
        const down = (mirror(y + k, this.#height) % window) * width;
        const weight = this.#kernel[k];
        for (let x = 0; x < width; x++) sum[x] += weight * (ring[up + x] + ring[down + x]);
      }
    }
    const [a, b, squares, product] = this.#vertical;
    for (let x = 0; x < width; x++) {
      const meanProduct = a[x] * b[x];
      const meanSquares = a[x] * a[x] + b[x] * b[x];
      this.#out[x] =
        ((2 * meanProduct + this.#c1) * (2 * (product[x] - meanProduct) + this.#c2)) /
        ((meanSquares + this.#c1) * (squares[x] - meanSquares + this.#c2));
    }
    this.#onRow(y, this.#out);
  }
}

/** The pixel that mirrors index i into 0 .. length - 1, edge pixel repeated. */
function mirror(i: number, length: number): number {
  if (i >= 0 && i < length) return i;
  const period = 2 * length;
  const at = ((i % period) + period) % period;
  return at < length ? at : period - 1 - at;
}
