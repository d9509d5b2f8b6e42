// Which slide a name on the command line means.
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../core/errors.ts';
import { findSlide, listSlides } from './slide-list.ts';

describe('listSlides', () => {
  it.each([
    [
      ['a.ome.tif', 'b.zarr/'],
      ['a', 'b'],
    ],
    [
      ['m1/a.tif', 'm2/a.tif'],
      ['m1-a', 'm2-a'],
    ],
    [
      ['x/m1/a.tif', 'y/m1/a.tif', 'b.tif'],
      ['1-a', '2-a', 'b'],
    ],
    // The long name of the first is the short one of the last.
    [
      ['m1/a.tif', 'm2/a.tif', 'm1-a.tif'],
      ['1-a', '2-a', '3-m1-a'],
    ],
    [
      ['p/2/a.tif', 'q/2/a.tif', 'r/3/a.tif', '1-a.tif'],
      ['1-a', '2-a', '3-a', '4-1-a'],
    ],
    // A query may hold an access token, which belongs in no name.
    [
      ['https://host/m1/a.zarr?token=x/y', 'https://host/m2/a.zarr/?token=z', 'https://host/b.ome.tif#f'],
      ['m1-a', 'm2-a', 'b'],
    ],
  ])('%s: %s', (paths, names) => {
    expect(listSlides(paths).map(({ name }) => name)).toEqual(names);
  });
});

describe('findSlide', () => {
  const slides = listSlides(['m1/tumour.ome.tif', 'm2/tumour.ome.tif', 'm2/liver.ome.tif']);

  it.each([
    ['m2/tumour.ome.tif', 1],
    ['m1-tumour', 0],
    ['liver.ome.tif', 2],
    ['liver', 2],
    ['spleen', -1],
  ])('%s: %d', (given, index) => {
    expect(findSlide(slides, given)).toBe(index);
  });

  it.each(['tumour.ome.tif', 'tumour'])('%s is refused, for there are two', (given) => {
    const [one, other] = ['m1', 'm2'].map((folder) => resolve(folder, 'tumour.ome.tif'));
    expect(() => findSlide(slides, given)).toThrow(
      new UsageError(
        `the slide ${given} could be ${one} or ${other}. Give the path of the one that is meant.`,
      ),
    );
  });

  it('takes a path for what it is, whatever else is called so', () => {
    const here = listSlides(['m1/tumour.ome.tif', 'tumour.ome.tif']);
    expect(findSlide(here, 'tumour.ome.tif')).toBe(1);
  });
});
