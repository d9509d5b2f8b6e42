/** Micrometres in one unit of length, by the symbols that OME-XML and TIFF writers use. */
const micrometresPer: Readonly<Record<string, number>> = {
  nm: 1e-3,
  µm: 1,
  μm: 1, // Greek mu, beside the micro sign above
  um: 1,
  micron: 1,
  microns: 1,
  micrometer: 1,
  micrometre: 1,
  mm: 1e3,
  cm: 1e4,
  inch: 25400,
  m: 1e6,
};

/** A share as people write it, to four digits: 95%, 99.5%. */
export const percentText = (share: number): string => `${Number((100 * share).toPrecision(4))}%`;

/** @returns the length in micrometres, or undefined when the unit is not a known unit of length. */
export function toMicrometres(length: number, unit: string): number | undefined {
  const factor = micrometresPer[unit] ?? micrometresPer[unit.toLowerCase()];
  return factor === undefined ? undefined : length * factor;
}
