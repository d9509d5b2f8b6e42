// Which slides a command line means: their names, and what it says about single ones.
import { basename, dirname, resolve } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { isUrl, withoutQuery } from '../dataset/fingerprint.ts';

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
 * Names every slide by its file name without ending, with the folder's name or a number in front where that is not
 * unique.
 * @throws UsageError when a slide is given twice
 */
export function listSlides(paths: readonly string[]): ListedSlide[] {
  const absolute = paths.map(absolutePath);
  const twice = absolute.findIndex((path, i) => absolute.indexOf(path) !== i);
  if (twice >= 0) throw new UsageError(`${paths[twice]} is given twice. Give each slide once.`);
  const short = absolute.map(shortName);
  const long = absolute.map((path, i) => `${basename(dirname(withoutQuery(path)))}-${short[i]}`);
  const numbered = short.map((name, i) => `${i + 1}-${name}`);
  const mixed = absolute.map((_, i) => {
    const isUnique = (names: readonly string[]): boolean =>
      names.filter((name) => name === names[i]).length === 1;
    return isUnique(short) ? short[i] : isUnique(long) ? long[i] : numbered[i];
  });
  // The long name of one slide may be the short one of another: a/b.tif, c/b.tif and a-b.tif.
  const names = new Set(mixed).size === mixed.length ? mixed : numbered;
  return absolute.map((path, i) => ({ path, name: names[i] }));
}

/**
 * Index of the slide that an option names, by path, by its name in the list or by its file name with or without the
 * ending; -1 for none.
 * @throws UsageError when it is no slide's path and fits several by name
 */
export function findSlide(slides: readonly ListedSlide[], given: string): number {
  const path = absolutePath(given);
  const byPath = slides.findIndex((slide) => slide.path === path);
  if (byPath >= 0) return byPath;
  const fitting = slides.filter((slide) =>
    [slide.name, basename(withoutQuery(slide.path)), shortName(slide.path)].includes(given),
  );
  if (fitting.length > 1) {
    const all = fitting.map((slide) => slide.path).join(' or ');
    throw new UsageError(`the slide ${given} could be ${all}. Give the path of the one that is meant.`);
  }
  return fitting.length === 0 ? -1 : slides.indexOf(fitting[0]);
}

function shortName(path: string): string {
  const name = basename(withoutQuery(path).replace(/[/\\]+$/, '')).replace(
    /\.(ome\.)?(tiff?|tf[28]|btf|zarr|svs|png|jpe?g)$/i,
    '',
  );
  // Used in file names of the dataset.
  return name.replace(/[^\p{L}\p{N}._-]+/gu, '_') || 'slide';
}
