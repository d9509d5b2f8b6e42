// Intervals of what is derived from a predicted slide (distances, shares of the signal): calibrated on their own, for the
// pixels' intervals say nothing of a sum over correlated pixels. Errors of whole slides, split conformal prediction.
import type { AnalyzeResult } from '../contract/analyze.ts';
import { conformalRadius } from '../evaluation/conformal.ts';
import type { ModelManifest } from '../model/model-file.ts';

export type DerivedIntervals = NonNullable<ModelManifest['derivedIntervals']>;
type DerivedInterval = DerivedIntervals[string][number];

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
/** Name of a sub-area's share of the signal. */
export const shareKey = (subarea: string): string => `share of ${subarea}`;

/** What has intervals, by name: the extravasation distances and the sub-areas' shares of the signal. */
export function derivedValues(
  extravasation: Pick<
    AnalyzeResult['extravasation'],
    'meanUm' | 'medianUm' | 'p90Um' | 'halfDistanceUm' | 'meanSignal'
  >,
  subareas: AnalyzeResult['subareas'],
): Record<string, number> {
  const { meanUm, medianUm, p90Um, halfDistanceUm, meanSignal } = extravasation;
  const shares = subareas
    .filter(({ name }) => isPart(name))
    .map(({ name, signalShare }) => [shareKey(name), signalShare] as const);
  return { meanUm, medianUm, p90Um, halfDistanceUm, meanSignal, ...Object.fromEntries(shares) };
}

/**
 * @param slides what was found on each calibration slide, one slide an animal: slides of one animal are no further draws
 * @param isWithinSlide fields of one slide promise nothing for another, however many there are
 */
export function derivedIntervals(
  slides: readonly Readonly<Record<string, DerivedPair>>[],
  levels: readonly number[],
  isWithinSlide: boolean,
): DerivedIntervals {
  const found: DerivedIntervals = {};
  for (const key of new Set(slides.flatMap((slide) => Object.keys(slide)))) {
    // A distance that a profile does not reach is no error of 0: the slide does not count.
    const errors = slides.map((slide) => slide[key]?.error ?? Number.NaN).filter(Number.isFinite);
    if (errors.length === 0) continue;
    found[key] = levels.map((level) => {
      const interval = { level, ...conformalRadius(errors, level) };
      return isWithinSlide ? { ...interval, basis: 'within-cohort' as const } : interval;
    });
  }
  return found;
}

/** Smallest value that a measure can have; a share may fall below 0 where noise exceeds the signal. */
const isDistance = (key: string): boolean => key.endsWith('Um');

/** Where the measured value lies, by the interval of its level. */
export function endsOf(
  key: string,
  predicted: number,
  { radius }: Pick<DerivedInterval, 'radius'>,
): { low: number; high: number } {
  const low = predicted - radius;
  return { low: isDistance(key) ? Math.max(0, low) : low, high: predicted + radius };
}

export function ofLevel(
  intervals: readonly DerivedInterval[] | undefined,
  level: number,
): DerivedInterval | undefined {
  return intervals?.find((interval) => Math.abs(interval.level - level) < 1e-9);
}

/** Of the smallest calibration slide's tissue. */
const leastShare = 0.7;

/** Why intervals calibrated on whole slides do not hold for one, as the end of a sentence; undefined where it is like them. */
export function unlikeCalibration(
  {
    resampledFromUm,
    calibrationTissueMm2 = 0,
  }: { readonly resampledFromUm?: number; readonly calibrationTissueMm2?: number },
  tissueMm2: number,
): string | undefined {
  if (resampledFromUm !== undefined) {
    return `the slide was resampled from ${resampledFromUm} um a pixel, so it is not of the kind that the model was calibrated on.`;
  }
  if (tissueMm2 < leastShare * calibrationTissueMm2) {
    return `there are ${tissueMm2.toPrecision(2)} mm2 of tissue, and the smallest slide that the model was calibrated on has ${calibrationTissueMm2.toPrecision(2)}; of so little, everything varies more.`;
  }
  return undefined;
}

/** The pairs with the ends of their intervals where the model has them, and how often those held. */
export class DerivedCoverage {
  readonly #known: DerivedIntervals;
  readonly #level: number;
  readonly #tally = new Map<string, { held: number; scored: number }>();

  constructor(known: DerivedIntervals, level: number) {
    this.#known = known;
    this.#level = level;
  }

  add(pairs: Readonly<Record<string, DerivedPair>>): Record<string, DerivedPair> {
    return Object.fromEntries(
      Object.entries(pairs).map(([key, pair]) => {
        const interval = this.#of(key);
        if (!interval || !Number.isFinite(pair.predicted)) return [key, pair];
        const ends = endsOf(key, pair.predicted, interval);
        if (Number.isFinite(pair.measured)) {
          const tally = this.#tally.get(key) ?? { held: 0, scored: 0 };
          this.#tally.set(key, tally);
          tally.scored++;
          if (pair.measured >= ends.low && pair.measured <= ends.high) tally.held++;
        }
        return [key, { ...pair, ...ends }];
      }),
    );
  }

  table() {
    return Object.fromEntries(
      [...this.#tally].map(([key, tally]) => {
        const { level, radius, slides, basis } = this.#of(key)!;
        return [key, { nominal: level, radius, slides, basis, ...tally }];
      }),
    );
  }

  #of(key: string): DerivedInterval | undefined {
    return ofLevel(this.#known[key], this.#level);
  }
}
