// Power of measured, predicted and error at each spatial frequency: which detail a prediction has and which it lacks.
import type { PixelSource } from '../core/pixel-source.ts';
import { channelOf } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import { PlaneFft } from '../spatial/fft.ts';
import { taperEnergy, taperedPower } from '../spatial/tapered-power.ts';

export interface RadialSpectrum {
  /** Middle of each ring, cycles a micrometre. */
  readonly frequency: number[];
  /** Mean power in each ring over all windows, squared stored units a Fourier coefficient; it sums to the variance. */
  readonly measured: number[];
  readonly predicted: number[];
  readonly error: number[];
  /** Windows used; 0 where no square of tissue is large enough. */
  readonly windows: number;
  readonly windowPx: number;
}

/** Largest window; smaller ones are tried where the tissue holds none. */
const largestWindowPx = 256;
const smallestWindowPx = 32;
const mostWindows = 64;
/** Share of a window that must be tissue. */
const leastTissue = 0.98;

export interface SpectrumInput {
  readonly measured: PixelSource;
  readonly measuredChannel: number;
  readonly predicted: PixelSource;
  readonly predictedChannel: number;
  readonly tissue: BitMask;
  readonly pixelSizeUm: number;
}

/**
 * Windows of tissue on a regular grid (at most 64, spread over all of it), mean taken off, tapered by Hann's window in both
 * directions (Welch 1967), transformed; power is averaged over rings one Fourier step wide, up to the Nyquist frequency.
 */
export async function radialSpectrum(input: SpectrumInput, signal?: AbortSignal): Promise<RadialSpectrum> {
  const { tissue, pixelSizeUm } = input;
  let n = largestWindowPx;
  let places = windowsIn(tissue, n);
  while (places.length === 0 && n > smallestWindowPx) {
    n /= 2;
    places = windowsIn(tissue, n);
  }
  const chosen = spreadOut(places, mostWindows);
  const rings = n / 2;
  const sums = [0, 1, 2].map(() => new Float64Array(rings));
  const counts = new Float64Array(rings);
  const transform = new PlaneFft(n, n);
  let windows = 0;
  for (const { x, y } of chosen) {
    const region = { x, y, width: n, height: n };
    const a = channelOf(await input.measured.read(region, [input.measuredChannel], { signal }), 0);
    const b = channelOf(await input.predicted.read(region, [input.predictedChannel], { signal }), 0);
    if (!a.every(Number.isFinite) || !b.every(Number.isFinite)) continue;
    windows++;
    const error = b.map((value, i) => value - a[i]);
    [a, b, error].forEach((plane, k) => {
      addPower(plane, n, transform, sums[k], k === 0 ? counts : undefined);
    });
  }
  const mean = (sum: Float64Array): number[] => Array.from(sum, (v, i) => v / counts[i]);
  return {
    frequency: Array.from({ length: rings }, (_, i) => (i + 1) / (n * pixelSizeUm)),
    measured: mean(sums[0]),
    predicted: mean(sums[1]),
    error: mean(sums[2]),
    windows,
    windowPx: n,
  };
}

/** One drawn from each of `count` equal parts of the list: every n-th of a grid would often lie in one column. */
function spreadOut<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  const rng = new Rng(0).fork('windows');
  const part = list.length / count;
  return Array.from({ length: count }, (_, i) => list[Math.floor((i + rng.uniform()) * part)]);
}

function windowsIn(tissue: BitMask, n: number): { x: number; y: number }[] {
  const found: { x: number; y: number }[] = [];
  const row = new Uint8Array(tissue.width);
  const across = Math.floor(tissue.width / n);
  for (let top = 0; top + n <= tissue.height; top += n) {
    const counts = new Float64Array(across);
    for (let y = top; y < top + n; y++) {
      tissue.readRow(y, row);
      for (let x = 0; x < across * n; x++) counts[Math.floor(x / n)] += row[x];
    }
    counts.forEach((count, i) => {
      if (count >= leastTissue * n * n) found.push({ x: i * n, y: top });
    });
  }
  return found;
}

function addPower(
  plane: Float32Array,
  n: number,
  transform: PlaneFft,
  sums: Float64Array,
  counts: Float64Array | undefined,
): void {
  const power = taperedPower(plane, transform);
  if (power === undefined) return;
  const energy = taperEnergy(n) * n * n;
  for (let y = 0; y < n; y++)
    for (let x = 0; x < n; x++) {
      const [u, v] = [x > n / 2 ? x - n : x, y > n / 2 ? y - n : y];
      const ring = Math.round(Math.hypot(u, v)) - 1;
      if (ring < 0 || ring >= sums.length) continue;
      const i = y * n + x;
      sums[ring] += power[i] / energy;
      if (counts) counts[ring]++;
    }
}
