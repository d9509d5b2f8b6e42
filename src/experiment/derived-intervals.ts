// Intervals of what is derived from a predicted slide (distances, shares of the signal): calibrated on their own, for the
// pixels' intervals say nothing of a sum over correlated pixels. Errors of whole slides, split conformal prediction.
import { conformalRadius } from '../evaluation/conformal.ts';
import type { ModelManifest } from '../model/model-file.ts';
import type { DerivedPair } from './evaluate-space.ts';

type DerivedIntervals = NonNullable<ModelManifest['derivedIntervals']>;

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
        const low = pair.predicted - interval.radius;
        const ends = {
          low: isDistance(key) ? Math.max(0, low) : low,
          high: pair.predicted + interval.radius,
        };
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

  #of(key: string): DerivedIntervals[string][number] | undefined {
    return this.#known[key]?.find(({ level }) => Math.abs(level - this.#level) < 1e-9);
  }
}
