// What `analyze` has found out before it is written.
import type { AnalyzeResult, AnalyzeSettings } from '../contract/analyze.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import type { Components } from '../spatial/components.ts';
import type { SpaceSums } from '../spatial/space-sums.ts';
import type { VesselObject } from '../spatial/vessel-measures.ts';
import type { FoundMask } from './analyze-masks.ts';
import type { ProbeMeasures } from './analyze-measures.ts';
import type { PredictedSlide } from './slide-layers.ts';

/** Everything that was found out, for tables and report. */
export interface Analysis {
  readonly options: AnalyzeSettings;
  readonly result: AnalyzeResult;
  readonly source: PixelSource;
  /** Pixels of the slide's file a pixel of `source`, which may be at its prediction's pixel size. */
  readonly filePx: number;
  readonly roles: Readonly<Record<string, number>>;
  readonly predicted: PredictedSlide | undefined;
  readonly tissue: BitMask;
  readonly vessels: FoundMask;
  readonly objects: Components;
  readonly vesselObjects: readonly VesselObject[];
  readonly sums: SpaceSums;
  /** In the order of `sums`' probes. */
  readonly measures: readonly { readonly name: 'measured' | 'predicted'; readonly found: ProbeMeasures }[];
}
