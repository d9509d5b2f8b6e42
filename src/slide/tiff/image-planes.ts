// The pixels of one TIFF image as planes of blocks: where its tiles or strips lie, and how they are decoded.
import { FormatError } from '../../core/errors.ts';
import type { BlockPlane, ChannelPlane, Samples } from '../blocked-source.ts';
import type { FileBytes } from '../file-bytes.ts';
import { bytesOf, hostLittleEndian, swapBytes, viewSamples } from '../sample-type.ts';
import type { DecodeFailure } from '../unzip.ts';
import { decompress } from './decompress.ts';
import type { Directory } from './directory.ts';
import type { ImageShape } from './image-shape.ts';
import { decodeJpegBlock } from './jpeg-block.ts';
import { predictor, undoFloatingPoint, undoHorizontal } from './predictor.ts';
import { compression, photometric, tag } from './tags.ts';

/** Largest decoded tile or strip that is read: 8192 x 4096 float32. */
const maxBlockBytes = 128 * 2 ** 20;
/** Uncompressed strips are read in pieces of about this many bytes, so that one huge strip is never read whole. */
const pieceBytes = 2 ** 20;

/** Where the blocks of an image lie; [plane][row][column] in one array. */
interface BlockTable {
  readonly offsets: ArrayLike<number>;
  readonly lengths: ArrayLike<number>;
}

/**
 * The channels of one image, one for each sample of a pixel.
 * @param firstByte where the pixels of an image without a directory of its own begin (ImageJ's large stacks), given
 * that they lie uncompressed in one piece
 * @throws FormatError when the blocks do not fit the image or the file
 */
export async function openPlanes(
  file: FileBytes,
  directory: Directory,
  shape: ImageShape,
  firstByte?: number,
): Promise<ChannelPlane[]> {
  const { samplesPerPixel: samples, isPlanar, sampleType } = shape;
  const perBlock = isPlanar ? 1 : samples;
  const rowBytes = shape.blockWidth * perBlock * bytesOf(sampleType);
  const isRaw = shape.compression === compression.none && shape.predictor === predictor.none;
  const blockHeight = isRaw ? pieceHeight(shape, rowBytes) : shape.blockHeight;
  if (blockHeight * rowBytes > maxBlockBytes) {
    const kind = shape.isTiled ? 'tiles' : 'strips';
    throw new FormatError(
      file.path,
      `its ${kind} have ${blockHeight * rowBytes} bytes each, more than the ${maxBlockBytes} that are read at once. ` +
        'Convert the file: vips tiffsave IN OUT.tif --tile --pyramid --compression deflate',
    );
  }
  const table =
    firstByte === undefined
      ? await readBlockTable(file, directory, shape, rowBytes)
      : { offsets: [firstByte], lengths: [rowBytes * shape.height] };
  const jpegTables =
    shape.compression === compression.jpeg ? await directory.bytes(tag.jpegTables) : undefined;
  if (!file.has(table.offsets[0], table.lengths[0])) {
    throw new FormatError(
      file.path,
      'the file is cut off: its last planes are missing. Copy it again from where it came.',
    );
  }
  const { littleEndian } = directory.header;

  const planeOf = (sample: number): BlockPlane => ({
    width: shape.width,
    height: shape.height,
    blockWidth: shape.blockWidth,
    blockHeight,
    columnStride: perBlock,
    rowStride: shape.blockWidth * perBlock,
    blockBytes: blockHeight * rowBytes,
    async decode(column, row): Promise<Samples | undefined> {
      const top = row * blockHeight;
      const storedRow = Math.floor(top / shape.blockHeight);
      const index = (sample * shape.blocksHigh + storedRow) * shape.blocksWide + column;
      const offset = table.offsets[index];
      const length = table.lengths[index];
      if (offset === 0 && length === 0) return undefined; // a sparse file leaves out blocks of zeros
      // A compressed tile is decoded whole, with the rows that hang below the image. What is read in pieces ends with
      // the image, for the last piece may be higher than what is left of its tile.
      const isWhole = shape.isTiled && !isRaw;
      const rows = isWhole ? blockHeight : Math.min(blockHeight, shape.height - top);
      const expected = rows * rowBytes;
      const what = `${shape.isTiled ? 'tile' : 'strip'} ${index}`;
      const fail: DecodeFailure = (reason, cause) =>
        new FormatError(
          file.path,
          `${what} cannot be read: ${reason}. Copy the file again from where it came.`,
          {
            cause,
          },
        );
      if (isRaw) {
        const skipped = (top - storedRow * shape.blockHeight) * rowBytes;
        if (skipped + expected > length) throw fail(`expected ${skipped + expected} bytes, found ${length}`);
        const bytes = await file.read(offset + skipped, expected, what);
        if (littleEndian !== hostLittleEndian) swapBytes(bytes, bytesOf(sampleType));
        return viewSamples(bytes, sampleType);
      }
      // A last strip may be stored in full height, though it hangs below the image.
      if (length > blockHeight * rowBytes * 2 + 65_536)
        throw fail(`${length} bytes for ${expected} decoded ones cannot be`);
      const stored = await file.read(offset, length, what);
      if (shape.compression === compression.jpeg) {
        const picture = { width: shape.blockWidth, height: rows, mostHigh: blockHeight, samples: perBlock };
        const isYCbCr = shape.photometric === photometric.yCbCr;
        return decodeJpegBlock(stored, jpegTables, picture, isYCbCr, fail);
      }
      const bytes = await decompress(shape.compression, stored, expected, fail, blockHeight * rowBytes);
      return undoPredictor(bytes, shape, perBlock, littleEndian);
    },
  });
  if (isPlanar) return Array.from({ length: samples }, (_, s) => ({ plane: planeOf(s), offset: 0 }));
  const plane = planeOf(0);
  return Array.from({ length: samples }, (_, offset) => ({ plane, offset }));
}

function undoPredictor(
  bytes: Uint8Array,
  shape: ImageShape,
  perBlock: number,
  littleEndian: boolean,
): Samples {
  const { sampleType, blockWidth } = shape;
  if (shape.predictor === predictor.floatingPoint) {
    return viewSamples(
      undoFloatingPoint(bytes, sampleType, blockWidth, perBlock, hostLittleEndian),
      sampleType,
    );
  }
  if (littleEndian !== hostLittleEndian) swapBytes(bytes, bytesOf(sampleType));
  const samples = viewSamples(bytes, sampleType);
  if (shape.predictor === predictor.horizontal) {
    const view = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    undoHorizontal(view, bytesOf(sampleType), blockWidth, perBlock);
  }
  return samples;
}

/** Rows of a piece: a divisor of the block's rows, so that pieces never cross two stored blocks. */
function pieceHeight({ blockHeight, height }: ImageShape, rowBytes: number): number {
  const wanted = Math.max(1, Math.min(blockHeight, Math.floor(pieceBytes / rowBytes)));
  if (blockHeight >= height) return wanted;
  let rows = wanted;
  while (blockHeight % rows !== 0) rows--;
  return rows;
}

async function readBlockTable(
  file: FileBytes,
  directory: Directory,
  shape: ImageShape,
  rowBytes: number,
): Promise<BlockTable> {
  const kind = shape.isTiled ? 'tiles' : 'strips';
  const [offsetTag, lengthTag] = shape.isTiled
    ? [tag.tileOffsets, tag.tileByteCounts]
    : [tag.stripOffsets, tag.stripByteCounts];
  const expected = shape.blocksWide * shape.blocksHigh * (shape.isPlanar ? shape.samplesPerPixel : 1);
  const found = directory.count(offsetTag);
  if (found < expected) {
    throw new FormatError(
      file.path,
      `an image of ${shape.width} x ${shape.height} pixels needs ${expected} ${kind}, found ${found}; the file is damaged.`,
    );
  }
  const offsets = await directory.numbers(offsetTag);
  let lengths = await directory.numbers(lengthTag);
  if (lengths.length === 0 && shape.compression === compression.none) {
    // Old writers left the lengths out where they follow from the size.
    lengths = Array.from({ length: expected }, (_, i) => {
      const row = Math.floor(i / shape.blocksWide) % shape.blocksHigh;
      const rows = shape.isTiled
        ? shape.blockHeight
        : Math.min(shape.blockHeight, shape.height - row * shape.blockHeight);
      return rows * rowBytes;
    });
  }
  if (lengths.length < expected) {
    throw new FormatError(
      file.path,
      `${expected} ${kind} but ${lengths.length} lengths; the file is damaged.`,
    );
  }
  for (let i = 0; i < expected; i++) {
    if (file.has(offsets[i], lengths[i])) continue;
    throw new FormatError(
      file.path,
      `the file is cut off or damaged: ${kind.slice(0, -1)} ${i} lies at bytes ${offsets[i]} to ${offsets[i] + lengths[i]}, ` +
        `but the file has ${file.size}. Copy it again from where it came.`,
    );
  }
  return { offsets, lengths };
}
