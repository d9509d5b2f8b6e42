import { expect, it } from 'vitest';
import { type JudgedSlide, judgeQuality } from './judge-quality.ts';

/** One channel whose brightest tissue is so far above its background, with nothing else to be said of it. */
const slide = (name: string, level: number): JudgedSlide => {
  const channel = {
    name: 'QD',
    percentiles: [100, 100 + level / 2, 100 + level],
    background: 100,
    max: 1000,
  };
  const unremarkable = { atMaxShare: 0, blurredShare: null, shading: null, stitching: {} };
  return { name, widthPx: 1, heightPx: 1, quality: [{ ...channel, ...unremarkable } as never] };
};

it('names slides whose probe one exposure does not explain, also where there are only two', () => {
  const told = (...slides: JudgedSlide[]) =>
    judgeQuality(slides, ['probe'], false).map((warning) => warning.slide);
  expect(told(slide('a', 500))).toEqual([]);
  expect(told(slide('a', 500), slide('b', 1900))).toEqual([]);
  expect(told(slide('a', 500), slide('b', 2100))).toEqual(['b']);
  expect(told(slide('a', 500), slide('b', 600), slide('c', 100))).toEqual(['c']);
  // A slide without probe says nothing of the exposure of others.
  expect(told(slide('a', 500), slide('b', 0))).toEqual(['b']);
});
