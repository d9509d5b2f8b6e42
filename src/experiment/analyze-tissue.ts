// Where an analysis measures: tissue found against glass, or every pixel.
import type { AnalyzeSettings } from '../contract/analyze.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { type SlideScan, scanSlide } from '../dataset/scan-slide.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { scanTissue, tissueBits } from './slide-layers.ts';

export interface AnalysedTissue {
  readonly scan: SlideScan;
  readonly tissue: BitMask;
  /** What of it is away from glass. */
  readonly solid: BitMask;
  /** The same by cell of the scan. */
  readonly isSolid: (cell: number) => boolean;
}

/**
 * @param inputs channels that tissue is told from
 * @param others further channels to scan; after the inputs in the scan
 * @throws DataError for a slide without tissue, where it is to be found
 */
export async function analysedTissue(
  source: PixelSource,
  inputs: readonly number[],
  others: readonly number[],
  pixelSizeUm: number,
  how: AnalyzeSettings['tissue'],
  work: WorkOptions,
): Promise<AnalysedTissue> {
  if (how === 'all') {
    const scan = await scanSlide(source, { inputs, others }, pixelSizeUm, work);
    const tissue = new BitMask(source.width, source.height).inverted();
    return { scan, tissue, solid: tissue, isSolid: () => true };
  }
  const { scan, bits, solid } = await scanTissue(source, inputs, others, pixelSizeUm, work);
  return {
    scan,
    tissue: bits,
    solid: tissueBits(solid, source.width, source.height),
    isSolid: (cell) => solid.cells[cell] === 1,
  };
}
