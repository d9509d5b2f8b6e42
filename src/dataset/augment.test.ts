import { expect, it } from 'vitest';
import { augmentationText, parseAugmentation } from './augment.ts';

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

it.each([
  'flip',
  'gain',
  'gain=',
  'gain=0',
  'focus=-1',
  'flips=1',
  'flips,',
  'none,flips',
  'offset=wide',
  'gain=0.1=5',
])("refuses '%s'", (text) =>
  expect(() => parseAugmentation(text)).toThrow(/--augment: expected 'none' or some of flips, rotate/),
);
