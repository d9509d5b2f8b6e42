import { expect, it } from 'vitest';
import type { BenchmarkRow } from '../contract/benchmark.ts';
import { gradientNotes } from './benchmark-notes.ts';
import type { RunRecord } from './benchmark-runs.ts';
import { pairedDifferences, tableCsv } from './benchmark-table.ts';

it('pairs slides, averages seeds, and gives an interval that holds the mean difference', () => {
  const run = (contestant: string, seed: number, errors: number[]): RunRecord =>
    ({
      contestant,
      seed,
      perSlide: errors.map((mse, i) => ({ slide: `s${i}`, mse })),
    }) as unknown as RunRecord;
  const runs = [run('a', 0, [1, 2, 3, 4]), run('a', 1, [3, 2, 3, 4]), run('b', 0, [4, 4, 2, 6])];
  const [gap] = pairedDifferences(runs, ['a', 'b'], (slide) => slide);
  // Slide by slide: 2 - 4, 2 - 4, 3 - 2, 4 - 6.
  expect(gap).toMatchObject({ model: 'a', against: 'b', slides: 4, better: 3, mseDifference: -1.25 });
  expect(gap.low).toBeLessThan(-1.25);
  expect(gap.high).toBeGreaterThan(-1.25);
  // Two animals, of which one has three slides, are too few.
  const [together] = pairedDifferences(runs, ['a', 'b'], (slide) => (slide === 's0' ? 'x' : 'y'));
  expect(together).toEqual({ ...gap, groups: 2, low: Number.NaN, high: Number.NaN });
});

it('says that the probe is brighter or darker beside vessels only where that is sure', () => {
  const note = (low: number, high: number): string => {
    const measured = { mean: (low + high) / 2, low, high };
    const row = { vesselGradient: { measured, predicted: measured } } as unknown as BenchmarkRow;
    return gradientNotes({ linear: row }).join();
  };
  expect(note(0.2, 0.4)).toMatch(/probe is brighter beside .* Models that say it is, .*: linear/);
  expect(note(-0.4, -0.2)).toMatch(/probe is darker beside .* No model says/);
  expect(note(-0.05, 0.65)).toMatch(/probe is not surely brighter or darker beside/);
});

it('the table for spreadsheets names every part of a figure', () => {
  expect(tableCsv({})).toBe('');
  const estimate = { mean: 0.5, low: 0.25, high: 0.75 };
  const row = {
    mse: 2,
    psnr: Number.NaN,
    vesselGradient: { predicted: estimate },
  } as unknown as BenchmarkRow;
  expect(tableCsv({ 'linear, random patches': row }).split('\r\n')).toEqual([
    'model,mse,psnr,vesselGradient.predicted.mean,vesselGradient.predicted.low,vesselGradient.predicted.high',
    '"linear, random patches",2,,0.5,0.25,0.75',
    '',
  ]);
});
