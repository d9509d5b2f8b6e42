// Tissue masks as small grey PNG files (255 tissue, 0 not), so that any viewer shows them.
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { FileAccessError, FormatError } from '../core/errors.ts';
import type { TissueMask } from './tissue-mask.ts';

/** Writes the mask; one pixel of the PNG is one cell. */
export async function writeMask(path: string, mask: TissueMask): Promise<void> {
  const grey = mask.cells.map((cell) => cell * 255);
  const png = await sharp(grey, { raw: { width: mask.cellsWide, height: mask.cellsHigh, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  await writeFileAtomic(path, png);
}

/**
 * Reads a mask back; a pixel above half is tissue.
 * @throws FileAccessError, FormatError when the size is not the one stated
 */
export async function readMask(
  path: string,
  expected: { cellPx: number; cellsWide: number; cellsHigh: number },
): Promise<TissueMask> {
  const bytes = await readFile(path).catch((cause) => {
    throw new FileAccessError(
      path,
      `the tissue mask ${path} of the dataset cannot be read. Run \`hrpn prepare\` again.`,
      { cause },
    );
  });
  const { data, info } = await sharp(bytes)
    .greyscale()
    .extractChannel(0)
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause) => {
      throw new FormatError(path, 'is not a readable PNG. Run `hrpn prepare` again.', { cause });
    });
  if (info.width !== expected.cellsWide || info.height !== expected.cellsHigh) {
    throw new FormatError(
      path,
      `expected a mask of ${expected.cellsWide} x ${expected.cellsHigh}, found ${info.width} x ${info.height}. ` +
        'Run `hrpn prepare` again.',
    );
  }
  return { ...expected, cells: Uint8Array.from(data, (value) => (value > 127 ? 1 : 0)) };
}
