// What a directory says of its image, checked for sense.
import { FormatError } from '../../core/errors.ts';
import type { SampleType } from '../../core/pixel-source.ts';
import type { FileBytes } from '../file-bytes.ts';
import { lossless } from './decompress.ts';
import type { Directory } from './directory.ts';
import { predictor } from './predictor.ts';
import { compression, photometric, tag } from './tags.ts';

/** Largest edge of an image; larger ones are damage, not slides. */
const maxEdgePx = 2 ** 26;

/** How the samples of an image are stored. */
export interface ImageShape {
  readonly width: number;
  readonly height: number;
  readonly samplesPerPixel: number;
  readonly sampleType: SampleType;
  readonly photometric: number;
  readonly compression: number;
  readonly predictor: number;
  readonly isPlanar: boolean;
  readonly isTiled: boolean;
  readonly blockWidth: number;
  readonly blockHeight: number;
  readonly blocksWide: number;
  readonly blocksHigh: number;
}

const compressionNames: Readonly<Record<number, string>> = {
  2: 'CCITT',
  3: 'CCITT fax 3',
  4: 'CCITT fax 4',
  6: 'old JPEG',
  33003: 'JPEG 2000',
  33004: 'JPEG 2000',
  33005: 'JPEG 2000',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  50001: 'WebP',
  50002: 'JPEG XL',
  22610: 'JPEG XR',
  34934: 'JPEG XR',
};

/** @throws FormatError for what is damaged, contradicts itself or is of a kind that is not read */
export async function readShape(file: FileBytes, directory: Directory): Promise<ImageShape> {
  const refuse = (what: string): FormatError => new FormatError(file.path, what);
  const width = await directory.number(tag.imageWidth, 0);
  const height = await directory.number(tag.imageLength, 0);
  if (!isSize(width) || !isSize(height)) {
    throw refuse(`an image of ${width} x ${height} pixels cannot be; the file is damaged.`);
  }
  const samplesPerPixel = await directory.number(tag.samplesPerPixel, 1);
  if (!Number.isInteger(samplesPerPixel) || samplesPerPixel < 1 || samplesPerPixel > 1024) {
    throw refuse(`${samplesPerPixel} samples a pixel cannot be; the file is damaged.`);
  }
  const sampleType = await readSampleType(file, directory, samplesPerPixel);
  const method = await directory.number(tag.compression, 1);
  const kind = await directory.number(tag.photometric, photometric.blackIsZero);
  if (!lossless.has(method) && method !== compression.jpeg) {
    const name = compressionNames[method] ?? 'unknown';
    throw refuse(
      `compression ${method} (${name}) is not read. Convert the file: vips tiffsave IN OUT.tif --tile --pyramid --compression deflate`,
    );
  }
  // ImageJ writes its values as they are and means the colours they are shown in.
  if (
    kind === photometric.whiteIsZero &&
    !(await directory.text(tag.imageDescription))?.startsWith('ImageJ=')
  ) {
    throw refuse(
      'the image is stored as a negative (white is zero), so bright is dark. Save it again as black is zero: vips copy IN OUT.tif',
    );
  }
  if (kind === photometric.palette) {
    throw refuse(
      'the colours come from a palette, so the values are not intensities. Save it as grey levels or RGB.',
    );
  }
  if (kind > 2 && !(kind === photometric.yCbCr && method === compression.jpeg)) {
    throw refuse(`photometric interpretation ${kind} is not read. Save the image as grey levels or RGB.`);
  }
  const undo = await directory.number(tag.predictor, predictor.none);
  const isFloat = sampleType === 'float32' || sampleType === 'float64';
  if (undo !== 1 && undo !== 2 && !(undo === 3 && isFloat)) {
    throw refuse(`predictor ${undo} for ${sampleType} samples cannot be; the file is damaged.`);
  }
  if ((await directory.number(tag.fillOrder, 1)) !== 1) {
    throw refuse('reversed bit order (FillOrder 2) is not read. Save the image again with libtiff or Fiji.');
  }
  const isTiled = directory.has(tag.tileWidth) || directory.has(tag.tileOffsets);
  const rowsPerStrip = await directory.number(tag.rowsPerStrip, 2 ** 32 - 1);
  const blockWidth = isTiled ? await directory.number(tag.tileWidth, 0) : width;
  const blockHeight = isTiled ? await directory.number(tag.tileLength, 0) : Math.min(rowsPerStrip, height);
  if (!isSize(blockWidth) || !isSize(blockHeight)) {
    throw refuse(`tiles of ${blockWidth} x ${blockHeight} pixels cannot be; the file is damaged.`);
  }
  return {
    width,
    height,
    samplesPerPixel,
    sampleType,
    photometric: kind,
    compression: method,
    predictor: undo,
    isPlanar: samplesPerPixel > 1 && (await directory.number(tag.planarConfiguration, 1)) === 2,
    isTiled,
    blockWidth,
    blockHeight,
    blocksWide: Math.ceil(width / blockWidth),
    blocksHigh: Math.ceil(height / blockHeight),
  };
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= maxEdgePx;
}

async function readSampleType(file: FileBytes, directory: Directory, samples: number): Promise<SampleType> {
  const bits = [...(await directory.numbers(tag.bitsPerSample)).slice(0, samples)];
  const formats = [...(await directory.numbers(tag.sampleFormat)).slice(0, samples)];
  const depth = bits[0] ?? 1;
  const format = formats[0] ?? 1;
  const name = { 1: 'uint', 2: 'int', 3: 'float', 4: 'uint' }[format];
  const type = `${name}${depth}`;
  const known = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'float32', 'float64'] as const;
  const found = known.find((candidate) => candidate === type);
  if (found === undefined || bits.some((b) => b !== depth) || formats.some((f) => f !== format)) {
    throw new FormatError(
      file.path,
      `samples of ${[...new Set(bits)].join('/') || 1} bits, format ${[...new Set(formats)].join('/') || 1}, are not read: ` +
        'expected 8-, 16- or 32-bit integers, or 32- or 64-bit floating point, the same for all. Convert the file to 16-bit.',
    );
  }
  return found;
}
