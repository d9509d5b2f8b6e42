// What every measurement of a slide starts from: its channels by role, where its tissue is, and its vessels.
import { DataError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { needsResampling, resampledSource } from '../dataset/resampled-source.ts';
import { type SlideScan, scanSlide } from '../dataset/scan-slide.ts';
import { findTissue, solidCells, type TissueMask } from '../dataset/tissue-mask.ts';
import { assignRoles, findRole } from '../slide/assign-roles.ts';
import { openSlide } from '../slide/open-slide.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { type PredictionRecord, readPredictionRecord } from './prediction-record.ts';

/** The tissue grid at full resolution, one bit a pixel. */
export function tissueBits(mask: TissueMask, width: number, height: number): BitMask {
  const { cellPx, cellsWide, cells } = mask;
  const bits = new BitMask(width, height);
  const row = new Uint8Array(width);
  for (let y = 0; y < height; y++) {
    if (y % cellPx === 0) {
      const from = Math.floor(y / cellPx) * cellsWide;
      for (let x = 0; x < width; x++) row[x] = cells[from + Math.floor(x / cellPx)];
    }
    bits.writeRow(y, row);
  }
  return bits;
}

/**
 * Channel indices of the roles that a slide has.
 * @param required must be there
 * @param optional may be absent, and are then left out
 * @param explicit role to channel name, as given by --role; also of roles in neither list
 * @throws UsageError for a given channel that is not there; DataError for a required role without a channel, and for any
 * role that several channels could have
 */
export function findRoles(
  source: PixelSource,
  required: readonly string[],
  optional: readonly string[],
  explicit: Readonly<Record<string, string>>,
): Record<string, number> {
  const roles = assignRoles(
    source,
    [...required, ...Object.keys(explicit).filter((r) => !required.includes(r))],
    explicit,
  );
  const given = new Set(Object.keys(explicit).map((role) => roles[role]));
  for (const role of optional) {
    if (role in roles) continue;
    const index = findRole(source, role, given);
    if (index !== undefined && !Object.values(roles).includes(index)) roles[role] = index;
  }
  return roles;
}

/**
 * The vessel channel, as told or as the file and its name tell; undefined where none is known.
 * @throws UsageError for a told channel that is not there; DataError where several could be it
 */
export function findVesselChannel(
  source: PixelSource,
  { vessel }: Readonly<Record<string, string>>,
): number | undefined {
  return findRoles(source, [], ['vessel'], vessel === undefined ? {} : { vessel }).vessel;
}

/**
 * The tissue as `prepare` finds it, from the given inputs, with what the scan saw of further channels; `solid` is what of
 * it is away from glass.
 * @throws DataError for a slide without tissue
 */
export async function scanTissue(
  source: PixelSource,
  inputs: readonly number[],
  others: readonly number[],
  pixelSizeUm: number,
  work: WorkOptions,
): Promise<{ scan: SlideScan; tissue: TissueMask; solid: TissueMask; bits: BitMask }> {
  const scan = await scanSlide(source, { inputs, others }, pixelSizeUm, work);
  const tissue = findTissue(scan, inputs.length, source.path);
  const solid = { ...tissue, cells: solidCells(scan, inputs.length, tissue) };
  return { scan, tissue, solid, bits: tissueBits(tissue, source.width, source.height) };
}

/** Where the channels of a predicted slide are. */
export interface PredictedSlide {
  readonly source: PixelSource;
  readonly channel: number;
  /** Interval that it carries, where it has one. */
  readonly interval?: { readonly level: number; readonly lower: number; readonly upper: number };
  readonly record: PredictionRecord;
}

/**
 * Opens what `predict` wrote, or any slide with one channel that holds a prediction.
 * @throws DataError when it has several channels and none is called like the target
 */
export async function openPrediction(path: string, targetRole: string): Promise<PredictedSlide> {
  const source = await openSlide(path, {});
  try {
    const { channels } = source;
    const named = channels.findIndex(({ name, role }) => role === targetRole || name === targetRole);
    if (named < 0 && channels.length > 1) {
      const all = channels.map(({ name }) => `'${name}'`).join(', ');
      throw new DataError(
        `the prediction ${path} has the channels ${all}; expected one called '${targetRole}', or a single channel.`,
      );
    }
    const bound = (end: string): number =>
      channels.findIndex(({ name }) => name.startsWith(`${targetRole} ${end} `));
    const [lower, upper] = [bound('lower'), bound('upper')];
    const level = lower < 0 ? Number.NaN : Number(channels[lower].name.split(' ').at(-1));
    const hasInterval = upper >= 0 && level > 0 && level < 1;
    return {
      source,
      channel: Math.max(0, named),
      ...(hasInterval && { interval: { level, lower, upper } }),
      record: readPredictionRecord(source),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The slide at the pixel size of its prediction, where that was made at another one; else the slide itself. */
export function matchPixelSize(
  slide: PixelSource,
  ownUm: number,
  prediction: PixelSource,
): { source: PixelSource; pixelSizeUm: number; note?: string } {
  const wanted = prediction.pixelSizeUm;
  const isSameSize = prediction.width === slide.width && prediction.height === slide.height;
  if (wanted === undefined || !needsResampling(slide.path, ownUm, wanted))
    return { source: slide, pixelSizeUm: ownUm };
  if (isSameSize) {
    return {
      source: slide,
      pixelSizeUm: ownUm,
      note: `The slide has pixels of ${ownUm} um and the prediction, as many of them, says ${wanted} um: ${ownUm} is taken. If it is wrong, give --pixel-size-um.`,
    };
  }
  return {
    source: resampledSource(slide, ownUm, wanted),
    pixelSizeUm: wanted,
    note: `The slide is resampled from ${ownUm} to ${wanted} um a pixel, the prediction's.`,
  };
}
