import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignSplits, type SplitSlide } from './split.ts';

const slides = (...groups: string[]): SplitSlide[] =>
  groups.map((group, i) => ({ name: `s${i}`, group, patches: 10 }));
const nothing = { test: [], calibration: [], validation: undefined };

describe('assignSplits', () => {
  it('never lets a group cross a split, whatever is named', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 3, maxLength: 12 }),
        fc.nat(),
        (groups, seed) => {
          fc.pre(new Set(groups.slice(1)).size - Number(groups.slice(1).includes(groups[0])) >= 2);
          const { of } = assignSplits(slides(...groups), { ...nothing, test: [0] }, 'animal', seed);
          for (let i = 0; i < groups.length; i++) {
            for (let j = 0; j < i; j++) if (groups[i] === groups[j]) expect(of[i]).toBe(of[j]);
          }
          expect(of[0]).toBe('test');
          expect(of).toContain('train');
          expect(of).toContain('validation');
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes about 15% for validation, by the seed, in whole groups', () => {
    const twenty = slides(...Array.from({ length: 20 }, (_, i) => `g${i}`));
    const chosen = (seed: number) =>
      assignSplits(twenty, nothing, 'slide', seed).of.flatMap((s, i) => (s === 'validation' ? [i] : []));
    expect(chosen(1)).toHaveLength(3);
    expect(chosen(1)).toEqual(chosen(1));
    expect(chosen(1)).not.toEqual(chosen(2));
  });

  it('never takes a group for validation that is most of the slides, by whatever seed', () => {
    const unequal = [900, 20, 20, 20, 20, 20].map((patches, i) => ({
      name: `s${i}`,
      group: `g${i}`,
      patches,
    }));
    for (let seed = 0; seed < 100; seed++) {
      const { of } = assignSplits(unequal, nothing, 'slide', seed);
      expect(of[0]).toBe('train');
      expect(of).toContain('validation');
    }
    const two = [900, 100].map((patches, i) => ({ name: `s${i}`, group: `g${i}`, patches }));
    expect(assignSplits(two, nothing, 'slide', 3).of).toEqual(['train', 'validation']);
  });

  it('moves a named slide with its whole animal, and says so', () => {
    const result = assignSplits(slides('a', 'a', 'b', 'c'), { ...nothing, test: [0] }, 'animal', 0);
    expect(result.of.slice(0, 2)).toEqual(['test', 'test']);
    expect(result.notes).toEqual(["s1 goes to test with s0: same animal 'a'."]);
  });

  it('allows no validation when told so', () => {
    const { of } = assignSplits(slides('a', 'b'), { ...nothing, test: [1], validation: 'none' }, 'field', 0);
    expect(of).toEqual(['train', 'test']);
  });

  it.each([
    ['too few groups', slides('a', 'b'), { ...nothing, test: [0] }, /say --validation none/],
    ['nothing to train on', slides('a'), { ...nothing, test: [0] }, /nothing is left to train on/],
    ['a slide named twice', slides('a', 'b'), { ...nothing, test: [0], calibration: [0] }, /s0 is named for/],
    [
      'a group in two splits',
      slides('a', 'a', 'b'),
      { ...nothing, test: [0], validation: [1] },
      /same animal 'a'/,
    ],
  ])('refuses %s', (_, list, named, message) => {
    expect(() => assignSplits(list, named, 'animal', 0)).toThrow(message);
  });
});
