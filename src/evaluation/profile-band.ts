// The probe's profile over distance from the vessels, over several animals: its mean, and how far it would differ with others.
import { Rng } from '../core/rng.ts';

/** Mean of the measured and the predicted probe above background in one bin of distance, stored units. */
export interface ProfilePair {
  readonly fromUm: number;
  readonly toUm: number;
  /** Share of the extravascular tissue. */
  readonly share: number;
  readonly measured: number;
  readonly predicted: number;
}

export interface ProfileBand extends ProfilePair {
  /** Animals with tissue at this distance. */
  readonly animals: number;
  readonly measuredLow: number;
  readonly measuredHigh: number;
  readonly predictedLow: number;
  readonly predictedHigh: number;
}

const resamples = 1000;
const level = 0.95;
const fewestAnimals = 3;

/**
 * Slides of an animal are averaged first, then animals, each alike whatever its size; the interval comes from drawing
 * animals with replacement, and is NaN with fewer than three. Bins in which fewer than three quarters of the animals
 * that have a profile have tissue are left out. With few animals the interval is too narrow; every slide's own line belongs beside it.
 */
export function profileBand(
  all: readonly { readonly group: string; readonly profile: readonly ProfilePair[] }[],
  seed = 0,
): ProfileBand[] {
  const slides = all.filter(({ profile }) => profile.length > 0);
  const groups = [...new Set(slides.map(({ group }) => group))];
  const rng = new Rng(seed).fork('animals');
  const draws = Array.from({ length: resamples }, () => groups.map(() => rng.integer(groups.length)));
  const starts = [...new Set(slides.flatMap(({ profile }) => profile.map(({ fromUm }) => fromUm)))];
  return starts
    .sort((a, b) => a - b)
    .flatMap((fromUm) => {
      const own = groups.map((group) =>
        slides
          .filter((slide) => slide.group === group)
          .flatMap(({ profile }) => profile.filter((bin) => bin.fromUm === fromUm)),
      );
      const known = own.filter((bins) => bins.length > 0);
      if (4 * known.length < 3 * groups.length) return [];
      const of = (key: 'share' | 'measured' | 'predicted') => {
        const means = own.map((bins) => mean(bins.map((bin) => bin[key])));
        const drawn = draws
          .map((draw) => mean(draw.map((i) => means[i]).filter(Number.isFinite)))
          .filter(Number.isFinite)
          .sort((a, b) => a - b);
        const at = (q: number): number =>
          known.length < fewestAnimals ? Number.NaN : drawn[Math.round(q * (drawn.length - 1))];
        return {
          value: mean(means.filter(Number.isFinite)),
          low: at((1 - level) / 2),
          high: at(1 - (1 - level) / 2),
        };
      };
      const [measured, predicted] = [of('measured'), of('predicted')];
      return [
        {
          fromUm,
          toUm: known[0][0].toUm,
          animals: known.length,
          share: of('share').value,
          measured: measured.value,
          measuredLow: measured.low,
          measuredHigh: measured.high,
          predicted: predicted.value,
          predictedLow: predicted.low,
          predictedHigh: predicted.high,
        },
      ];
    });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
