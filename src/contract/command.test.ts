import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseOptions } from './command.ts';
import { prepareCommand } from './prepare.ts';
import { trainCommand } from './train.ts';

describe('parseOptions', () => {
  it('fills in defaults', () => {
    const options = parseOptions(prepareCommand, { slides: ['a.tif'], out: 'd' });
    expect(options).toMatchObject({ patch: 512, seed: 0, target: 'probe', test: [], overwrite: false });
    expect(options.validation).toBeUndefined();
  });

  it.each([
    [{ slides: ['a'] }, 'prepare needs --out: folder of the dataset to be made.'],
    [{ slides: [], out: 'd' }, 'SLIDES: expected at least 1, found [].'],
    [{ slides: ['a'], out: 'd', patch: 'big' }, '--patch: expected a number, found "big".'],
    [{ slides: ['a'], out: 'd', patch: 100 }, '--patch: expected a multiple of 32, found 100.'],
    [{ slides: ['a'], out: 'd', patch: 16 }, '--patch: expected a number of at least 32, found 16.'],
    [
      { slides: ['a'], out: 'd', splitBy: 'mouse' },
      '--split-by: expected one of animal, slide, field, found "mouse".',
    ],
    [
      { slides: ['a'], out: 'd', pixelSizeUm: 0 },
      '--pixel-size-um: expected a number of at least 0.01, found 0.',
    ],
  ])('says in one sentence what is wrong with %j', (given, message) => {
    expect(() => parseOptions(prepareCommand, given)).toThrow(message);
  });

  it('refuses a key that it does not know, and lists those it does', () => {
    expect(() => parseOptions(trainCommand, { dataset: 'd', out: 'r', lerningRate: 1 })).toThrow(
      /train has no option 'lerningRate'. It takes: dataset, model, out/,
    );
  });
});

it('every option says what it is', () => {
  for (const command of [prepareCommand, trainCommand]) {
    const { properties } = z.toJSONSchema(command.options, { io: 'input' });
    for (const [key, field] of Object.entries(properties ?? {})) {
      expect((field as { description?: string }).description, key).toBeTruthy();
    }
  }
});
