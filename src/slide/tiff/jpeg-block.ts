// Tiles and strips in JPEG, decoded by libvips through sharp.
import sharp from 'sharp';
import type { DecodeFailure } from '../unzip.ts';

/** APP14 'Adobe': says whether three components are YCbCr (1) or RGB (0); decoders only guess without it. */
function adobeMarker(isYCbCr: boolean): Uint8Array {
  return Uint8Array.of(0xff, 0xee, 0, 14, 65, 100, 111, 98, 101, 0, 100, 0, 0, 0, 0, isYCbCr ? 1 : 0);
}

/**
 * @param tables the quantisation and Huffman tables that all tiles of an image share (an abbreviated JPEG stream)
 * @param isYCbCr the stored colours, as the TIFF says; the result is RGB either way
 * @returns interleaved samples [height, width, samples]
 */
export async function decodeJpegBlock(
  stored: Uint8Array,
  tables: Uint8Array | undefined,
  picture: {
    readonly width: number;
    /** Rows that are wanted, and those that may be stored. */
    readonly height: number;
    readonly mostHigh: number;
    readonly samples: number;
  },
  isYCbCr: boolean,
  fail: DecodeFailure,
): Promise<Uint8Array> {
  if (stored[0] !== 0xff || stored[1] !== 0xd8) throw fail('its JPEG stream is damaged');
  const shared = tables === undefined ? new Uint8Array() : tables.subarray(2, tables.length - 2);
  const colours = picture.samples === 3 ? adobeMarker(isYCbCr) : new Uint8Array();
  const { kept, components } = withoutApplicationSegments(stored);
  if (components !== picture.samples)
    throw fail(`its JPEG has ${components} components, expected ${picture.samples}`);
  const stream = Buffer.concat([stored.subarray(0, 2), colours, shared, kept]);
  const { data, info } = await sharp(stream, {
    failOn: 'error',
    ignoreIcc: true,
    limitInputPixels: picture.width * picture.mostHigh,
  })
    .toColourspace(picture.samples === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: Error) => {
      throw fail(`its JPEG stream is damaged (${cause.message.split('\n')[0]})`, cause);
    });
  if (info.width !== picture.width || info.height < picture.height || info.channels !== picture.samples) {
    throw fail(`its JPEG has ${info.width} x ${info.height} pixels of ${info.channels} components`);
  }
  return new Uint8Array(data.buffer, data.byteOffset, picture.width * picture.height * picture.samples);
}

/**
 * The stream after its start marker, without APPn segments: a JFIF or Adobe one would overrule what the TIFF says.
 * And how many components its frame has; 0 where it has no frame.
 */
function withoutApplicationSegments(stored: Uint8Array): { kept: Uint8Array; components: number } {
  const kept: Uint8Array[] = [];
  let components = 0;
  let at = 2;
  while (at + 4 <= stored.length && stored[at] === 0xff) {
    const marker = stored[at + 1];
    if (marker === 0xda) break; // the compressed data begin
    const end = at + 2 + ((stored[at + 2] << 8) | stored[at + 3]);
    // Start of frame: 0xC0 to 0xCF, but for three markers of other meaning.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      components = stored[at + 9] ?? 0;
    if (marker < 0xe0 || marker > 0xef) kept.push(stored.subarray(at, end));
    at = end;
  }
  kept.push(stored.subarray(Math.min(at, stored.length)));
  return { kept: Buffer.concat(kept), components };
}
