// The power of a square of an image at each frequency, without its edges.
import type { PlaneFft } from './fft.ts';

/**
 * Takes off the mean, tapers by Hann's window in both directions (Welch 1967), and transforms.
 * @param plane [n, n], n the transform's edge
 * @returns squared magnitude of each Fourier coefficient [n, n], unnormalised, as NumPy's fft2 orders them; undefined where a
 * pixel is not finite
 */
export function taperedPower(plane: Float32Array, transform: PlaneFft): Float64Array | undefined {
  const n = transform.width;
  const mean = plane.reduce((sum, value) => sum + value, 0) / plane.length;
  if (!Number.isFinite(mean)) return undefined;
  const taper = hann(n);
  const re = Float64Array.from(plane, (value, i) => (value - mean) * taper[i % n] * taper[Math.floor(i / n)]);
  const im = new Float64Array(re.length);
  transform.run(re, im);
  return re.map((value, i) => value * value + im[i] * im[i]);
}

/** Sum of the squared weights of the taper over [n, n]. */
export function taperEnergy(n: number): number {
  return hann(n).reduce((sum, w) => sum + w * w, 0) ** 2;
}

function hann(n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / n));
}
