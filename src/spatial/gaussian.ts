// Gaussian smoothing in a plane, the same as SciPy's gaussian_filter with mode 'reflect'.

/**
 * Weights of a sampled Gaussian, normalised to 1; index 0 is the centre, then to one side.
 * The radius is floor(truncate * sigmaPx + 0.5), as in SciPy.
 */
export function gaussianKernel(sigmaPx: number, truncate = 4): Float64Array {
  const radius = Math.floor(truncate * sigmaPx + 0.5);
  const kernel = new Float64Array(radius + 1);
  let sum = 0;
  for (let i = 0; i <= radius; i++) {
    kernel[i] = sigmaPx > 0 ? Math.exp((-0.5 * i * i) / (sigmaPx * sigmaPx)) : 1;
    sum += i === 0 ? kernel[i] : 2 * kernel[i];
  }
  return kernel.map((weight) => weight / sum);
}

/** The pixel that mirrors index i into 0 .. length - 1, edge pixel repeated (d c b a | a b c d | d c b a). */
export function reflect(i: number, length: number): number {
  const period = 2 * length;
  const at = ((i % period) + period) % period;
  return at < length ? at : period - 1 - at;
}

/**
 * Smooths a plane [height, width]; borders are mirrored. Sums in double precision.
 * @param sigmaPx standard deviation in pixels; 0 copies
 */
export function smooth(
  plane: Float32Array,
  width: number,
  height: number,
  sigmaPx: number,
  truncate = 4,
): Float32Array {
  const kernel = gaussianKernel(sigmaPx, truncate);
  const radius = kernel.length - 1;
  const out = new Float32Array(plane.length);
  const row = new Float64Array(width);
  const padded = new Float64Array(width + 2 * radius);
  for (let y = 0; y < height; y++) {
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
    for (let x = 0; x < width; x++) {
      const at = x + radius;
      let sum = kernel[0] * padded[at];
      for (let k = 1; k <= radius; k++) sum += kernel[k] * (padded[at - k] + padded[at + k]);
      out[centre + x] = sum;
    }
  }
  return out;
}
