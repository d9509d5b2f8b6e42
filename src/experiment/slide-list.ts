// Which slides a command line means: their names, and what it says about single ones.
import { basename, dirname, resolve } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { isUrl } from '../dataset/fingerprint.ts';

/** A slide as the user gave it, with a short name that is unique among all. */
export interface ListedSlide {
  readonly path: string;
  readonly name: string;
}

/** Absolute path, or the address as it is. */
export function absolutePath(path: string): string {
  return isUrl(path) ? path : resolve(path);
}

/**
 * Names every slide by its file name without ending, with the folder's name in front where that is not unique.
 * @throws UsageError when a slide is given twice
 */
export function listSlides(paths: readonly string[]): ListedSlide[] {
  const absolute = paths.map(absolutePath);
  const twice = absolute.findIndex((path, i) => absolute.indexOf(path) !== i);
  if (twice >= 0) throw new UsageError(`${paths[twice]} is given twice. Give each slide once.`);
  const short = absolute.map(shortName);
  const long = absolute.map((path, i) => `${basename(dirname(path))}-${short[i]}`);
  return absolute.map((path, i) => {
    const isUnique = (names: readonly string[]): boolean =>
      names.filter((name) => name === names[i]).length === 1;
    const name = isUnique(short) ? short[i] : isUnique(long) ? long[i] : `${i + 1}-${short[i]}`;
    return { path, name };
  });
}

/**
 * Index of the slide that an option names, by path or by short name; -1 for none.
 * @throws UsageError when a short name fits no slide by path but several by file name
 */
export function findSlide(slides: readonly ListedSlide[], given: string): number {
  const path = absolutePath(given);
  const byPath = slides.findIndex((slide) => slide.path === path);
  if (byPath >= 0) return byPath;
  return slides.findIndex((slide) => slide.name === given || basename(slide.path) === given);
}

function shortName(path: string): string {
  const name = basename(path.replace(/[/\\]+$/, '')).replace(
    /\.(ome\.)?(tiff?|tf[28]|btf|zarr|svs|png|jpe?g)$/i,
    '',
  );
  // Used in file names of the dataset.
  return name.replace(/[^\p{L}\p{N}._-]+/gu, '_') || 'slide';
}
