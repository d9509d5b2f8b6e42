// OME-TIFF: the OME-XML of the first image says which image is which channel.
import { FormatError } from '../../core/errors.ts';
import { notJoined, type OmeImage, type OmeXml, parseOmeXml } from '../ome-xml.ts';
import { choosePlane, type OpenSlideOptions } from '../source-options.ts';
import { recordedScale } from '../value-scale.ts';
import type { Directory } from './directory.ts';
import { findPyramid } from './pyramid.ts';
import type { TiffImages, TiffPlan } from './tiff-images.ts';

/** Most channels of one slide. */
const maxChannels = 512;

export async function planOme(
  images: TiffImages,
  directories: readonly Directory[],
  description: string,
  options: OpenSlideOptions,
): Promise<TiffPlan> {
  const { path } = images;
  const xml = parseOmeXml(description, path);
  const image = mainImage(xml, path);
  const z = choosePlane(path, 'z', image.sizeZ, options.plane?.z);
  const t = choosePlane(path, 't', image.sizeT, options.plane?.t);
  const planes = channelPlanes(image, path);
  if (planes.length > maxChannels) {
    throw new FormatError(
      path,
      `its OME-XML says ${planes.length} channels; more than ${maxChannels} are not read.`,
    );
  }
  const indices = locatePlanes(xml, image, { planes: planes.length, z, t }, directories.length, path);
  const pages: Directory[] = [];
  for (let c = 0; c < planes.length; c++) {
    const index = indices[c];
    const directory = directories[index];
    if (directory === undefined) {
      throw new FormatError(
        path,
        `its OME-XML places channel ${c} in image ${index}, but the file holds ${directories.length}; the file is cut off or damaged.`,
      );
    }
    const shape = await images.shapeOf(directory);
    if (shape.width !== image.sizeX || shape.height !== image.sizeY) {
      throw new FormatError(
        path,
        `its OME-XML says ${image.sizeX} x ${image.sizeY} pixels, found ${shape.width} x ${shape.height} in channel ${c}; the file is damaged.`,
      );
    }
    if (shape.samplesPerPixel !== planes[c].samplesPerPixel) {
      throw new FormatError(
        path,
        `its OME-XML says ${planes[c].samplesPerPixel} samples a pixel in channel ${c}, found ${shape.samplesPerPixel}; the file is damaged.`,
      );
    }
    pages.push(directory);
  }
  const used = new Set(pages);
  const rest = directories.filter((directory) => !used.has(directory));
  const isAlone = xml.images.length === 1 && image.sizeZ === 1 && image.sizeT === 1;
  const { levels } = await findPyramid(images, pages, isAlone ? rest : []);
  if (isAlone) await refuseUnnamed(images, image, rest);
  const roles = [...xml.annotations].filter(([key]) => key.startsWith('role: '));
  return {
    format: 'OME-TIFF',
    levels: levels.map((level) => level.map((directory) => ({ directory }))),
    names: planes.map(({ name }) => name),
    colors: planes.map(({ color }) => color),
    roles: new Map(roles.map(([key, role]) => [key.slice('role: '.length), role])),
    valueScale: recordedScale(xml.annotations, (await images.shapeOf(pages[0])).sampleType),
    annotations: xml.annotations,
    pixelWidthUm: image.pixelWidthUm,
    pixelHeightUm: image.pixelHeightUm,
  };
}

/**
 * The slide among several images: by far the largest; labels and overviews are small.
 * @throws FormatError when several are as large
 */
function mainImage({ images }: OmeXml, path: string): OmeImage {
  const bySize = [...images].sort((a, b) => b.sizeX * b.sizeY - a.sizeX * a.sizeY);
  const [largest, next] = bySize;
  if (next !== undefined && next.sizeX * next.sizeY * 2 > largest.sizeX * largest.sizeY) {
    throw new FormatError(
      path,
      `it holds ${images.length} images of similar size (${images.map(({ name }) => `'${name}'`).join(', ')}), and one slide a file is expected. ` +
        'Save each alone: bfconvert -series 0 IN OUT.ome.tif',
    );
  }
  return largest;
}

/** One entry for each image of a plane; a colour image is one. */
function channelPlanes(image: OmeImage, path: string): OmeImage['channels'] {
  if (image.channels.length === 0) {
    return Array.from({ length: Math.min(image.sizeC, maxChannels + 1) }, () => ({
      name: undefined,
      samplesPerPixel: 1,
      color: undefined,
    }));
  }
  const samples = image.channels.reduce((sum, channel) => sum + channel.samplesPerPixel, 0);
  if (samples === image.sizeC) return image.channels;
  // Some writers give one Channel for each sample although all lie in one image, and some give fewer than SizeC.
  throw new FormatError(
    path,
    `its OME-XML says SizeC=${image.sizeC} but describes ${samples} channels; the file is damaged.`,
  );
}

/** The index of the image directory of each channel, at one focal plane and time point. */
function locatePlanes(
  xml: OmeXml,
  image: OmeImage,
  at: { readonly planes: number; readonly z: number; readonly t: number },
  directories: number,
  path: string,
): number[] {
  const sizes: Record<string, number> = { C: at.planes, Z: image.sizeZ, T: image.sizeT };
  const [fast, middle, slow] = image.dimensionOrder.slice(2);
  const indexOf = (place: Record<string, number>): number =>
    place[fast] + sizes[fast] * (place[middle] + sizes[middle] * place[slow]);
  const wanted = Array.from({ length: at.planes }, (_, C) => indexOf({ C, Z: at.z, T: at.t }));
  if (image.tiffData.length === 0) return wanted;
  const found = new Map<number, number>();
  const open = new Map(wanted.map((index, c) => [index, c]));
  let own = xml.uuid;
  for (const data of image.tiffData) {
    const first = indexOf({ C: data.firstC, Z: data.firstZ, T: data.firstT });
    const count = data.planeCount ?? (data.ifd === undefined ? directories : 1);
    const covered = count === 1 ? [first] : [...open.keys()].filter((i) => i >= first && i < first + count);
    for (const index of covered) {
      const c = open.get(index);
      if (c === undefined) continue;
      // A file that does not say which it is holds what its first channel names.
      own ??= data.uuid;
      if (data.uuid !== undefined && data.uuid !== own) {
        throw new FormatError(
          path,
          `channel ${c} lies in another file (${data.fileName ?? data.uuid}); ${notJoined}`,
        );
      }
      found.set(c, (data.ifd ?? 0) + index - first);
      open.delete(index);
    }
    if (open.size === 0) break;
  }
  for (const c of open.values()) {
    throw new FormatError(path, `its OME-XML does not say where channel ${c} lies; the file is damaged.`);
  }
  return wanted.map((_, c) => found.get(c)!);
}

/** Full-size images that the OME-XML does not speak of would be left out without a word. */
async function refuseUnnamed(images: TiffImages, image: OmeImage, rest: readonly Directory[]): Promise<void> {
  for (const directory of rest) {
    const shape = await images.shapeOf(directory);
    if (shape.width === image.sizeX && shape.height === image.sizeY) {
      throw new FormatError(
        images.path,
        `its OME-XML describes ${image.sizeC} channels, but the file holds more images of their size; the file is damaged.`,
      );
    }
  }
}
