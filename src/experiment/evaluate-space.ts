// What evaluate says of space: the derived distances of measured and predicted probe side by side.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { scanSlide } from '../dataset/scan-slide.ts';
import type { TissueMask } from '../dataset/tissue-mask.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import { findComponents } from '../spatial/components.ts';
import { addBlocks, extravasationOf } from '../spatial/extravasation.ts';
import { sumSpace } from '../spatial/space-sums.ts';
import { percentileBackground } from './analyze-measures.ts';

export interface DerivedPair {
  readonly measured: number;
  readonly predicted: number;
  /** Predicted less measured. */
  readonly error: number;
}

const keys = ['meanUm', 'medianUm', 'p90Um', 'halfDistanceUm', 'meanSignal'] as const;

/**
 * The extravasation distances that `analyze` would report of each, with backgrounds at the 1st percentile of the tissue.
 * Empty without vessels.
 */
export async function derivedOf(
  images: {
    readonly measured: readonly [PixelSource, number];
    readonly predicted: readonly [PixelSource, number];
  },
  grid: TissueMask,
  tissue: BitMask,
  vessels: BitMask,
  pixelSizeUm: number,
  work: WorkOptions,
): Promise<Record<string, DerivedPair>> {
  if (vessels.count() === 0) return {};
  const blockUm = 500;
  const sums = await sumSpace(
    {
      probes: [images.measured, images.predicted].map(([source, channel]) => ({ source, channel })),
      tissue,
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
  const found = [];
  for (const [p, [source, channel]] of [images.measured, images.predicted].entries()) {
    const scan = await scanSlide(source, { inputs: [channel] }, pixelSizeUm, { signal: work.signal });
    const background = percentileBackground(scan, 0, (cell) => grid.cells[cell] === 1, 1, blockUm);
    found.push(extravasationOf(total, p, background.whole));
  }
  const [measured, predicted] = found;
  return Object.fromEntries(
    keys.map((key) => [
      key,
      { measured: measured[key], predicted: predicted[key], error: predicted[key] - measured[key] },
    ]),
  );
}
