import { expect, it } from 'vitest';
import { smooth } from '../spatial/gaussian.ts';
import { augmentationText, parseAugmentation, refocus } from './augment.ts';

it('reads what it writes, and writes one thing one way', () => {
  expect(parseAugmentation('none')).toEqual({ flips: false, rotate: false, gain: 0, offset: 0, focusPx: 0 });
  expect(parseAugmentation('focus=1.5, gain=0.10,flips')).toEqual({
    flips: true,
    rotate: false,
    gain: 0.1,
    offset: 0,
    focusPx: 1.5,
  });
  expect(augmentationText(parseAugmentation('focus=1.5, gain=0.10,flips'))).toBe('flips,gain=0.1,focus=1.5');
  for (const text of ['none', 'flips,rotate,gain=0.1,offset=0.05,focus=1', 'rotate']) {
    expect(augmentationText(parseAugmentation(text))).toBe(text);
  }
});

it.each(['flip', 'gain', 'gain=', 'gain=0', 'focus=-1', 'flips=1', 'flips,', 'none,flips', 'offset=wide'])(
  "refuses '%s'",
  (text) =>
    expect(() => parseAugmentation(text)).toThrow(/--augment: expected 'none' or some of flips, rotate/),
);

it.each([2.25, 0.64, -0.64, 0.05, -0.05])(
  'changes the variance of a point spread by %d square pixels and its sum not at all',
  (change) => {
    const edge = 33;
    const at = (edge * edge - 1) / 2;
    const point = new Float32Array(edge * edge);
    point[at] = 1;
    const spread = Float32Array.from(smooth(point, edge, edge, 1.5));
    const sums = (): [number, number] => {
      let [sum, squares] = [0, 0];
      for (const [i, v] of spread.entries()) {
        sum += v;
        squares += v * ((i % edge) - 16) ** 2;
      }
      return [sum, squares / sum];
    };
    const [, before] = sums();
    refocus(spread, edge, change);
    const [sum, after] = sums();
    expect(sum).toBeCloseTo(1, 5);
    expect(after - before).toBeCloseTo(change, 2);
  },
);
