/** Square cells of a rectangle of the plane: cell (i, j) is centred at fromX + (i + 0.5) spacing, likewise y. */
export interface Grid {
  /** Upper left corner, um. */
  readonly fromX: number;
  readonly fromY: number;
  readonly spacing: number;
  readonly width: number;
  readonly height: number;
}

export function cellCount({ width, height }: Grid): number {
  return width * height;
}

/** A coarse plane of values at a point (um), linear between cell centres, constant beyond the outermost. */
export function sampleAt(grid: Grid, values: ArrayLike<number>, x: number, y: number): number {
  const u = Math.min(grid.width - 1, Math.max(0, (x - grid.fromX) / grid.spacing - 0.5));
  const v = Math.min(grid.height - 1, Math.max(0, (y - grid.fromY) / grid.spacing - 0.5));
  const i = Math.min(grid.width - 2, Math.floor(u));
  const j = Math.min(grid.height - 2, Math.floor(v));
  const a = u - i;
  const b = v - j;
  const at = j * grid.width + i;
  const top = values[at] + a * (values[at + 1] - values[at]);
  const bottom = values[at + grid.width] + a * (values[at + grid.width + 1] - values[at + grid.width]);
  return top + b * (bottom - top);
}

/** Means of the small cells in each large one, for grids that share their corner. */
export function averaged(from: Grid, values: ArrayLike<number>, to: Grid): Float32Array {
  const step = Math.round(to.spacing / from.spacing);
  const out = new Float32Array(cellCount(to));
  for (let j = 0; j < from.height; j++) {
    const row = Math.floor(j / step) * to.width;
    for (let i = 0; i < from.width; i++) out[row + Math.floor(i / step)] += values[j * from.width + i];
  }
  for (let at = 0; at < out.length; at++) out[at] /= step * step;
  return out;
}

/** One plane resampled onto another grid. */
export function resample(from: Grid, values: ArrayLike<number>, to: Grid): Float32Array {
  const out = new Float32Array(cellCount(to));
  for (let j = 0, at = 0; j < to.height; j++) {
    const y = to.fromY + (j + 0.5) * to.spacing;
    for (let i = 0; i < to.width; i++, at++) {
      out[at] = sampleAt(from, values, to.fromX + (i + 0.5) * to.spacing, y);
    }
  }
  return out;
}
