// A folder with one file a channel: the channels are called as the files.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, FormatError } from '../core/errors.ts';
import type { ChannelInfo, PixelSource } from '../core/pixel-source.ts';
import { createRaster, type Raster } from '../core/raster.ts';
import { readFailure } from './file-bytes.ts';
import type { OpenSlideOptions } from './source-options.ts';

/** Endings of files that may be a channel. */
const imageName = /\.(ome\.)?(tiff?|tf8|tf2|btf|png|jpe?g)$/i;

/** Whether a folder's file of this name is read as one of its channels. */
export function isChannelFile(name: string): boolean {
  return !name.startsWith('.') && imageName.test(name);
}

/**
 * @param openFile opens a single file
 * @throws FormatError for a folder without images, files of more than one channel, or of different sizes; what
 * `openFile` throws, also for a plane that one of the files does not have
 */
export async function openFolder(
  path: string,
  options: OpenSlideOptions,
  openFile: (path: string, options: OpenSlideOptions) => Promise<PixelSource>,
): Promise<PixelSource> {
  const entries = await readdir(path, { withFileTypes: true }).catch((cause) => {
    throw readFailure(path, cause);
  });
  const names = entries
    .filter((entry) => !entry.isDirectory() && isChannelFile(entry.name))
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) {
    throw new FormatError(
      path,
      'the folder holds no images. Expected one file a channel (TIFF, PNG or JPEG, such as DAPI.tif), or give a slide file.',
    );
  }
  for (const channel of names.map(channelOf)) {
    const alike = names.filter((name) => channelOf(name) === channel);
    if (alike.length === 1) continue;
    throw new FormatError(
      path,
      `${alike.join(' and ')} would be one channel, '${channel}'. Move what does not belong to the slide elsewhere.`,
    );
  }
  const sources: PixelSource[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(sources.map((source) => source.close()));
  };
  try {
    for (const name of names) {
      const source = await openFile(join(path, name), options);
      sources.push(source);
      if (source.channels.length !== 1) {
        throw new FormatError(
          path,
          `${name} holds ${source.channels.length} channels, and a folder is read as one file a channel. Give the file itself as the slide.`,
        );
      }
      if (source.annotations?.has('predictedBy')) {
        throw new FormatError(
          path,
          `${name} is a prediction and no channel of the slide. Move it elsewhere.`,
        );
      }
      // One that states its pixel size, where any does.
      const stated = Math.max(
        0,
        sources.findIndex(({ pixelSizeUm }) => pixelSizeUm !== undefined),
      );
      checkFit(path, sources[stated], names[stated], source, name);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return combine(path, sources, names, close);
}

function channelOf(name: string): string {
  return name.replace(imageName, '');
}

function checkFit(
  path: string,
  first: PixelSource,
  firstName: string,
  other: PixelSource,
  name: string,
): void {
  if (other.width !== first.width || other.height !== first.height) {
    throw new FormatError(
      path,
      `${firstName} has ${first.width} x ${first.height} pixels but ${name} ${other.width} x ${other.height}. ` +
        'The channels of a slide have one size; move what does not belong to it elsewhere.',
    );
  }
  const [a, b] = [first.pixelSizeUm, other.pixelSizeUm];
  if (a !== undefined && b !== undefined && Math.abs(a - b) > 0.01 * a) {
    throw new DataError(
      `${path}: ${firstName} has pixels of ${a} um but ${name} of ${b} um. Give the right one with --pixel-size-um.`,
    );
  }
}

function combine(
  path: string,
  sources: readonly PixelSource[],
  names: readonly string[],
  close: () => Promise<void>,
): PixelSource {
  const [first] = sources;
  const channels: ChannelInfo[] = sources.map((source, i) => ({
    ...source.channels[0],
    name: channelOf(names[i]),
  }));
  // Levels that all channels have, with the place that each has among a channel's own.
  const places = first.levels.map((level) =>
    sources.map(({ levels: own }) =>
      own.findIndex(({ width, height }) => width === level.width && height === level.height),
    ),
  );
  const shared = first.levels.flatMap((level, l) =>
    places[l].includes(-1) ? [] : [{ level, at: places[l] }],
  );
  const kinds = [...new Set(sources.map(({ format }) => format))];
  return {
    path,
    format: `folder of ${kinds.join(' and ')}`,
    width: first.width,
    height: first.height,
    channels,
    pixelSizeUm: sources.find(({ pixelSizeUm }) => pixelSizeUm !== undefined)?.pixelSizeUm,
    levels: shared.map(({ level }) => level),
    async read(region, wanted, readOptions): Promise<Raster> {
      const raster = createRaster(wanted.length, region.height, region.width);
      await Promise.all(
        wanted.map(async (channel, c) => {
          const level = shared[readOptions?.level ?? 0].at[channel];
          const part = await sources[channel].read(region, [0], { ...readOptions, level });
          raster.data.set(part.data, c * region.height * region.width);
        }),
      );
      return raster;
    },
    close,
  };
}
