// The variogram of a field on a grid: how its values differ with the distance between cells, and a model fitted to it.
import { PlaneFft, powerOfTwo } from './fft.ts';
import type { GridField } from './grid-field.ts';

/** gamma(h) = nugget + sill (1 - exp(-(h / range)^power)) for h > 0, h in cells: the stable model, isotropic. */
export interface Variogram {
  readonly nugget: number;
  readonly sill: number;
  readonly range: number;
  readonly power: number;
}

export function variogramValue({ nugget, sill, range, power }: Variogram, h: number): number {
  return h === 0 ? 0 : nugget + sill * (1 - Math.exp(-((h / range) ** power)));
}

/** Mean and number of pairs in rings one cell wide; ring 0 is empty. */
interface Rings {
  readonly h: Float64Array;
  readonly gamma: Float64Array;
  readonly pairs: Float64Array;
}

/** Share of the shorter edge up to which pairs count: beyond, there are few and they depend on each other. */
const farthestShare = 0.5;
const powers = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const;
const rangeSteps = 40;

/**
 * Matheron's estimate (1963) on all pairs of valid cells, and the stable model by weighted least squares with Cressie's
 * weights (1985), pairs / gamma^2. Differences do not know the mean, so that long correlation is not taken for a part
 * of it, as it is by covariances about the mean of the very field.
 */
export function fitVariogram(field: GridField): Variogram {
  const rings = empiricalVariogram(field);
  const longest = Math.max(field.wide, field.high);
  let best: { error: number; variogram: Variogram } | undefined;
  for (const power of powers)
    for (let step = 0; step <= rangeSteps; step++) {
      const range = 0.3 * (longest / 0.3) ** (step / rangeSteps);
      const fitted = fitLinear(rings, range, power);
      if (best === undefined || fitted.error < best.error) best = fitted;
    }
  return best!.variogram;
}

/** Nugget and sill, neither negative, for a given shape; the weights follow the fitted values in three rounds. */
function fitLinear(
  { h, gamma, pairs }: Rings,
  range: number,
  power: number,
): { error: number; variogram: Variogram } {
  const shape = h.map((distance) => 1 - Math.exp(-((distance / range) ** power)));
  let fitted = gamma;
  let [nugget, sill] = [0, 0];
  for (let round = 0; round < 3; round++) {
    let [w1, ws, wss, wg, wsg] = [0, 0, 0, 0, 0];
    for (let k = 0; k < h.length; k++) {
      if (pairs[k] === 0) continue;
      const w = pairs[k] / Math.max(fitted[k], 1e-6) ** 2;
      w1 += w;
      ws += w * shape[k];
      wss += w * shape[k] * shape[k];
      wg += w * gamma[k];
      wsg += w * shape[k] * gamma[k];
    }
    const determinant = w1 * wss - ws * ws;
    sill = determinant > 1e-12 * w1 * wss ? (w1 * wsg - ws * wg) / determinant : 0;
    nugget = (wg - sill * ws) / w1;
    if (nugget < 0) [nugget, sill] = [0, wsg / wss];
    else if (sill < 0) [nugget, sill] = [wg / w1, 0];
    fitted = shape.map((value) => nugget + sill * value);
  }
  let error = 0;
  for (let k = 0; k < h.length; k++)
    if (pairs[k] > 0) error += pairs[k] * (gamma[k] / Math.max(fitted[k], 1e-6) - 1) ** 2;
  return { error, variogram: { nugget, sill, range, power } };
}

/** Half the mean square of differences over all pairs of valid cells, by transforms, in rings of distance. */
function empiricalVariogram({ wide, high, valid, values }: GridField): Rings {
  const fft = new PlaneFft(powerOfTwo(2 * wide), powerOfTwo(2 * high));
  const { width, height } = fft;
  const n = width * height;
  const transformed = (of: (i: number) => number): [Float64Array, Float64Array] => {
    const [re, im] = [new Float64Array(n), new Float64Array(n)];
    for (let y = 0; y < high; y++)
      for (let x = 0; x < wide; x++) if (valid[y * wide + x] === 1) re[y * width + x] = of(y * wide + x);
    fft.run(re, im);
    return [re, im];
  };
  const [ones, onesIm] = transformed(() => 1);
  const [zs, zsIm] = transformed((i) => values[i]);
  const [squares, squaresIm] = transformed((i) => values[i] ** 2);
  // Sum over pairs of (z_i - z_j)^2 = z_i^2 + z_j^2 - 2 z_i z_j, and the number of pairs.
  const [sums, sumsIm] = [new Float64Array(n), new Float64Array(n)];
  const [counts, countsIm] = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i++) {
    sums[i] = 2 * (squares[i] * ones[i] + squaresIm[i] * onesIm[i]) - 2 * (zs[i] * zs[i] + zsIm[i] * zsIm[i]);
    counts[i] = ones[i] * ones[i] + onesIm[i] * onesIm[i];
  }
  fft.run(sums, sumsIm);
  fft.run(counts, countsIm);
  const rings = Math.max(2, Math.floor(farthestShare * Math.min(wide, high))) + 1;
  const [distance, gamma, pairs] = [0, 1, 2].map(() => new Float64Array(rings));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const h = Math.hypot(Math.min(x, width - x), Math.min(y, height - y));
      const ring = Math.round(h);
      const count = Math.round(counts[y * width + x] / n);
      if (ring === 0 || ring >= rings || count === 0) continue;
      pairs[ring] += count;
      distance[ring] += count * h;
      gamma[ring] += Math.max(0, sums[y * width + x] / n) / 2;
    }
  for (let k = 0; k < rings; k++) {
    if (pairs[k] === 0) continue;
    distance[k] /= pairs[k];
    gamma[k] /= pairs[k];
  }
  return { h: distance, gamma, pairs };
}
