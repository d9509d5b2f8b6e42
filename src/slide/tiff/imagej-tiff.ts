// ImageJ and Fiji hyperstacks.
import { FormatError } from '../../core/errors.ts';
import { toMicrometres } from '../../core/units.ts';
import { bytesOf } from '../sample-type.ts';
import { choosePlane, type OpenSlideOptions } from '../source-options.ts';
import type { Directory } from './directory.ts';
import { compression, tag } from './tags.ts';
import type { TiffImages, TiffPage, TiffPlan } from './tiff-images.ts';

/** Planes lie in the order channel, focal plane, time point, the first fastest. */
export async function planImageJ(
  images: TiffImages,
  directories: readonly Directory[],
  description: string,
  options: OpenSlideOptions,
): Promise<TiffPlan> {
  const said = new Map(
    description.split(/\r?\n/).map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1).trim()] as const;
    }),
  );
  const count = (key: string): number => {
    const value = Number(said.get(key) ?? 1);
    if (Number.isInteger(value) && value >= 1 && value <= 2 ** 24) return value;
    throw new FormatError(
      images.path,
      `its ImageJ description says ${key}=${said.get(key)}; the file is damaged.`,
    );
  };
  const planes = count('images');
  const channels = count('channels');
  const slices = count('slices');
  const frames = count('frames');
  // A stack that is no hyperstack has slices only, or says nothing but the number of its images.
  const isPlainStack = channels * slices * frames === 1 && planes > 1;
  const depth = isPlainStack ? planes : slices;
  if (channels * depth * frames !== planes) {
    throw new FormatError(
      images.path,
      `its ImageJ description says ${planes} images but ${channels} channels x ${depth} slices x ${frames} frames; the file is damaged.`,
    );
  }
  const z = choosePlane(images.path, 'z', depth, options.plane?.z);
  const t = choosePlane(images.path, 't', frames, options.plane?.t);
  const indices = Array.from({ length: channels }, (_, c) => (t * depth + z) * channels + c);
  const labels = await readLabels(directories[0]);
  const unit = decodeUnit(said.get('unit') ?? '');
  const sizeUm = async (field: number): Promise<number | undefined> => {
    const pixels = await directories[0].number(field, 0);
    return pixels > 0 ? roundedUm(toMicrometres(1 / pixels, unit)) : undefined;
  };
  return {
    format: 'ImageJ TIFF',
    levels: [await findPages(images, directories, planes, indices)],
    names: indices.map((index) => labels[index]?.replace(/^[czt]:\d+\/\d+(\s+[czt]:\d+\/\d+)*\s+-\s+/, '')),
    pixelWidthUm: await sizeUm(tag.xResolution),
    pixelHeightUm: await sizeUm(tag.yResolution),
  };
}

/** Stacks above 4 GiB have one directory; their planes follow the first one without a gap. */
async function findPages(
  images: TiffImages,
  directories: readonly Directory[],
  planes: number,
  indices: readonly number[],
): Promise<TiffPage[]> {
  if (directories.length >= planes) return indices.map((index) => ({ directory: directories[index] }));
  const [directory] = directories;
  const shape = await images.shapeOf(directory);
  if (directories.length !== 1 || shape.compression !== compression.none || shape.isTiled) {
    throw new FormatError(
      images.path,
      `its ImageJ description says ${planes} images, found ${directories.length}; the file is cut off or damaged.`,
    );
  }
  const start = await directory.number(tag.stripOffsets, 0);
  const planeBytes = shape.width * shape.height * shape.samplesPerPixel * bytesOf(shape.sampleType);
  return indices.map((index) => ({ directory, firstByte: start + index * planeBytes }));
}

/** The labels of all planes, from ImageJ's own tag; missing ones are undefined. */
async function readLabels(directory: Directory): Promise<(string | undefined)[]> {
  const lengths = await directory.numbers(tag.imageJMetadataByteCounts);
  const bytes = await directory.bytes(tag.imageJMetadata);
  if (bytes === undefined || lengths.length === 0) return [];
  const { littleEndian } = directory.header;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const labels: string[] = [];
  let at = lengths[0];
  let item = 1;
  // The header names kinds of data and how many of each follow: 4 letters, 4 bytes of count.
  for (let head = 4; head + 8 <= Math.min(lengths[0], bytes.length); head += 8) {
    const kind = view.getUint32(head, littleEndian);
    const count = view.getUint32(head + 4, littleEndian);
    for (let i = 0; i < count && item < lengths.length; i++) {
      const end = at + lengths[item++];
      if (end > bytes.length) return labels;
      if (kind === 0x6c61626c) {
        const encoding = littleEndian ? 'utf-16le' : 'utf-16be';
        labels.push(new TextDecoder(encoding).decode(bytes.subarray(at, end)));
      }
      at = end;
    }
  }
  return labels;
}

/** ImageJ writes the micro sign as the escape of its code point. */
function decodeUnit(unit: string): string {
  return unit.replace(/\\u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function roundedUm(sizeUm: number | undefined): number | undefined {
  return sizeUm === undefined ? undefined : Number(sizeUm.toPrecision(6));
}
