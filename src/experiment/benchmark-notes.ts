// What the report of a benchmark says beside its table.
import type { BenchmarkResult, BenchmarkRow } from '../contract/benchmark.ts';
import type { DatasetManifest } from '../dataset/manifest.ts';
import { widestOverlapPx } from '../dataset/random-windows.ts';
import type { Contestant } from './benchmark-contestants.ts';
import { type Fold, rowName } from './benchmark-folds.ts';
import type { PlannedRun, RunRecord } from './benchmark-runs.ts';
import { bestRate } from './benchmark-schedule.ts';

/** Below this, a bootstrap over slides (those of one animal together) gives intervals that are clearly too narrow. */
export const fewGroups = 10;

/** Rows over fewer folds or seeds than planned: folds differ in how hard they are, so such rows are not to be compared. */
export function lackNotes(
  models: Readonly<Record<string, BenchmarkRow>>,
  planned: readonly PlannedRun[],
): string[] {
  return Object.entries(models).flatMap(([name, { runs }]) => {
    const all = planned.filter(({ contestant, fold }) => rowName(contestant.name, fold) === name).length;
    return runs === all
      ? []
      : [`${name}: ${runs} of ${all} runs have a result, so the row is not to be compared with rows of all.`];
  });
}

/** What 90% intervals do not promise, of each model. */
export function caveatNotes(runs: readonly RunRecord[]): string[] {
  const found = runs.flatMap(({ contestant, caveat }) =>
    caveat === undefined ? [] : [`${contestant}: ${caveat}`],
  );
  return [...new Set(found)];
}

/** Whose best learning rate is the lowest or the highest of those tried, so that a better one may lie beyond. */
export function rateNotes(runs: readonly RunRecord[]): string[] {
  const found = runs.flatMap(({ contestant, rateTrials }) => {
    if (rateTrials === undefined) return [];
    const rates = rateTrials.tried.map(({ learningRate }) => learningRate);
    const end = [Math.min(...rates), Math.max(...rates)].indexOf(bestRate(rateTrials, Number.NaN));
    if (end < 0) return [];
    return [
      `${contestant}: of the learning rates tried (${rates.join(', ')}), the ${['lowest', 'highest'][end]} had the least validation error; one beyond may be better.`,
    ];
  });
  return [...new Set(found)];
}

/** Of the time, below which a schedule was much too short for it. */
const usedShare = 0.9;

/** Whose schedule was over long before the time was. */
export function spareNotes(runs: readonly RunRecord[], budgetSeconds: number): string[] {
  const short = runs.filter(
    ({ schedule, seconds }) => schedule !== undefined && seconds < usedShare * budgetSeconds,
  );
  return [...new Set(short.map(({ contestant }) => contestant))].map((name) => {
    const least = Math.min(
      ...short.filter(({ contestant }) => contestant === name).map(({ seconds }) => seconds),
    );
    return `${name} used ${least.toFixed(0)} of ${budgetSeconds} s: its schedule was made from short runs that were slower, or by hand.`;
  });
}

/** Whose time ended before the schedule did. */
export function cutNotes(runs: readonly RunRecord[]): string[] {
  const early = runs.filter(({ steps, plannedSteps }) => steps < plannedSteps);
  return [...new Set(early.map(({ contestant }) => contestant))].map((name) => {
    const own = early.filter(({ contestant }) => contestant === name);
    const least = own.reduce((a, b) => (a.steps / a.plannedSteps <= b.steps / b.plannedSteps ? a : b));
    const cut = `${name}: the time ended before the schedule did, in ${own.length} of its runs (after ${least.steps} of ${least.plannedSteps} steps at the earliest).`;
    if (least.schedule !== 'cosine' || least.rateLeft === undefined) return cut;
    return `${cut} Its learning rate had come down to ${(least.rateLeft * 100).toPrecision(2)}% of the largest: the more is left, the more the row understates it.`;
  });
}

/** A model says that the probe is brighter beside vessels where it is by so many standard deviations, and surely. */
const leastGradient = 0.1;

/** Whether the probe is brighter beside vessels, and which models say so where it is not. */
export function gradientNotes(models: Readonly<Record<string, BenchmarkRow>>): string[] {
  const rows = Object.entries(models);
  const measured = rows[0]?.[1].vesselGradient.measured;
  if (measured === undefined) return [];
  if (Number.isNaN(measured.low)) {
    return [
      'Whether the probe is brighter beside vessels is not known: a slide held out has too little tissue 3 to 10 um from a vessel, or beyond 25 um.',
    ];
  }
  const how =
    measured.low > 0 ? 'is brighter' : measured.high < 0 ? 'is darker' : 'is not surely brighter or darker';
  const claims = rows.filter(
    ([, { vesselGradient }]) =>
      vesselGradient.predicted.low > 0 && vesselGradient.predicted.mean >= leastGradient,
  );
  return [
    `The measured probe ${how} beside vessels (3 to 10 um) than far from them (beyond 25 um): ` +
      `by ${measured.mean.toFixed(3)} of its standard deviations outside vessels (95% interval ${measured.low.toFixed(3)} to ${measured.high.toFixed(3)}). ` +
      (claims.length === 0
        ? `No model says that it is by ${leastGradient} or more.`
        : `Models that say it is, by ${leastGradient} or more: ${claims.map(([name]) => name).join(', ')}.`),
  ];
}

/**
 * What windows drawn at random make of each model's R2, a mean over slides on both sides: over windows of all slides at once
 * R2 would be greater for no more than that slides differ in brightness.
 */
export function leakageNotes(
  runs: readonly RunRecord[],
  contestants: readonly Contestant[],
  folds: readonly Fold[],
  manifest: DatasetManifest,
): string[] {
  const random = folds.find(({ test }) => test.length === 0);
  const pairs = contestants.flatMap(({ name }) => {
    const r2Of = (row: string): number[] =>
      runs
        .filter(({ contestant }) => contestant === row)
        .flatMap(({ perSlide }) => perSlide.map(({ r2 }) => r2));
    const [flattered, held] = [random ? r2Of(rowName(name, random)) : [], r2Of(name)];
    if (flattered.length === 0 || held.length === 0) return [];
    const mean = (values: readonly number[]): string =>
      (values.reduce((a, b) => a + b, 0) / values.length).toFixed(3);
    return [`${name} ${mean(flattered)} instead of ${mean(held)}`];
  });
  if (pairs.length === 0) return [];
  const overlap = widestOverlapPx(manifest);
  return [
    `Random patches: windows of ${manifest.patch} px of the same slides were drawn at random into training, validation and test, as many as by ${manifest.splitBy}. ` +
      `Neighbouring windows ${overlap === 0 ? 'touch' : `overlap by up to ${overlap} px`}; a pixel in several belongs to one split only, so no test pixel was trained on, but tissue beside it was. ` +
      `R2, a mean over slides, is then ${pairs.join('; ')}. The difference is what the ${manifest.splitBy} tells, and no new ${manifest.splitBy} will.`,
  ];
}

/** How far the intervals of paired differences can be believed. */
export function differenceNotes(differences: BenchmarkResult['differences']): string[] {
  const drawn = differences.find(({ low }) => !Number.isNaN(low));
  if (drawn === undefined || drawn.groups >= fewGroups) return [];
  const what =
    drawn.groups === drawn.slides
      ? `${drawn.slides} slides`
      : `${drawn.groups} animals, of which the ${drawn.slides} slides are,`;
  return [
    `Intervals of paired differences come from drawing the ${what} with replacement; with so few they are too narrow.`,
  ];
}
