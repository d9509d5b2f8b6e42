// The bytes of header and directories of a TIFF or BigTIFF whose tiles have known lengths.
import { compression as code, tag } from '../tiff/tags.ts';
import type { SlideDescription, WrittenType } from './slide-description.ts';
import { tilePx } from './slide-description.ts';

/** Classic TIFF has 32-bit offsets; some bytes are left for readers that compute with signed ones past the end. */
const classicLimit = 2 ** 32 - 2 ** 20;

/** One image to be described: a channel at a level. */
export interface TiledImage {
  readonly width: number;
  readonly height: number;
  /** Bytes of each tile, row by row. */
  readonly tileLengths: readonly number[];
}

export interface TiffLayout {
  /** Everything before the first tile. */
  readonly head: Uint8Array;
  /** Where each tile begins: [channel][level][tile]. */
  readonly tileOffsets: readonly (readonly Float64Array[])[];
}

interface Field {
  readonly tag: number;
  readonly type: number;
  readonly values: ArrayLike<number>;
}

const type = { ascii: 2, short: 3, long: 4, rational: 5, ifd: 13, long8: 16, ifd8: 18 } as const;
const typeBytes: Readonly<Record<number, number>> = { 2: 1, 3: 2, 4: 4, 5: 8, 13: 4, 16: 8, 18: 8 };

/**
 * Header and directories come first, then the tiles, smallest level first, each level row by row with the channels
 * side by side.
 * @param images [channel][level]
 * @param xml of the whole slide, kept as the description of the first image
 */
export function layOutTiff(
  slide: SlideDescription,
  images: readonly (readonly TiledImage[])[],
  predictor: number,
  xml: string,
): TiffLayout {
  const tileBytes = images.flat().reduce((sum, { tileLengths }) => sum + sumOf(tileLengths), 0);
  const tiles = images.flat().reduce((sum, { tileLengths }) => sum + tileLengths.length, 0);
  // Directories take some 20 bytes a tile and little else.
  const isBig = tileBytes + tiles * 24 + xml.length * 3 + images.flat().length * 1024 > classicLimit;
  // Lengths of all fields are known before their values, so a first pass with zeros finds where everything lies.
  const blank = images.map((levels) => levels.map(({ tileLengths }) => new Float64Array(tileLengths.length)));
  const { length } = writeHead(slide, images, blank, predictor, xml, isBig);
  const tileOffsets = placeTiles(images, length);
  return { head: writeHead(slide, images, tileOffsets, predictor, xml, isBig), tileOffsets };
}

function placeTiles(images: readonly (readonly TiledImage[])[], start: number): Float64Array[][] {
  const offsets = images.map((levels) =>
    levels.map(({ tileLengths }) => new Float64Array(tileLengths.length)),
  );
  let at = start;
  for (let level = images[0].length - 1; level >= 0; level--) {
    for (let tile = 0; tile < images[0][level].tileLengths.length; tile++) {
      for (let channel = 0; channel < images.length; channel++) {
        offsets[channel][level][tile] = at;
        at += images[channel][level].tileLengths[tile];
      }
    }
  }
  return offsets;
}

function writeHead(
  slide: SlideDescription,
  images: readonly (readonly TiledImage[])[],
  offsets: readonly (readonly Float64Array[])[],
  predictor: number,
  xml: string,
  isBig: boolean,
): Uint8Array {
  const head = header(isBig);
  // In file order: each channel's full resolution, then its smaller levels.
  const fields = images.map((levels, channel) =>
    levels.map((image, level) =>
      fieldsOf(slide, image, offsets[channel][level], {
        predictor,
        isBig,
        isReduced: level > 0,
        xml: channel === 0 && level === 0 ? xml : undefined,
        subImages: level === 0 ? levels.length - 1 : 0,
      }),
    ),
  );
  let at = head.length;
  const places = fields.map((levels) =>
    levels.map((own) => {
      const place = at;
      at += directoryBytes(own, isBig);
      return place;
    }),
  );
  const parts = fields.flatMap((levels, channel) =>
    levels.map((own, level) => {
      const [, ...subs] = places[channel];
      const linked = own.map((field) => (field.tag === tag.subIfds ? { ...field, values: subs } : field));
      const next = level === 0 ? (places[channel + 1]?.[0] ?? 0) : 0;
      return directory(linked, places[channel][level], next, isBig);
    }),
  );
  return Buffer.concat([head, ...parts]);
}

function header(isBig: boolean): Uint8Array {
  const bytes = Buffer.alloc(isBig ? 16 : 8);
  bytes.write('II', 0, 'latin1');
  bytes.writeUInt16LE(isBig ? 43 : 42, 2);
  if (isBig) {
    bytes.writeUInt16LE(8, 4);
    bytes.writeBigUInt64LE(16n, 8);
  } else {
    bytes.writeUInt32LE(8, 4);
  }
  return bytes;
}

interface ImageRole {
  readonly predictor: number;
  readonly isBig: boolean;
  readonly isReduced: boolean;
  readonly xml: string | undefined;
  readonly subImages: number;
}

function fieldsOf(
  slide: SlideDescription,
  image: TiledImage,
  offsets: Float64Array,
  { predictor, isBig, isReduced, xml, subImages }: ImageRole,
): Field[] {
  const short = (id: number, value: number): Field => ({ tag: id, type: type.short, values: [value] });
  const long = (id: number, value: number): Field => ({ tag: id, type: type.long, values: [value] });
  const text = (id: number, value: string): Field => ({
    tag: id,
    type: type.ascii,
    values: Buffer.from(`${value}\0`, 'utf8'),
  });
  const method = slide.compression ?? 'deflate';
  const resolution: Field = {
    tag: tag.xResolution,
    type: type.rational,
    values: fraction(10_000 / (slide.pixelSizeUm * (slide.width / image.width))),
  };
  return [
    long(tag.newSubfileType, isReduced ? 1 : 0),
    long(tag.imageWidth, image.width),
    long(tag.imageLength, image.height),
    short(tag.bitsPerSample, sampleBits[slide.sampleType]),
    short(tag.compression, code[method]),
    short(tag.photometric, 1),
    ...(xml === undefined ? [] : [text(tag.imageDescription, xml)]),
    short(tag.samplesPerPixel, 1),
    resolution,
    { ...resolution, tag: tag.yResolution },
    short(tag.planarConfiguration, 1),
    short(tag.resolutionUnit, 3),
    text(tag.software, 'hrpn'),
    ...(predictor === 1 ? [] : [short(tag.predictor, predictor)]),
    short(tag.tileWidth, tilePx),
    short(tag.tileLength, tilePx),
    { tag: tag.tileOffsets, type: isBig ? type.long8 : type.long, values: offsets },
    { tag: tag.tileByteCounts, type: type.long, values: image.tileLengths },
    ...(subImages === 0
      ? []
      : [{ tag: tag.subIfds, type: isBig ? type.ifd8 : type.ifd, values: new Array(subImages).fill(0) }]),
    short(tag.sampleFormat, slide.sampleType === 'float32' ? 3 : 1),
  ];
}

const sampleBits: Readonly<Record<WrittenType, number>> = { uint8: 8, uint16: 16, float32: 32 };

/** Numerator and denominator, with as many digits as fit into 32 bits. */
function fraction(value: number): [number, number] {
  let denominator = 10_000;
  while (value * denominator >= 2 ** 32 && denominator > 1) denominator /= 10;
  return [Math.min(2 ** 32 - 1, Math.round(value * denominator)), denominator];
}

/** Bytes of a value kept outside its entry; values begin at even offsets. */
function outside({ type: kind, values }: Field, isBig: boolean): number {
  const bytes = valueBytes(kind, values);
  return bytes <= (isBig ? 8 : 4) ? 0 : bytes + (bytes % 2);
}

function valueBytes(kind: number, values: ArrayLike<number>): number {
  return kind === type.rational ? (values.length / 2) * 8 : values.length * typeBytes[kind];
}

function directoryBytes(fields: readonly Field[], isBig: boolean): number {
  const fixed = isBig ? 8 + fields.length * 20 + 8 : 2 + fields.length * 12 + 4;
  return fields.reduce((sum, field) => sum + outside(field, isBig), fixed + (fixed % 2));
}

function directory(fields: readonly Field[], at: number, next: number, isBig: boolean): Uint8Array {
  const bytes = Buffer.alloc(directoryBytes(fields, isBig));
  const entryBytes = isBig ? 20 : 12;
  const firstEntry = isBig ? 8 : 2;
  if (isBig) bytes.writeBigUInt64LE(BigInt(fields.length), 0);
  else bytes.writeUInt16LE(fields.length, 0);
  const afterEntries = firstEntry + fields.length * entryBytes;
  if (isBig) bytes.writeBigUInt64LE(BigInt(next), afterEntries);
  else bytes.writeUInt32LE(next, afterEntries);
  let free = afterEntries + (isBig ? 8 : 4);
  free += free % 2;
  fields.forEach((field, i) => {
    const entry = firstEntry + i * entryBytes;
    const count = field.type === type.rational ? field.values.length / 2 : field.values.length;
    bytes.writeUInt16LE(field.tag, entry);
    bytes.writeUInt16LE(field.type, entry + 2);
    if (isBig) bytes.writeBigUInt64LE(BigInt(count), entry + 4);
    else bytes.writeUInt32LE(count, entry + 4);
    const valueAt = entry + (isBig ? 12 : 8);
    const needed = outside(field, isBig);
    if (needed === 0) {
      writeValues(bytes, valueAt, field);
      return;
    }
    if (isBig) bytes.writeBigUInt64LE(BigInt(at + free), valueAt);
    else bytes.writeUInt32LE(at + free, valueAt);
    writeValues(bytes, free, field);
    free += needed;
  });
  return bytes;
}

function writeValues(bytes: Buffer, at: number, { type: kind, values }: Field): void {
  const size = kind === type.rational ? 4 : typeBytes[kind];
  for (let i = 0; i < values.length; i++) {
    const place = at + i * size;
    if (size === 1) bytes.writeUInt8(values[i], place);
    else if (size === 2) bytes.writeUInt16LE(values[i], place);
    else if (size === 4) bytes.writeUInt32LE(values[i], place);
    else bytes.writeBigUInt64LE(BigInt(values[i]), place);
  }
}

function sumOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
