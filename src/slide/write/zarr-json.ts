// The metadata documents of an OME-Zarr 0.5 with Zarr v3 arrays.
import { annotationPairs } from './ome-xml-text.ts';
import { levelSizes, type SlideDescription, tilePx } from './slide-description.ts';

/** Smallest and largest number of a channel; min > max where it holds none. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/** How chunks are compressed; Zstandard unless the description says otherwise. */
export function zarrCompression({ compression = 'zstd' }: SlideDescription): 'zstd' | 'gzip' | 'none' {
  return compression === 'deflate' ? 'gzip' : compression;
}

/** zarr.json of the array of a level. */
export function arrayJson(slide: SlideDescription, level: number): string {
  const { width, height } = levelSizes(slide.width, slide.height)[level];
  const method = zarrCompression(slide);
  const compressors = {
    none: [],
    gzip: [{ name: 'gzip', configuration: { level: 1 } }],
    zstd: [{ name: 'zstd', configuration: { level: 1, checksum: true } }],
  };
  return toText({
    zarr_format: 3,
    node_type: 'array',
    shape: [slide.channels.length, height, width],
    data_type: slide.sampleType,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [1, tilePx, tilePx] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    // One byte has no order.
    codecs: [
      slide.sampleType === 'uint8'
        ? { name: 'bytes' }
        : { name: 'bytes', configuration: { endian: 'little' } },
      ...compressors[method],
    ],
    dimension_names: ['c', 'y', 'x'],
    attributes: {},
  });
}

/** zarr.json of the group: levels, axes, channels, and our key and value pairs under 'hrpn'. */
export function groupJson(slide: SlideDescription, ranges: readonly ValueRange[]): string {
  const { pixelSizeUm, description } = slide;
  const pairs = annotationPairs(slide);
  const datasets = levelSizes(slide.width, slide.height).map((_, level) => {
    // Levels are halved exactly; their sizes are rounded up.
    const step = pixelSizeUm * 2 ** level;
    const transforms: object[] = [{ type: 'scale', scale: [1, step, step] }];
    // The centre of a pixel made of 2 x 2 lies between theirs.
    const shift = (pixelSizeUm * (2 ** level - 1)) / 2;
    if (level > 0) transforms.push({ type: 'translation', translation: [0, shift, shift] });
    return { path: String(level), coordinateTransformations: transforms };
  });
  return toText({
    zarr_format: 3,
    node_type: 'group',
    attributes: {
      ome: {
        version: '0.5',
        multiscales: [
          {
            ...(description === undefined ? {} : { name: description }),
            axes: [
              { name: 'c', type: 'channel' },
              { name: 'y', type: 'space', unit: 'micrometer' },
              { name: 'x', type: 'space', unit: 'micrometer' },
            ],
            datasets,
            type: 'mean',
          },
        ],
        omero: {
          channels: slide.channels.map(({ name, color = 0xffffff }, c) => {
            const { min, max } = ranges[c].min <= ranges[c].max ? ranges[c] : { min: 0, max: 1 };
            return {
              label: name,
              color: color.toString(16).padStart(6, '0').toUpperCase(),
              active: true,
              window: { min, max, start: min, end: max },
            };
          }),
        },
      },
      ...(pairs.length === 0 ? {} : { hrpn: Object.fromEntries(pairs) }),
    },
  });
}

function toText(json: object): string {
  return `${JSON.stringify(json, null, 2)}\n`;
}
