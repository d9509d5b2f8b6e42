/**
 * Intervals around a prediction, calibrated over whole slides. The shape comes from quantiles of the errors at
 * each predicted value; its width from conformal prediction in which the slide, not the pixel, is what is drawn:
 * pixels of one slide are alike, and it is the next slide that the interval is for.
 */
import { assert } from '../core/errors.ts';
import { quantile } from '../core/quantile.ts';

/** Pixels of one calibration slide (or of all slides of one animal). */
export interface CalibrationSlide {
  readonly predicted: Float32Array;
  /** Measured less predicted, in the unit that the interval is to have. Same length. */
  readonly errors: Float32Array;
}

export interface CalibratedInterval {
  readonly level: number;
  readonly knots: number[];
  readonly lower: number[];
  readonly upper: number[];
  readonly slides: number;
  readonly basis: 'slides' | 'within-cohort';
}

/**
 * Upper ends of all groups of predicted values but the last, as shares of the pixels; each group has its own quantiles of
 * the error. They are narrow at the bright end: vessels are a few per cent of the pixels and err most.
 */
const ends = [...Array.from({ length: 11 }, (_, i) => (i + 1) / 12), 0.95, 0.98];
const groups = ends.length + 1;
/** Thresholds at which the distribution of scores is known. */
const scoreSteps = 400;

/**
 * Fewest slides from which a level can be promised for a further one: n >= 1 / alpha - 1, and two at least, for one
 * slide's errors would be scored against its own quantiles.
 */
export function slidesNeeded(level: number): number {
  return Math.max(2, Math.ceil(1 / (1 - level) - 1 - 1e-9));
}

/**
 * Scores are distances outside the interval of error quantiles, in units of its width, each slide's against the
 * quantiles of the others. Split conformal prediction would widen (or narrow) the interval by the ceil(level (n + 1))-th
 * smallest of one score drawn from each of the n slides, which are exchangeable (Vovk et al. 2005; Dunn, Wasserman and
 * Ramdas 2023 for draws within groups). So that the interval does not depend on the draw, it is widened by the
 * number that holds as many pixels, a mean over slides, as the drawn one does on average. With fewer slides than
 * `slidesNeeded` it keeps the quantiles as they are and says 'within-cohort'.
 */
export function calibrateInterval(slides: readonly CalibrationSlide[], level: number): CalibratedInterval {
  const n = slides.length;
  assert(n > 0 && slides.every(({ predicted }) => predicted.length > 0), 'calibration needs pixels');
  const sorted = joined(slides.map(({ predicted }) => predicted)).sort();
  const edges = ends.map((end) => sorted[Math.floor(end * sorted.length)]);
  const errors = slides.map((slide) => errorsByGroup(slide, edges));
  const shape = quantilesOf(errors, level);
  const isEnough = n >= slidesNeeded(level);
  const widening = isEnough ? widthOfDraws(scoresOf(errors, level), level) : 0;
  const knots: number[] = [];
  const lower: number[] = [];
  const upper: number[] = [];
  for (let g = 0; g < groups; g++) {
    const start = g === 0 ? 0 : firstAtLeast(sorted, edges[g - 1]);
    const end = g === edges.length ? sorted.length : firstAtLeast(sorted, edges[g]);
    // Where many predictions are equal, they all lie in one group and others are empty.
    if (start === end) continue;
    const [low, high] = shape[g];
    const extra = widening * (high - low);
    // The median prediction of the group, where its interval holds exactly.
    knots.push(sorted[(start + end) >> 1]);
    // Narrowing never turns an interval inside out.
    const middle = (low + high) / 2;
    lower.push(Math.min(low - extra, middle));
    upper.push(Math.max(high + extra, middle));
  }
  return {
    level,
    knots,
    lower,
    upper,
    slides: n,
    basis: isEnough ? 'slides' : 'within-cohort',
  };
}

export interface ConformalRadius {
  readonly radius: number;
  readonly slides: number;
  readonly basis: 'slides' | 'within-cohort';
}

/**
 * Split conformal prediction (Vovk et al. 2005) of one number a slide: value +- radius holds the next slide's with at
 * least the level, where the radius is the ceil(level (n + 1))-th smallest of the n absolute errors. With fewer slides than
 * `slidesNeeded` it is the largest, and is called 'within-cohort'.
 * @param errors one a slide, at least one, finite
 */
export function conformalRadius(errors: readonly number[], level: number): ConformalRadius {
  const n = errors.length;
  assert(n > 0, 'a radius needs errors');
  const sorted = errors.map(Math.abs).sort((a, b) => a - b);
  const rank = Math.ceil(level * (n + 1) - 1e-9);
  return {
    radius: sorted[Math.min(rank, n) - 1],
    slides: n,
    basis: n >= slidesNeeded(level) ? 'slides' : 'within-cohort',
  };
}

/** Errors by group of the prediction, sorted. */
function errorsByGroup({ predicted, errors }: CalibrationSlide, edges: readonly number[]): Float32Array[] {
  const found: number[][] = Array.from({ length: groups }, () => []);
  for (let i = 0; i < predicted.length; i++) {
    let g = 0;
    while (g < edges.length && predicted[i] >= edges[g]) g++;
    found[g].push(errors[i]);
  }
  return found.map((values) => Float32Array.from(values).sort());
}

/** Lower and upper error quantile of each group over all slides; an empty group takes those of all pixels. */
function quantilesOf(errors: readonly (readonly Float32Array[])[], level: number): [number, number][] {
  const tail = (1 - level) / 2;
  const all = joined(errors.flat()).sort();
  return Array.from({ length: groups }, (_, g) => {
    const own = joined(errors.map((slide) => slide[g])).sort();
    const sorted = own.length > 0 ? own : all;
    return [quantile(sorted, tail), quantile(sorted, 1 - tail)];
  });
}

/** For each slide the scores of its pixels against the quantiles of the other slides, sorted. */
function scoresOf(errors: readonly (readonly Float32Array[])[], level: number): Float32Array[] {
  return errors.map((own, j) => {
    const shape = quantilesOf(
      errors.filter((_, i) => i !== j),
      level,
    );
    const scores = own.map((values, g) => {
      const [low, high] = shape[g];
      const width = Math.max(high - low, 1e-12);
      return values.map((error) => Math.max(low - error, error - high) / width);
    });
    return joined(scores).sort();
  });
}

/**
 * The threshold below which as many scores lie, as a mean over slides, as lie on average below the k-th smallest of one draw
 * from each slide, k = ceil(level (n + 1)). That the k-th smallest is at most a threshold is the Poisson-binomial chance
 * of k draws or more.
 */
function widthOfDraws(scores: readonly Float32Array[], level: number): number {
  const n = scores.length;
  const k = Math.min(n, Math.ceil(level * (n + 1) - 1e-9));
  const all = joined(scores).sort();
  const thresholds = Array.from({ length: scoreSteps + 1 }, (_, i) => quantile(all, i / scoreSteps));
  const held: number[] = [];
  let [onAverage, before] = [0, 0];
  for (const threshold of thresholds) {
    const shares = scores.map((sorted) => below(sorted, threshold) / sorted.length);
    const chance = chanceOfAtLeast(shares, k);
    held.push(shares.reduce((sum, share) => sum + share, 0) / n);
    onAverage += (chance - before) * held[held.length - 1];
    before = chance;
  }
  return thresholds[held.findIndex((share) => share >= onAverage - 1e-9)];
}

/** Chance that at least k of independent events happen. */
function chanceOfAtLeast(chances: readonly number[], k: number): number {
  let exactly = [1];
  for (const p of chances) {
    const next = new Array<number>(exactly.length + 1).fill(0);
    exactly.forEach((chance, count) => {
      next[count] += chance * (1 - p);
      next[count + 1] += chance * p;
    });
    exactly = next;
  }
  return exactly.slice(k).reduce((sum, chance) => sum + chance, 0);
}

/** How many are at most the limit. */
function below(sorted: Float32Array, limit: number): number {
  return countWhile(sorted, (value) => value <= limit);
}

function firstAtLeast(sorted: Float32Array, limit: number): number {
  return countWhile(sorted, (value) => value < limit);
}

/** How many hold the condition, which the first ones do and the others do not. */
function countWhile(sorted: Float32Array, holds: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
