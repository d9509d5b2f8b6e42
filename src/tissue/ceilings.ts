// How well the best predictions do against the noisy image, from sums that tiles are added up in.

/** Sums over pixels: of the noisy value y, its square, and squared errors of two predictions. */
export interface ErrorSums {
  pixels: number;
  y: number;
  yy: number;
  noise: number;
  visible: number;
}

export interface TileSums {
  /** Over tissue, and over tissue more than 3 um outside a vessel. */
  readonly tissue: ErrorSums;
  readonly extravascular: ErrorSums;
}

/** `noise`: the noise-free image as prediction; `visible`: its mean given all that can be seen. */
export interface Ceiling {
  readonly pixels: number;
  readonly sd: number;
  readonly noise: { readonly mse: number; readonly r2: number };
  readonly visible: { readonly mse: number; readonly r2: number };
}

export function emptySums(): TileSums {
  const make = (): ErrorSums => ({ pixels: 0, y: 0, yy: 0, noise: 0, visible: 0 });
  return { tissue: make(), extravascular: make() };
}

export function addSums(into: TileSums, from: TileSums): void {
  for (const region of ['tissue', 'extravascular'] as const) {
    for (const key of ['pixels', 'y', 'yy', 'noise', 'visible'] as const) {
      into[region][key] += from[region][key];
    }
  }
}

/** NaN where there are no pixels or they do not vary. */
export function ceilingOf({ pixels, y, yy, noise, visible }: ErrorSums): Ceiling {
  const total = yy - (y * y) / pixels;
  const score = (errors: number): { mse: number; r2: number } => ({
    mse: pixels > 0 ? errors / pixels : NaN,
    r2: total > 0 ? 1 - errors / total : NaN,
  });
  return { pixels, sd: Math.sqrt(total / pixels), noise: score(noise), visible: score(visible) };
}
