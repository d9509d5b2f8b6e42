import { describe, expect, it } from 'vitest';
import { profileBand } from './profile-band.ts';

const slide = (group: string, ...means: number[]) => ({
  group,
  profile: means.map((value, i) => ({
    fromUm: i,
    toUm: i + 1,
    share: 1 / means.length,
    measured: value,
    predicted: 2 * value,
  })),
});

describe('profileBand', () => {
  it('averages slides within an animal first, and draws animals', () => {
    // Three slides of one animal weigh as much as one of another.
    const bins = profileBand([
      slide('a', 9, 9, 9),
      slide('a', 9, 9, 9),
      slide('a', 12, 12, 12),
      slide('b', 4, 4),
      slide('c', 1, 1),
    ]);
    expect(bins.map(({ animals }) => animals)).toEqual([3, 3]);
    expect(bins[0].measured).toBe(5);
    expect(bins[0].predicted).toBe(10);
    // The same animal three times has a chance of 1 / 27, more than 2.5%.
    expect([bins[0].measuredLow, bins[0].measuredHigh]).toEqual([1, 10]);
  });

  it('has no interval for two animals, none of any width for animals that are alike, and leaves out what few reach', () => {
    const [both] = profileBand([slide('a', 1), slide('b', 2)]);
    expect([both.measured, both.measuredLow, both.predictedHigh]).toEqual([1.5, Number.NaN, Number.NaN]);
    expect(profileBand([slide('a', 1, 1), slide('b', 2), slide('c', 3)])).toHaveLength(1);
    expect(profileBand([slide('a', 1), slide('b', 2), slide('without vessels')])).toHaveLength(1);
    const [bin] = profileBand(['a', 'b', 'c', 'd'].map((group) => slide(group, 7)));
    expect([bin.measuredLow, bin.measuredHigh]).toEqual([7, 7]);
  });
});
