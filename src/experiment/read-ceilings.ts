// The best that any model can reach on simulated slides, from the truth beside them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileAccessError } from '../core/errors.ts';

/** Means over slides; errors in squared stored units. */
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
 * null where a slide has no truth: measured ones. MSEs are weighted by the slides' tissue, as pooled ones are.
 * @throws FileAccessError for a truth that is there and cannot be read
 */
export async function readCeiling(slidePaths: readonly string[]): Promise<Ceiling | null> {
  const found: { weight: number; c: Record<string, number> }[] = [];
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
      pixels: { tissue: number };
    };
    found.push({ weight: pixels.tissue, c: ceilings });
  }
  if (found.length === 0) return null;
  const total = found.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (key: string): number =>
    found.reduce((sum, { weight, c }) => sum + weight * (c[key] ?? Number.NaN), 0) / total;
  return {
    r2: mean('visible'),
    mse: mean('visibleMse'),
    extravascularR2: mean('visibleExtravascular'),
    extravascularMse: mean('visibleExtravascularMse'),
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
