import { describe, expect, it } from 'vitest';
import { Rng } from '../core/rng.ts';
import { intervalAt } from '../model/interval.ts';
import { calibrateInterval, conformalRadius, slidesNeeded } from './conformal.ts';
import { Coverage } from './coverage.ts';

interface ToySlide {
  readonly predicted: Float32Array;
  readonly measured: Float32Array;
}

const calibrated = (slides: readonly ToySlide[], level: number) =>
  calibrateInterval(
    slides.map(({ predicted, measured }) => ({
      predicted,
      errors: measured.map((v, i) => v - predicted[i]),
    })),
    level,
  );

/** A cohort whose slides differ in bias and noise, with skewed errors that grow with the prediction. */
function cohort(slides: number, seed: number, pixels = 400): ToySlide[] {
  const rng = new Rng(seed);
  return Array.from({ length: slides }, () => {
    const noise = Math.exp(rng.normal(0, 0.35));
    const bias = rng.normal(0, 0.3);
    const predicted = Float32Array.from({ length: pixels }, () => rng.uniform(0, 10));
    const measured = predicted.map((p) => {
      const skewed = rng.uniform() < 0.2 ? rng.uniform(0, 4) : rng.normal();
      return p + bias + noise * (0.3 + 0.2 * p) * skewed;
    });
    return { predicted, measured };
  });
}

function coverageOf(level: number, calibration: ToySlide[], test: ToySlide[]) {
  const interval = calibrated(calibration, level);
  const coverage = new Coverage(level);
  for (const [i, { predicted, measured }] of test.entries()) {
    const distance = predicted.map((p) => 60 - 6 * p);
    const [lower, upper] = [0, 1].map((end) => predicted.map((p) => intervalAt(interval, p)[end]));
    coverage.add(`${i}`, measured, predicted, distance, lower, upper);
  }
  return coverage.table();
}

describe('calibrateInterval', () => {
  it('holds what it says on further slides, on average over cohorts of 20', () => {
    const tables = Array.from({ length: 8 }, (_, seed) =>
      coverageOf(0.9, cohort(20, seed), cohort(40, 100 + seed)),
    );
    const mean = tables.reduce((sum, { pooled }) => sum + pooled, 0) / tables.length;
    // Exchangeable draws give 19/21 = 0.905.
    expect(mean).toBeGreaterThan(0.895);
    expect(mean).toBeLessThan(0.915);
    for (const { byPredictedDecile, byDistanceBin } of tables) {
      for (const { coverage } of [...byPredictedDecile, ...byDistanceBin]) {
        expect(coverage).toBeGreaterThan(0.8);
        expect(coverage).toBeLessThan(0.97);
      }
    }
  });

  it('promises a further slide only where there are slides enough', () => {
    expect([0.5, 0.8, 0.9, 0.95].map(slidesNeeded)).toEqual([2, 4, 9, 19]);
    expect(calibrated(cohort(1, 1), 0.5).basis).toBe('within-cohort');
    expect(calibrated(cohort(8, 1), 0.9)).toMatchObject({ basis: 'within-cohort', slides: 8 });
    expect(calibrated(cohort(9, 1), 0.9).basis).toBe('slides');
  });

  it('follows the errors: wider where they are larger, skewed as they are', () => {
    const interval = calibrated(cohort(20, 3), 0.9);
    const [dark, bright] = [intervalAt(interval, 0.5), intervalAt(interval, 9.5)];
    expect(bright[1] - bright[0]).toBeGreaterThan(2.5 * (dark[1] - dark[0]));
    expect(bright[1] - 9.5).toBeGreaterThan(1.2 * (9.5 - bright[0]));
  });

  it.each([
    ['at the top', 0.046],
    ['at the bottom', 0.3],
  ])('holds equal predictions %s as often as others', (where, share) => {
    const rng = new Rng(8);
    const tied = (where === 'at the top' ? 20 : 0) as number;
    const slides = Array.from({ length: 40 }, () => {
      const predicted = Float32Array.from({ length: 2000 }, () =>
        rng.uniform() < share ? tied : rng.uniform(1, 10),
      );
      return { predicted, measured: predicted.map((p) => p + (p === tied ? 8 : 1) * rng.normal()) };
    });
    const interval = calibrated(slides.slice(0, 20), 0.9);
    const held = (isTied: boolean): number => {
      const inside = slides.slice(20).flatMap(({ predicted, measured }) =>
        [...predicted].flatMap((p, i) => {
          if ((p === tied) !== isTied) return [];
          const [low, high] = intervalAt(interval, p);
          return measured[i] >= low && measured[i] <= high ? [1] : [0];
        }),
      );
      return inside.reduce<number>((sum, one) => sum + one, 0) / inside.length;
    };
    expect(held(true)).toBeGreaterThan(0.87);
    expect(held(true)).toBeLessThan(0.93);
    expect(held(false)).toBeGreaterThan(0.87);
  });

  it('works where the prediction is one value, and where there is one slide', () => {
    const flat = cohort(1, 5).map(({ measured }) => ({
      measured,
      predicted: new Float32Array(measured.length).fill(4),
    }));
    const interval = calibrated(flat, 0.8);
    expect(interval.knots).toEqual([4]);
    const inside = flat[0].measured.filter((v) => {
      const [low, high] = intervalAt(interval, 4);
      return v >= low && v <= high;
    });
    expect(inside.length / flat[0].measured.length).toBeCloseTo(0.8, 1);
    expect(intervalAt(interval, Number.NaN)[0]).toBeNaN();
  });
});

it('a radius of one error a slide holds a further slide as often as it says, and no surer than it must', () => {
  const rng = new Rng(6);
  let held = 0;
  for (let trial = 0; trial < 4000; trial++) {
    const errors = Array.from({ length: 20 }, () => rng.normal(0.4, 1));
    if (Math.abs(rng.normal(0.4, 1)) <= conformalRadius(errors, 0.9).radius) held++;
  }
  // The 19th of 20 holds 19 / 21.
  expect(held / 4000).toBeGreaterThan(0.89);
  expect(held / 4000).toBeLessThan(0.92);
  expect(conformalRadius([-3, 1, 2], 0.5)).toEqual({ radius: 2, slides: 3, basis: 'slides' });
  expect(conformalRadius([-3, 1, 2], 0.9)).toEqual({ radius: 3, slides: 3, basis: 'within-cohort' });
});

it('Coverage counts by slide, by tenth of the predictions and by distance', () => {
  const coverage = new Coverage(0.9);
  const predicted = Float32Array.from({ length: 100 }, (_, i) => i);
  // Intervals of 0 to 50 hold the lower half.
  coverage.add(
    'a',
    predicted,
    predicted,
    predicted.map((p) => (p < 20 ? 0 : 80)),
    predicted.map(() => 0),
    predicted.map(() => 49),
  );
  coverage.add(
    'b',
    Float32Array.of(5, Number.NaN),
    Float32Array.of(1000, 1000),
    Float32Array.of(3, 3),
    Float32Array.of(6, 6),
    Float32Array.of(8, 8),
  );
  const table = coverage.table();
  expect(table.pooled).toBeCloseTo(50 / 101, 9);
  expect(table.perSlide.map(({ coverage: share }) => share)).toEqual([0.5, 0]);
  expect(table.byPredictedDecile.map(({ coverage: share }) => share)).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  expect(table.byPredictedDecile.map(({ from }) => from)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  expect(table.byDistanceBin.map(({ fromUm, toUm, pixels }) => [fromUm, toUm, pixels])).toEqual([
    [0, 0, 20],
    [0, 3, 1],
    [50, null, 80],
  ]);
});

it('Coverage of a slide without vessels is at no distance from them', () => {
  const coverage = new Coverage(0.9);
  const [seven, six, eight] = [7, 6, 8].map((value) => Float32Array.of(value));
  coverage.add('a', seven, seven, Float32Array.of(Infinity), six, eight);
  expect(coverage.table()).toMatchObject({ pooled: 1, byDistanceBin: [] });
});

it('Coverage says which tenths share one predicted value', () => {
  const predicted = Float32Array.from({ length: 100 }, (_, i) => (i < 45 ? 0 : i));
  const coverage = new Coverage(0.9);
  const all = (value: number) => predicted.map(() => value);
  coverage.add('a', predicted, predicted, all(3), all(-1), all(1000));
  expect(coverage.table().byPredictedDecile.map(({ first, last, from }) => [first, last, from])).toEqual([
    [1, 5, 0],
    [6, 6, 50],
    [7, 7, 60],
    [8, 8, 70],
    [9, 9, 80],
    [10, 10, 90],
  ]);
});

it('Coverage finds the tenths of values of either sign as sorting does, to its step', () => {
  const rng = new Rng(4);
  const predicted = Float32Array.from({ length: 5000 }, () => rng.normal(0.5, 2));
  const coverage = new Coverage(0.9);
  for (const part of [predicted.subarray(0, 1234), predicted.subarray(1234)]) {
    const all = (value: number) => part.map(() => value);
    coverage.add('a', part, part, all(3), all(-1), all(1e9));
  }
  const sorted = predicted.slice().sort();
  const { byPredictedDecile } = coverage.table();
  expect(byPredictedDecile.length).toBe(10);
  byPredictedDecile.forEach(({ from, pixels, coverage: share }, d) => {
    const exact = sorted[500 * d];
    expect(Math.abs(from - exact)).toBeLessThanOrEqual(Math.abs(exact) / 2000);
    expect(Math.abs(pixels - 500)).toBeLessThan(10);
    const inside = sorted.subarray(500 * d, 500 * (d + 1)).filter((v) => v >= -1).length;
    expect(Math.abs(share - inside / 500)).toBeLessThan(0.02);
  });
});
