// What evaluate says of space: the derived distances of measured and predicted probe side by side.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { scanSlide } from '../dataset/scan-slide.ts';
import type { TissueMask } from '../dataset/tissue-mask.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import { findComponents } from '../spatial/components.ts';
import { addBlocks, extravasationOf } from '../spatial/extravasation.ts';
import { sumSpace } from '../spatial/space-sums.ts';
import { percentileBackground } from './analyze-background.ts';
import { subareasOf } from './analyze-measures.ts';

export interface DerivedPair {
  readonly measured: number;
  readonly predicted: number;
  /** Predicted less measured. */
  readonly error: number;
  /** Interval for the measured value, where the model has one. */
  readonly low?: number;
  readonly high?: number;
}

/** Sub-areas without nuclei, which divide the tissue between them. */
const isPart = (name: string): boolean => name !== 'nuclear' && name !== 'extranuclear';

/**
 * The extravasation distances and the sub-areas' shares of the signal that `analyze` would report of each, with
 * backgrounds at the 1st percentile of the tissue.
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
  const found: Record<string, number>[] = [];
  for (const [p, [source, channel]] of [images.measured, images.predicted].entries()) {
    const scan = await scanSlide(source, { inputs: [channel] }, pixelSizeUm, { signal: work.signal });
    const background = percentileBackground(scan, 0, (cell) => grid.cells[cell] === 1, 1, blockUm);
    const { meanUm, medianUm, p90Um, halfDistanceUm, meanSignal } = extravasationOf(
      total,
      p,
      background.whole,
    );
    const shares = subareasOf(sums, p, background.value, pixelSizeUm)
      .filter(({ name }) => isPart(name))
      .map(({ name, signalShare }) => [`share of ${name}`, signalShare] as const);
    found.push({ meanUm, medianUm, p90Um, halfDistanceUm, meanSignal, ...Object.fromEntries(shares) });
  }
  const [measured, predicted] = found;
  return Object.fromEntries(
    Object.keys(measured).map((key) => [
      key,
      { measured: measured[key], predicted: predicted[key], error: predicted[key] - measured[key] },
    ]),
  );
}
