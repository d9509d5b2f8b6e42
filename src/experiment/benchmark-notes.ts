// What the report of a benchmark says beside its table.
import type { BenchmarkResult, BenchmarkRow } from '../contract/benchmark.ts';
import type { DatasetManifest } from '../dataset/manifest.ts';
import { widestOverlapPx } from '../dataset/random-windows.ts';
import type { Contestant } from './benchmark-contestants.ts';
import { type Fold, rowName } from './benchmark-folds.ts';
import type { PlannedRun, RunRecord } from './benchmark-runs.ts';

/** Below this, a bootstrap over slides (those of one animal together) gives intervals that are clearly too narrow. */
const fewGroups = 10;

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

/** Whose time ended before the schedule did, so that the learning rate never came down and more time would help more. */
export function cutNotes(runs: readonly RunRecord[]): string[] {
  const cut = runs.filter(({ steps, plannedSteps }) => steps < plannedSteps);
  return [...new Set(cut.map(({ contestant }) => contestant))].map((name) => {
    const own = cut.filter(({ contestant }) => contestant === name);
    const least = own.reduce((a, b) => (a.steps / a.plannedSteps <= b.steps / b.plannedSteps ? a : b));
    return (
      `${name}: the time ended before the schedule did, in ${own.length} of its runs (after ${least.steps} of ${least.plannedSteps} steps at the earliest). ` +
      'Its learning rate had not come down, so the row understates it; give it more --time-budget.'
    );
  });
}

/** A model says that the probe is brighter beside vessels where it is by so many standard deviations, and surely. */
const leastGradient = 0.1;

/** Whether the probe is brighter beside vessels, and which models say so where it is not. */
export function gradientNotes(models: Readonly<Record<string, BenchmarkRow>>): string[] {
  const rows = Object.entries(models);
  const measured = rows[0]?.[1].vesselGradient.measured;
  if (measured === undefined || Number.isNaN(measured.low)) return [];
  const isBright = measured.low > 0;
  const claims = rows.filter(
    ([, { vesselGradient }]) =>
      vesselGradient.predicted.low > 0 && vesselGradient.predicted.mean >= leastGradient,
  );
  return [
    `The measured probe is ${isBright ? '' : 'not '}brighter beside vessels (3 to 10 um) than far from them (beyond 25 um): ` +
      `by ${measured.mean.toFixed(3)} of its standard deviations outside vessels (95% interval ${measured.low.toFixed(3)} to ${measured.high.toFixed(3)}). ` +
      (claims.length === 0
        ? `No model says that it is by ${leastGradient} or more.`
        : `Models that say it is, by ${leastGradient} or more: ${claims.map(([name]) => name).join(', ')}.`),
  ];
}

/** What windows drawn at random make of each model's R2. */
export function leakageNotes(
  models: Readonly<Record<string, BenchmarkRow>>,
  contestants: readonly Contestant[],
  folds: readonly Fold[],
  manifest: DatasetManifest,
): string[] {
  const random = folds.find(({ test }) => test.length === 0);
  const pairs = contestants.flatMap(({ name }) => {
    const flattered = random && models[rowName(name, random)];
    return flattered && models[name]
      ? [`${name} ${flattered.r2.toFixed(3)} instead of ${models[name].r2.toFixed(3)}`]
      : [];
  });
  if (pairs.length === 0) return [];
  const overlap = widestOverlapPx(manifest);
  return [
    `Random patches: windows of ${manifest.patch} px of the same slides were drawn at random into training, validation and test, as many as by ${manifest.splitBy}. ` +
      `Neighbouring windows ${overlap === 0 ? 'touch' : `overlap by up to ${overlap} px`}; a pixel in several belongs to one split only, so no test pixel was trained on, but tissue beside it was. ` +
      `R2 is then ${pairs.join('; ')}. The difference is what the ${manifest.splitBy} tells, and no new ${manifest.splitBy} will.`,
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
