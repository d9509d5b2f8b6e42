// The edge of a pixel in micrometres, from what files say.
import { DataError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';

/** Pixels whose sides differ by more than this share are not square. */
const squareTolerance = 0.01;
/** Pixel sizes of microscopes. What lies outside is the resolution of a screen or a printer (72 dpi is 353 um). */
const plausibleUm = { min: 0.01, max: 20 };

/** @throws DataError when the file does not say how large its pixels are */
export function requirePixelSize(source: PixelSource): number {
  if (source.pixelSizeUm !== undefined) return source.pixelSizeUm;
  throw new DataError(
    `${source.path} does not say how large its pixels are (${plausibleUm.min} to ${plausibleUm.max} um are believed). Give the edge of a pixel in micrometres with --pixel-size-um.`,
  );
}

/**
 * One size from the width and the height that a file states.
 * @returns undefined where neither is known, or is that of a microscope
 * @throws DataError when the pixels are not square
 */
export function squarePixel(
  path: string,
  statedWidthUm: number | undefined,
  statedHeightUm: number | undefined,
): number | undefined {
  const [widthUm, heightUm] = [statedWidthUm, statedHeightUm].map((um) =>
    um !== undefined && um >= plausibleUm.min && um <= plausibleUm.max ? um : undefined,
  );
  if (widthUm === undefined || heightUm === undefined) return widthUm ?? heightUm;
  if (Math.abs(widthUm - heightUm) <= squareTolerance * Math.max(widthUm, heightUm)) return widthUm;
  throw new DataError(
    `${path} has pixels of ${widthUm} x ${heightUm} um; square pixels are expected. ` +
      'Resample the image, or give the edge of a pixel with --pixel-size-um if the file is wrong.',
  );
}

/** From TIFF's resolution (pixels a unit; unit 2 is the inch, 3 the centimetre); undefined where that says nothing. */
export function fromResolution(pixelsPerUnit: number, unit: number): number | undefined {
  const unitUm = { 2: 25_400, 3: 10_000 }[unit];
  if (unitUm === undefined || !(pixelsPerUnit > 0)) return undefined;
  // Resolutions are fractions; without rounding 1/14500 cm reads as 0.6896551724137931.
  return Number((unitUm / pixelsPerUnit).toPrecision(6));
}
