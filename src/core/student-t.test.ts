import { expect, it } from 'vitest';
import { studentQuantile, studentTail } from './student-t.ts';

it('tail and quantile are those of SciPy', () => {
  // scipy.stats.t.sf(t, freedom)
  for (const [t, freedom, tail] of [
    [0, 3.5, 0.5],
    [1, 1, 0.25],
    [2.5, 4, 0.033383272406],
    [-1.3, 12.7, 0.891649732708],
    [3, 143, 0.00159295145954],
    [2, 1e9, 0.0227501320832],
  ])
    expect(studentTail(t, freedom) / tail, `${t}, ${freedom}`).toBeCloseTo(1, 3);
  // scipy.stats.t.isf(tail, freedom)
  for (const [tail, freedom, t] of [
    [0.025, 8, 2.30600413517],
    [0.005, 35, 2.72380558921],
    [0.1, 2.2, 1.81238492178],
  ])
    expect(studentQuantile(tail, freedom)).toBeCloseTo(t, 3);
});
