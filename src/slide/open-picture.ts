// PNG and JPEG pictures, decoded whole by libvips through sharp.
import sharp from 'sharp';
import { FormatError } from '../core/errors.ts';
import type { SampleType } from '../core/pixel-source.ts';
import type { BlockedImage } from './blocked-source.ts';
import { channelNames, sampleNames } from './channel-names.ts';
import { FileBytes } from './file-bytes.ts';
import { createSamples } from './sample-type.ts';
import { type OpenSlideOptions, requireOnlyPlane } from './source-options.ts';

/** Largest picture in bytes of decoded samples; larger slides come as pyramids. */
const maxBytes = 128 * 2 ** 20;

/**
 * A composite: its channels are 'red', 'green', 'blue' (and 'alpha'), or one grey one.
 * @returns undefined when the file is neither PNG nor JPEG
 * @throws FormatError for a picture that is damaged, too large or of a kind that is not read; UsageError for a plane
 * other than its only one
 */
export async function openPicture(
  path: string,
  options: OpenSlideOptions,
): Promise<BlockedImage | undefined> {
  const file = await FileBytes.open(path);
  const head = await file.read(0, Math.min(8, file.size), 'the header').finally(() => file.close());
  const isPng = head[0] === 0x89 && head[1] === 0x50 && head[2] === 0x4e && head[3] === 0x47;
  const isJpeg = head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff;
  if (!isPng && !isJpeg) return undefined;
  requireOnlyPlane(path, options.plane);
  const damaged = (cause: Error): FormatError =>
    new FormatError(
      path,
      `the picture cannot be decoded (${cause.message.split('\n')[0]}). Copy it again from where it came.`,
      {
        cause,
      },
    );
  const image = sharp(path, { failOn: 'warning', ignoreIcc: true, limitInputPixels: maxBytes });
  const {
    width,
    height,
    channels: samples,
    depth,
    isPalette,
  } = await image.metadata().catch((cause) => {
    throw damaged(cause);
  });
  if (isPalette) {
    throw new FormatError(
      path,
      'its colours come from a palette, so its values are not intensities. Save it as grey levels or RGB.',
    );
  }
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new FormatError(path, `samples of kind ${depth} are not read: expected 8 or 16 bits.`);
  }
  const sampleType: SampleType = depth === 'uchar' ? 'uint8' : 'uint16';
  const bytes = width * height * samples * (sampleType === 'uint8' ? 1 : 2);
  if (bytes > maxBytes) {
    throw new FormatError(
      path,
      `${width} x ${height} pixels are too many for a picture file. Convert it: vips tiffsave IN OUT.tif --tile --pyramid --compression deflate`,
    );
  }
  // Without a named colour space, sharp turns 16-bit values into 8-bit ones.
  const space = depth === 'uchar' ? (samples < 3 ? 'b-w' : 'srgb') : samples < 3 ? 'grey16' : 'rgb16';
  const { data, info } = await image
    .toColourspace(space)
    .raw({ depth })
    .toBuffer({ resolveWithObject: true })
    .catch((cause) => {
      throw damaged(cause);
    });
  if (info.width !== width || info.height !== height || info.channels !== samples) {
    throw new FormatError(
      path,
      `expected ${samples} samples a pixel, found ${info.channels}. Save it as grey levels or RGB.`,
    );
  }
  const pixels = createSamples(sampleType, width * height * samples);
  new Uint8Array(pixels.buffer).set(data);
  const plane = {
    width,
    height,
    blockWidth: width,
    blockHeight: height,
    columnStride: samples,
    rowStride: width * samples,
    blockBytes: bytes,
    decode: async () => pixels,
  };
  return {
    path,
    format: isPng ? 'PNG' : 'JPEG',
    channels: channelNames(sampleNames(samples)).map((name) => ({ name, sampleType })),
    pixelSizeUm: options.pixelSizeUm,
    levels: [Array.from({ length: samples }, (_, offset) => ({ plane, offset }))],
    close: async () => {},
  };
}
