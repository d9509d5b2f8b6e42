// Gaussian smoothing in a plane: the same as SciPy's gaussian_filter with mode 'reflect', or by a kernel of exact variance.

/**
 * Weights of a sampled Gaussian, normalised to 1; index 0 is the centre, then to one side.
 * The radius is floor(4 sigmaPx + 0.5), as in SciPy.
 */
export function gaussianKernel(sigmaPx: number): Float64Array {
  const radius = Math.floor(4 * sigmaPx + 0.5);
  const kernel = new Float64Array(radius + 1);
  let sum = 0;
  for (let i = 0; i <= radius; i++) {
    kernel[i] = sigmaPx > 0 ? Math.exp((-0.5 * i * i) / (sigmaPx * sigmaPx)) : 1;
    sum += i === 0 ? kernel[i] : 2 * kernel[i];
  }
  return kernel.map((weight) => weight / sum);
}

/**
 * Weights of the discrete analogue of the Gaussian (Lindeberg 1990, doi:10.1109/34.49051), exp(-v) I_n(v), normalised to 1;
 * index 0 is the centre, then to one side. Its variance is v however small, where that of a Gaussian sampled at pixels is
 * less than a third of it below a third of a pixel. Above one square pixel the two are alike to 1e-4, and it is the sampled one.
 * @param variance v in squared pixels, 0 or above
 */
export function discreteGaussianKernel(variance: number): Float64Array {
  if (variance > 1) return gaussianKernel(Math.sqrt(variance));
  const half = variance / 2;
  const weights = new Float64Array(7);
  let first = Math.exp(-variance);
  for (let n = 0; n < weights.length; n++) {
    // The series of the modified Bessel function I_n.
    let term = first;
    for (let k = 1; term > 1e-12; k++) {
      weights[n] += term;
      term *= (half * half) / (k * (k + n));
    }
    first *= half / (n + 1);
  }
  const kernel = weights.filter((weight) => weight > 1e-6);
  const sum = 2 * kernel.reduce((a, b) => a + b) - kernel[0];
  return kernel.map((weight) => weight / sum);
}

/** The pixel that mirrors index i into 0 .. length - 1, edge pixel repeated (d c b a | a b c d | d c b a). */
export function reflect(i: number, length: number): number {
  const period = 2 * length;
  const at = ((i % period) + period) % period;
  return at < length ? at : period - 1 - at;
}

/** Smooths single rows of planes of one width with one kernel; keeps its buffers. */
export class RowSmoother {
  readonly #kernel: Float64Array;
  readonly #width: number;
  readonly #row: Float64Array;
  readonly #padded: Float64Array;

  /** @param kernel weights from the centre to one side */
  constructor(width: number, kernel: Float64Array) {
    this.#kernel = kernel;
    this.#width = width;
    this.#row = new Float64Array(width);
    this.#padded = new Float64Array(width + 2 * this.radius);
  }

  /** Rows above and below that a smoothed row depends on. */
  get radius(): number {
    return this.#kernel.length - 1;
  }

  /** Row y of the smoothed plane [height, width] goes to `out` from index `to` on; borders are mirrored. */
  smooth(plane: Float32Array, height: number, y: number, out: Float32Array, to: number): void {
    const width = this.#width;
    const radius = this.radius;
    const kernel = this.#kernel;
    const row = this.#row;
    const padded = this.#padded;
    const centre = y * width;
    for (let x = 0; x < width; x++) row[x] = kernel[0] * plane[centre + x];
    for (let k = 1; k <= radius; k++) {
      const up = reflect(y - k, height) * width;
      const down = reflect(y + k, height) * width;
      const weight = kernel[k];
      for (let x = 0; x < width; x++) row[x] += weight * (plane[up + x] + plane[down + x]);
    }
    padded.set(row, radius);
    for (let k = 1; k <= radius; k++) {
      padded[radius - k] = row[reflect(-k, width)];
      padded[radius + width - 1 + k] = row[reflect(width - 1 + k, width)];
    }
    for (let x = 0; x < width; x++) row[x] = kernel[0] * padded[x + radius];
    for (let k = 1; k <= radius; k++) {
      const weight = kernel[k];
      const left = radius - k;
      const right = radius + k;
      for (let x = 0; x < width; x++) row[x] += weight * (padded[x + left] + padded[x + right]);
    }
    out.set(row, to);
  }
}

/**
 * Smooths a plane [height, width]; borders are mirrored. Sums in double precision.
 * @param sigmaPx standard deviation in pixels; 0 copies
 */
export function smooth(plane: Float32Array, width: number, height: number, sigmaPx: number): Float32Array {
  return smoothWith(gaussianKernel(sigmaPx), plane, width, height);
}

/** Smooths a plane [height, width] by a kernel in both directions; borders are mirrored. Sums in double precision. */
export function smoothWith(
  kernel: Float64Array,
  plane: Float32Array,
  width: number,
  height: number,
): Float32Array {
  const out = new Float32Array(plane.length);
  const smoother = new RowSmoother(width, kernel);
  for (let y = 0; y < height; y++) smoother.smooth(plane, height, y, out, y * width);
  return out;
}
