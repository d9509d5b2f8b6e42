// The best that any model can reach on simulated slides, from the truth beside them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileAccessError } from '../core/errors.ts';

/** How many of a slide's pixels count. */
interface Pixels {
  readonly tissue: number;
  readonly extravascular: number;
}

/**
 * Means over slides; errors in squared stored units. R2 is within slides: over several that differ in brightness, one of all their
 * pixels together may be higher.
 */
export interface Ceiling {
  /** R2 and MSE of the best prediction from what can be seen. */
  readonly r2: number;
  readonly mse: number;
  readonly extravascularR2: number;
  readonly extravascularMse: number;
  /** R2 and MSE of the probe without its noise. */
  readonly noiseR2: number;
  readonly noiseMse: number;
}

/** Where `simulate` puts the truth of a slide, whether it is there or not. */
export const truthFolder = (slidePath: string): string =>
  slidePath.replace(/\.ome\.(tiff?|zarr)$/i, '.truth');

/**
 * null where a slide has no truth: measured ones. They are weighted by the slides' pixels, as pooled MSEs are.
 * @throws FileAccessError for a truth that is there and cannot be read
 */
export async function readCeiling(slidePaths: readonly string[]): Promise<Ceiling | null> {
  const found: { pixels: Pixels; c: Record<string, number> }[] = [];
  for (const path of slidePaths) {
    const truth = join(truthFolder(path), 'truth.json');
    const text = await readFile(truth, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
      throw new FileAccessError(
        truth,
        `the truth of a simulated slide, ${truth}, cannot be read (${cause.code}).`,
        { cause },
      );
    });
    if (text === undefined) return null;
    const { ceilings, pixels } = JSON.parse(text) as {
      ceilings: Record<string, number>;
      pixels: Pixels;
    };
    found.push({ pixels, c: ceilings });
  }
  if (found.length === 0) return null;
  const mean = (key: string, where: keyof Pixels = 'tissue'): number => {
    const total = found.reduce((sum, { pixels }) => sum + pixels[where], 0);
    return found.reduce((sum, { pixels, c }) => sum + pixels[where] * (c[key] ?? Number.NaN), 0) / total;
  };
  return {
    r2: mean('visible'),
    mse: mean('visibleMse'),
    extravascularR2: mean('visibleExtravascular', 'extravascular'),
    extravascularMse: mean('visibleExtravascularMse', 'extravascular'),
    noiseR2: mean('noise'),
    noiseMse: mean('noiseMse'),
  };
}

/** Over folds; null unless all have one. */
export function meanCeiling(ceilings: readonly (Ceiling | null)[]): Ceiling | null {
  const [first] = ceilings;
  if (!first || ceilings.includes(null)) return null;
  const keys = Object.keys(first) as (keyof Ceiling)[];
  const mean = (key: keyof Ceiling): number =>
    ceilings.reduce((sum, ceiling) => sum + (ceiling?.[key] ?? Number.NaN), 0) / ceilings.length;
  return Object.fromEntries(keys.map((key) => [key, mean(key)])) as unknown as Ceiling;
}
