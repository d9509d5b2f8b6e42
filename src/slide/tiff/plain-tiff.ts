// TIFFs that say nothing of their images: one image, pages that are channels, or a pyramid such as SVS.
import { FormatError } from '../../core/errors.ts';
import { fromResolution } from '../pixel-size.ts';
import { type OpenSlideOptions, requireOnlyPlane } from '../source-options.ts';
import type { Directory } from './directory.ts';
import { findPyramid, isReduced } from './pyramid.ts';
import { tag } from './tags.ts';
import type { TiffImages, TiffPlan } from './tiff-images.ts';

/** More pages than this are a stack of which nothing says what its planes are. */
const maxPages = 64;

/**
 * Pages of the size of the first one are channels; smaller ones of its shape are levels.
 * @throws FormatError for pages that are neither; UsageError for a plane other than the only one
 */
export async function planPlain(
  images: TiffImages,
  directories: readonly Directory[],
  description: string,
  options: OpenSlideOptions,
): Promise<TiffPlan> {
  const isAperio = description.startsWith('Aperio');
  const first = await images.shapeOf(directories[0]);
  const pages = [directories[0]];
  for (const directory of directories.slice(1)) {
    if (isAperio || (await isReduced(directory))) break;
    const shape = await images.shapeOf(directory);
    if (shape.width !== first.width || shape.height !== first.height) break;
    if (pages.length === maxPages) {
      throw new FormatError(
        images.path,
        `more than ${maxPages} pages, and nothing says whether they are channels, focal planes or time points. ` +
          'Save it as OME-TIFF or as an ImageJ hyperstack.',
      );
    }
    pages.push(directory);
  }
  requireOnlyPlane(images.path, options.plane);
  const { levels, others } = await findPyramid(images, pages, directories.slice(pages.length));
  for (const other of others) {
    // Labels and overviews of slide scanners are not tiled; anything else would be skipped without a word.
    if (isAperio || (await isReduced(other)) || (first.isTiled && !other.has(tag.tileWidth))) continue;
    const shape = await images.shapeOf(other);
    throw new FormatError(
      images.path,
      `its pages have different sizes: ${first.width} x ${first.height} and ${shape.width} x ${shape.height}. ` +
        'Expected channels of one size, and a pyramid of all of them if any. Save one image a file.',
    );
  }
  const aperioUm = Number(/\|\s*MPP\s*=\s*([\d.]+)/.exec(description)?.[1] ?? Number.NaN);
  const unit = await directories[0].number(tag.resolutionUnit, 2);
  return {
    format: isAperio ? 'Aperio SVS' : 'TIFF',
    levels: levels.map((level) => level.map((directory) => ({ directory }))),
    names: pages.map(() => undefined),
    pixelWidthUm: isAperio
      ? aperioUm || undefined
      : fromResolution(await directories[0].number(tag.xResolution, 0), unit),
    pixelHeightUm: isAperio
      ? aperioUm || undefined
      : fromResolution(await directories[0].number(tag.yResolution, 0), unit),
  };
}
