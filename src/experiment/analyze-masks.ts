// Vessels and nuclei of a slide as masks: segmented, given by the user, or at fixed thresholds.
import type { AnalyzeSettings } from '../contract/analyze.ts';
import { DataError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf } from '../core/raster.ts';
import { openSlide } from '../slide/open-slide.ts';
import { bandsOf } from '../spatial/bands.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { cleanMask } from '../spatial/clean-mask.ts';
import { segmentNuclei } from '../spatial/segment-nuclei.ts';
import { hiddenShare, segmentVessels } from '../spatial/segment-vessels.ts';

export interface FoundMask {
  readonly mask: BitMask;
  /** For the methods paragraph, with its parameters. */
  readonly method: string;
  /** What a person must know of how it was found. */
  readonly warning?: string;
  /** Nuclei counted one by one; undefined where only their area is known. */
  readonly count?: number;
}

interface MaskInput {
  readonly source: PixelSource;
  readonly channel: number | undefined;
  readonly pixelSizeUm: number;
  readonly tissue: BitMask;
}

/** @throws DataError for an own mask of another size, or with several channels that are no colours */
export async function vesselMask(
  { source, channel, pixelSizeUm, tissue }: MaskInput,
  { vesselMask: own, vesselThreshold }: AnalyzeSettings,
  work: WorkOptions,
): Promise<FoundMask> {
  if (own !== undefined) return { mask: await ownMask(own, source), method: `the user's mask (${own})` };
  if (channel === undefined)
    throw new DataError(`${source.path} has no vessel channel. Give --role or --vessel-mask.`);
  if (vesselThreshold !== undefined) {
    const mask = await thresholdMask(source, channel, vesselThreshold, work);
    cleanMask(mask, { minAreaPx: 0, maxHolePx: Infinity });
    return { mask, method: `stain at or above ${vesselThreshold}, holes filled` };
  }
  const { mask, method, options, found } = await segmentVessels(
    { source, channel, pixelSizeUm, tissue },
    work,
  );
  const fitted = `threshold ${Number(found.threshold.toPrecision(4))}, noise ${Number(found.noise.toPrecision(3))} (stored units)`;
  const warning = `${Math.round(100 * found.lowestShare)}% of the tissue in '${source.channels[channel].name}' holds one value, its lowest: the background was cut off there, so noise is not seen and faint vessels are not told from it. Check the outlines, or give --vessel-threshold or --vessel-mask.`;
  return {
    mask,
    method: `${method}; ${fitted}; ${parameters(options)}`,
    ...(found.lowestShare >= hiddenShare && { warning }),
  };
}

/** Undefined where the slide has no nuclear stain and no mask is given. */
export async function nucleiMask(
  { source, channel, pixelSizeUm, tissue }: MaskInput,
  { nucleiMask: own, nucleiThreshold }: AnalyzeSettings,
  work: WorkOptions,
): Promise<FoundMask | undefined> {
  if (own !== undefined) return { mask: await ownMask(own, source), method: `the user's mask (${own})` };
  if (channel === undefined) return undefined;
  if (nucleiThreshold !== undefined) {
    const mask = await thresholdMask(source, channel, nucleiThreshold, work);
    return { mask, method: `stain at or above ${nucleiThreshold}` };
  }
  const { mask, method, options, found, xs, ys } = await segmentNuclei(
    { source, channel, pixelSizeUm, tissue },
    work,
  );
  let count = 0;
  for (let i = 0; i < xs.length; i++) if (tissue.get(xs[i], ys[i])) count++;
  const fitted = `threshold ${Number(found.threshold.toPrecision(4))} (stored units)`;
  return { mask, method: `${method}; ${fitted}; ${parameters(options)}`, count };
}

/** Pixels at or above the threshold. */
export async function thresholdMask(
  source: PixelSource,
  channel: number,
  threshold: number,
  work: WorkOptions,
): Promise<BitMask> {
  const { width, height } = source;
  const mask = new BitMask(width, height);
  const row = new Uint8Array(width);
  for await (const band of bandsOf(source, [channel], { signal: work.signal })) {
    for (let r = 0; r < band.height; r++) {
      for (let x = 0; x < width; x++) row[x] = band.raster.data[r * width + x] >= threshold ? 1 : 0;
      mask.writeRow(band.y + r, row);
    }
  }
  return mask;
}

/**
 * What of the user's own masks would else show only after the tissue was found.
 * @throws DataError as `vesselMask`, and what opening throws
 */
export async function checkOwnMasks(slide: PixelSource, options: AnalyzeSettings): Promise<void> {
  for (const path of [options.vesselMask, options.nucleiMask])
    if (path !== undefined) await withOwnMask(path, slide, async () => {});
}

async function ownMask(path: string, slide: PixelSource): Promise<BitMask> {
  return withOwnMask(path, slide, async (source, channels) => {
    const mask = new BitMask(source.width, source.height);
    const row = new Uint8Array(source.width);
    for await (const band of bandsOf(source, channels)) {
      for (let r = 0; r < band.height; r++) {
        row.fill(0);
        for (const c of channels.keys()) {
          const values = channelOf(band.raster, c).subarray(r * source.width);
          for (let x = 0; x < source.width; x++) if (isSet(values[x])) row[x] = 1;
        }
        mask.writeRow(band.y + r, row);
      }
    }
    return mask;
  });
}

async function withOwnMask<T>(
  path: string,
  slide: PixelSource,
  use: (source: PixelSource, channels: readonly number[]) => Promise<T>,
): Promise<T> {
  const source = await openSlide(path, {});
  try {
    if (source.width !== slide.width || source.height !== slide.height) {
      throw new DataError(
        `the mask ${path} has ${source.width} x ${source.height} px; expected the slide's ${slide.width} x ${slide.height} px${isResampled(slide) ? ", as it is resampled to its prediction's pixel size. Enlarge the mask to that (nearest pixel, no smoothing)." : '. Export it at full resolution.'}`,
      );
    }
    if (source.format === 'JPEG') {
      throw new DataError(
        `the mask ${path} is a JPEG, whose compression leaves pixels beside every edge that are not 0 and would count. Save it as PNG or TIFF.`,
      );
    }
    const names = source.channels.map(({ name }) => name);
    const isPicture = names.length > 1 && names.every((name) => colours.includes(name) || name === 'alpha');
    if (names.length > 1 && !isPicture) {
      throw new DataError(
        `the mask ${path} has the channels '${names.join("', '")}'; expected one, in which what is not 0 belongs to it. Export it in grey.`,
      );
    }
    const channels = names.flatMap((name, i) => (isPicture && name === 'alpha' ? [] : [i]));
    return await use(source, channels);
  } finally {
    await source.close();
  }
}

const isResampled = ({ channels }: PixelSource): boolean =>
  channels.some(({ storedAs }) => storedAs !== undefined);

/** Of a picture; its transparency says nothing. */
const colours = ['grey', 'red', 'green', 'blue'];

const isSet = (value: number): boolean => value !== 0 && !Number.isNaN(value);

function parameters(options: object): string {
  return Object.entries(options)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}
