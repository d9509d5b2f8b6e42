// Point spread: a narrow Gaussian that may sit beside the middle (channel shift), and a wide faint glow.
import type { Grid } from './grid.ts';
import type { ChannelOptics } from './slide-model.ts';

/** Cells of the glow's coarser grid along one edge. */
const glowStep = 4;

/** The image as the optics pass it on; borders as if the image went on with its outermost cells. */
export function throughOptics(grid: Grid, image: Float32Array, optics: ChannelOptics): Float32Array {
  const { width, height, spacing } = grid;
  const sharp = separable(
    image,
    width,
    height,
    kernel(optics.blurUm / spacing, optics.shiftXUm / spacing),
    kernel(optics.blurUm / spacing, optics.shiftYUm / spacing),
  );
  if (optics.glowShare === 0) return sharp;
  const w = Math.ceil(width / glowStep);
  const h = Math.ceil(height / glowStep);
  const small = new Float32Array(w * h);
  for (let j = 0; j < h; j++) {
    for (let i = 0; i < w; i++) {
      let sum = 0;
      let count = 0;
      for (let y = j * glowStep; y < Math.min(height, (j + 1) * glowStep); y++) {
        for (let x = i * glowStep; x < Math.min(width, (i + 1) * glowStep); x++) {
          sum += image[y * width + x];
          count++;
        }
      }
      small[j * w + i] = sum / count;
    }
  }
  const wide = kernel(optics.glowUm / spacing / glowStep, 0);
  const glow = separable(small, w, h, wide, wide);
  for (let j = 0; j < height; j++) {
    const v = Math.max(0, Math.min(h - 1.001, (j + 0.5) / glowStep - 0.5));
    const row = Math.floor(v) * w;
    const b = v - Math.floor(v);
    for (let i = 0; i < width; i++) {
      const u = Math.max(0, Math.min(w - 1.001, (i + 0.5) / glowStep - 0.5));
      const at = row + Math.floor(u);
      const a = u - Math.floor(u);
      const top = glow[at] + a * (glow[at + 1] - glow[at]);
      const bottom = glow[at + w] + a * (glow[at + w + 1] - glow[at + w]);
      const cell = j * width + i;
      sharp[cell] = (1 - optics.glowShare) * sharp[cell] + optics.glowShare * (top + b * (bottom - top));
    }
  }
  return sharp;
}

interface Kernel {
  readonly reach: number;
  readonly weights: Float64Array;
}

function kernel(sigma: number, shift: number): Kernel {
  const reach = Math.max(1, Math.ceil(3.2 * sigma + Math.abs(shift)));
  const weights = new Float64Array(2 * reach + 1);
  let total = 0;
  for (let n = -reach; n <= reach; n++) {
    weights[n + reach] = Math.exp(-0.5 * ((n + shift) / Math.max(0.2, sigma)) ** 2);
    total += weights[n + reach];
  }
  for (let n = 0; n < weights.length; n++) weights[n] /= total;
  return { reach, weights };
}

function separable(image: Float32Array, width: number, height: number, kx: Kernel, ky: Kernel): Float32Array {
  const out = new Float32Array(image.length);
  const row = new Float32Array(width + 2 * kx.reach);
  for (let j = 0; j < height; j++) {
    const at = j * width;
    row.fill(image[at], 0, kx.reach);
    row.set(image.subarray(at, at + width), kx.reach);
    row.fill(image[at + width - 1], kx.reach + width);
    const { weights } = kx;
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (let n = 0; n < weights.length; n++) sum += weights[n] * row[i + n];
      out[at + i] = sum;
    }
  }
  // Down the columns, a row at a time; the rows still needed are kept.
  const rows = ky.weights.length;
  const kept = Array.from({ length: rows }, () => new Float32Array(width));
  const load = (j: number): void => {
    const from = Math.max(0, Math.min(height - 1, j)) * width;
    kept[(j + rows) % rows].set(out.subarray(from, from + width));
  };
  for (let j = -ky.reach; j < ky.reach; j++) load(j);
  const sum = new Float32Array(width);
  for (let j = 0; j < height; j++) {
    // The row just below the reach is still unchanged: rows are only overwritten above it.
    load(j + ky.reach);
    sum.fill(0);
    for (let n = -ky.reach; n <= ky.reach; n++) {
      const source = kept[(j + n + rows) % rows];
      const weight = ky.weights[n + ky.reach];
      for (let i = 0; i < width; i++) sum[i] += weight * source[i];
    }
    out.set(sum, j * width);
  }
  return out;
}
