// What an evaluation finds, whichever way it came by its predictions.
import type { parseOptions } from '../contract/command.ts';
import type { EvaluateResult, evaluateCommand } from '../contract/evaluate.ts';
import type { SlideEvaluation } from './evaluate-slide.ts';

export type EvaluateSettings = ReturnType<typeof parseOptions<(typeof evaluateCommand)['options']>>;

/** Level of the intervals whose coverage is measured. */
export const coverageLevel = 0.9;

export const isScored = ({ level }: { readonly level: number }): boolean =>
  Math.abs(level - coverageLevel) < 1e-9;

export const intervalsAreForMeasured =
  'Intervals are for what is measured: how often they hold is not counted against the noise-free truth.';

export interface Evaluation {
  readonly scores: readonly SlideEvaluation[];
  readonly slidePaths: readonly string[];
  /** What the truth beside the slides says is at their own pixel size. */
  readonly isResampled: boolean;
  readonly peak: number;
  readonly floorIs: string;
  readonly withinSlide: boolean;
  readonly coverage: EvaluateResult['coverage'];
  readonly derivedCoverage: EvaluateResult['derivedCoverage'];
  readonly notes: readonly string[];
  /** In the output folder. */
  readonly files: readonly string[];
}
