// What evaluate says of space: distances, shares and profile of measured and predicted probe side by side.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { scanSlide } from '../dataset/scan-slide.ts';
import { solidCells, type TissueMask } from '../dataset/tissue-mask.ts';
import type { ProfilePair } from '../evaluation/profile-band.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import { findComponents } from '../spatial/components.ts';
import { addBlocks, extravasationOf, profileOf } from '../spatial/extravasation.ts';
import { sumSpace } from '../spatial/space-sums.ts';
import { type ProbeBackground, percentileBackground } from './analyze-background.ts';
import { subareasOf } from './analyze-measures.ts';
import { type DerivedPair, derivedValues } from './derived-intervals.ts';
import { tissueBits } from './slide-layers.ts';

export interface ComparedSpace {
  readonly derived: Record<string, DerivedPair>;
  readonly profile: readonly ProfilePair[];
}

/**
 * The extravasation distances and the sub-areas' shares of the signal that `analyze` would report of each, with
 * backgrounds at the 1st percentile of the tissue. Empty without vessels.
 */
export async function compareSpace(
  images: {
    readonly measured: readonly [PixelSource, number];
    readonly predicted: readonly [PixelSource, number];
    /** Input channels of the slide, which tell glass from tissue. */
    readonly inputs: { readonly source: PixelSource; readonly channels: readonly number[] };
  },
  grid: TissueMask,
  tissue: BitMask,
  vessels: BitMask,
  pixelSizeUm: number,
  work: WorkOptions,
): Promise<ComparedSpace> {
  if (vessels.count() === 0) return { derived: {}, profile: [] };
  const { source: stained, channels } = images.inputs;
  const stains = await scanSlide(stained, { inputs: channels }, pixelSizeUm, { signal: work.signal });
  const solid = solidCells(stains, channels.length, grid);
  const blockUm = 500;
  const backgrounds: ProbeBackground[] = [];
  for (const [source, channel] of [images.measured, images.predicted]) {
    const scan = await scanSlide(source, { inputs: [channel] }, pixelSizeUm, { signal: work.signal });
    backgrounds.push(percentileBackground(scan, 0, (cell) => solid[cell] === 1, 1, blockUm));
  }
  const sums = await sumSpace(
    {
      probes: [images.measured, images.predicted].map(([source, channel], i) => ({
        ...{ source, channel, background: backgrounds[i].whole },
      })),
      tissue,
      solid: tissueBits({ ...grid, cells: solid }, tissue.width, tissue.height),
      vessels,
      objects: findComponents(vessels, 8),
      pixelSizeUm,
      blockUm,
      cellUm: 20,
      beyondUm: 3,
      aroundUm: 50,
    },
    work,
  );
  const total = addBlocks(sums.blocks);
  const found = backgrounds.map(({ whole }, p) =>
    derivedValues(extravasationOf(total, p, whole.at), subareasOf(sums, p, pixelSizeUm)),
  );
  const profiles = backgrounds.map(({ whole }, p) => profileOf(total, p, whole.at));
  const [measured, predicted] = found;
  return {
    derived: Object.fromEntries(
      Object.keys(measured).map((key) => [
        key,
        { measured: measured[key], predicted: predicted[key], error: predicted[key] - measured[key] },
      ]),
    ),
    profile: profiles[0].map(({ fromUm, toUm, share, mean }, i) => ({
      fromUm,
      toUm,
      share,
      measured: mean,
      predicted: profiles[1][i].mean,
    })),
  };
}
