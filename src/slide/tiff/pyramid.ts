// Finds the smaller copies of a slide's images: as SubIFDs, or as further images of the main chain.
import { FormatError } from '../../core/errors.ts';
import type { Directory } from './directory.ts';
import type { ImageShape } from './image-shape.ts';
import { tag } from './tags.ts';
import type { TiffImages } from './tiff-images.ts';

export interface Pyramid {
  /** [level][page]; level 0 are the pages given. */
  readonly levels: readonly (readonly Directory[])[];
  /** Images that are neither: labels, thumbnails, overviews. */
  readonly others: readonly Directory[];
}

/**
 * @param pages the full-resolution images
 * @param rest further images of the main chain
 */
export async function findPyramid(
  images: TiffImages,
  pages: readonly Directory[],
  rest: readonly Directory[],
): Promise<Pyramid> {
  const subs: Directory[][] = [];
  for (const page of pages) subs.push(await images.subImages(page));
  if (subs.some((sub) => sub.length > 0)) {
    return { levels: [pages, ...(await levelsOfSubs(images, pages, subs))], others: rest };
  }
  return levelsOfChain(images, pages, rest);
}

async function levelsOfSubs(
  images: TiffImages,
  pages: readonly Directory[],
  subs: readonly Directory[][],
): Promise<Directory[][]> {
  const full = await images.shapeOf(pages[0]);
  const count = subs[0].length;
  if (subs.some((sub) => sub.length !== count)) {
    throw new FormatError(images.path, 'its channels have pyramids of different depth; the file is damaged.');
  }
  const levels = Array.from({ length: count }, (_, level) => subs.map((sub) => sub[level]));
  for (const level of levels) {
    for (const directory of level) {
      const shape = await images.shapeOf(directory);
      if (!isSmallerCopy(shape, full)) {
        throw new FormatError(
          images.path,
          `a level of the pyramid has ${shape.width} x ${shape.height} pixels, which is no smaller copy of ` +
            `${full.width} x ${full.height}; the file is damaged.`,
        );
      }
    }
  }
  return sortLevels(images, levels);
}

/** Runs of as many images as there are pages, all of one size and shaped like the full resolution. */
async function levelsOfChain(
  images: TiffImages,
  pages: readonly Directory[],
  rest: readonly Directory[],
): Promise<Pyramid> {
  const full = await images.shapeOf(pages[0]);
  const levels: Directory[][] = [];
  const others: Directory[] = [];
  let run: Directory[] = [];
  let size: ImageShape | undefined;
  for (const directory of rest) {
    const shape = await images.shapeOf(directory).catch(() => undefined);
    if (shape === undefined || shape.isTiled !== full.isTiled || !isSmallerCopy(shape, full)) {
      others.push(directory);
      continue;
    }
    if (size === undefined || shape.width !== size.width || shape.height !== size.height) {
      others.push(...run);
      run = [];
      size = shape;
    }
    run.push(directory);
    if (run.length === pages.length) {
      levels.push(run);
      run = [];
      size = undefined;
    }
  }
  return { levels: [pages, ...(await sortLevels(images, levels))], others: [...others, ...run] };
}

async function sortLevels(images: TiffImages, levels: Directory[][]): Promise<Directory[][]> {
  const sized: { level: Directory[]; width: number }[] = [];
  for (const level of levels) sized.push({ level, width: (await images.shapeOf(level[0])).width });
  return sized.sort((a, b) => b.width - a.width).map(({ level }) => level);
}

/** Same samples, smaller, and the same proportions but for rounding up or down by a pixel at each halving. */
function isSmallerCopy(shape: ImageShape, full: ImageShape): boolean {
  if (shape.sampleType !== full.sampleType || shape.samplesPerPixel !== full.samplesPerPixel) return false;
  if (shape.width > full.width || shape.height > full.height) return false;
  if (shape.width === full.width && shape.height === full.height) return false;
  const slack = 2;
  const least = Math.max((shape.width - slack) / full.width, (shape.height - slack) / full.height);
  const most = Math.min((shape.width + slack) / full.width, (shape.height + slack) / full.height);
  return least <= most;
}

/** True for an image that says of itself that it is a smaller copy of another. */
export async function isReduced(directory: Directory): Promise<boolean> {
  return ((await directory.number(tag.newSubfileType, 0)) & 1) === 1;
}
