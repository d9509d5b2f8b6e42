// TIFF files of every kind, behind one way of reading.
import { FormatError } from '../../core/errors.ts';
import type { ChannelInfo } from '../../core/pixel-source.ts';
import type { BlockedImage, ChannelPlane } from '../blocked-source.ts';
import { channelNames, sampleNames } from '../channel-names.ts';
import { FileBytes } from '../file-bytes.ts';
import { squarePixel } from '../pixel-size.ts';
import type { OpenSlideOptions } from '../source-options.ts';
import { readDirectories, readHeader } from './directory.ts';
import { openPlanes } from './image-planes.ts';
import { planImageJ } from './imagej-tiff.ts';
import { planOme } from './ome-tiff.ts';
import { planPlain } from './plain-tiff.ts';
import { tag } from './tags.ts';
import { TiffImages, type TiffPlan } from './tiff-images.ts';

/**
 * @returns undefined when the file is no TIFF
 * @throws FileAccessError; FormatError for a damaged file or a kind that is not read; DataError for a stack without a
 * chosen plane and for pixels that are not square; UsageError for a plane that is not there
 */
export async function openTiff(path: string, options: OpenSlideOptions): Promise<BlockedImage | undefined> {
  const file = await FileBytes.open(path);
  try {
    const header = await readHeader(file);
    if (header === undefined) {
      await file.close();
      return undefined;
    }
    const directories = await readDirectories(file, header);
    const images = new TiffImages(file, header);
    const description = (await directories[0].text(tag.imageDescription)) ?? '';
    const plan = /<(\w+:)?OME[\s>]/.test(description)
      ? await planOme(images, directories, description, options)
      : description.startsWith('ImageJ=')
        ? await planImageJ(images, directories, description, options)
        : await planPlain(images, directories, description, options);
    return await openPlan(images, plan, options);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openPlan(
  images: TiffImages,
  plan: TiffPlan,
  options: OpenSlideOptions,
): Promise<BlockedImage> {
  const { path } = images;
  const levels: ChannelPlane[][] = [];
  for (const pages of plan.levels) {
    const planes: ChannelPlane[] = [];
    for (const { directory, firstByte } of pages) {
      planes.push(...(await openPlanes(images.file, directory, await images.shapeOf(directory), firstByte)));
    }
    const [{ plane }] = planes;
    if (planes.some((other) => other.plane.width !== plane.width || other.plane.height !== plane.height)) {
      throw new FormatError(path, 'its channels have different sizes; the file is damaged.');
    }
    if (levels.length > 0 && planes.length !== levels[0].length) {
      throw new FormatError(path, 'a level of its pyramid lacks channels; the file is damaged.');
    }
    levels.push(planes);
  }
  const types: ChannelInfo['sampleType'][] = [];
  const names: (string | undefined)[] = [];
  const colors: (number | undefined)[] = [];
  for (const [p, { directory }] of plan.levels[0].entries()) {
    const shape = await images.shapeOf(directory);
    const base = plan.names.length === 1 && shape.samplesPerPixel > 1 ? undefined : plan.names[p];
    names.push(...sampleNames(shape.samplesPerPixel, base));
    for (let s = 0; s < shape.samplesPerPixel; s++) {
      types.push(shape.sampleType);
      colors.push(shape.samplesPerPixel === 1 ? plan.colors?.[p] : undefined);
    }
  }
  const channels = channelNames(names).map((name, c) => ({
    name,
    sampleType: types[c],
    ...(colors[c] === undefined ? {} : { color: colors[c] }),
    ...(plan.roles?.has(name) ? { role: plan.roles.get(name) } : {}),
  }));
  return {
    path,
    format: plan.format,
    channels,
    pixelSizeUm: options.pixelSizeUm ?? squarePixel(path, plan.pixelWidthUm, plan.pixelHeightUm),
    ...(plan.valueScale === undefined ? {} : { valueScale: plan.valueScale }),
    annotations: plan.annotations,
    levels,
    close: () => images.file.close(),
  };
}
