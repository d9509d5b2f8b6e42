import { describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../core/errors.ts';
import type { ChannelInfo } from '../core/pixel-source.ts';
import { assignRoles, findRole, guessRole } from './assign-roles.ts';

const slide = (...channels: (string | ChannelInfo)[]) => ({
  path: 'slide.ome.tif',
  channels: channels.map((channel) =>
    typeof channel === 'string' ? { name: channel, sampleType: 'uint8' as const } : channel,
  ),
});
const wanted = ['vessel', 'nuclei', 'probe'];

describe('guessRole', () => {
  it.each([
    ['DAPI', 'nuclei'],
    ['DAPI (nuclei)', 'nuclei'],
    ['Hoechst 33342', 'nuclei'],
    ['endomucin (vessel)', 'vessel'],
    ['CD31-AF647', 'vessel'],
    ['VE-cadherin', 'vessel'],
    ['SpGreen', 'vessel'],
    ['SpOrange', 'probe'],
    ['QD655', 'probe'],
    ['QD 655', 'probe'],
    ['Q-dot', 'probe'],
    ['dextran (probe)', 'probe'],
    ['dextran (vessel)', 'vessel'], // what is stated in parentheses outweighs the stain
    ['lectin and dextran', undefined], // both: nobody can tell
    ['probe lower 0.90', undefined], // a bound, not a measurement
    ['FITC', undefined],
    ['', undefined],
  ])('%s: %s', (name, role) => {
    expect(guessRole(name)).toBe(role);
  });
});

describe('assignRoles', () => {
  it('finds roles by name, in any order of channels', () => {
    expect(assignRoles(slide('DAPI', 'dextran', 'endomucin'), wanted, {})).toEqual({
      vessel: 2,
      nuclei: 0,
      probe: 1,
    });
  });

  it('prefers what the user says, then what the file records, then the name of the role itself', () => {
    const source = slide('CD31', 'lectin', 'DAPI', 'probe', { name: 'QD', sampleType: 'uint8' });
    expect(assignRoles(source, wanted, { vessel: 'lectin' })).toEqual({ vessel: 1, nuclei: 2, probe: 3 });
    const recorded = slide('CD31', 'DAPI', 'QD', { name: 'x', sampleType: 'uint8', role: 'probe' });
    expect(assignRoles(recorded, wanted, {})).toEqual({ vessel: 0, nuclei: 1, probe: 3 });
  });

  it('finds a further input by the name of its role', () => {
    expect(assignRoles(slide('DAPI', 'CD31', 'FAP-Cy5'), ['vessel', 'nuclei', 'fap'], {})).toEqual({
      vessel: 1,
      nuclei: 0,
      fap: 2,
    });
  });

  it('never gives one channel two roles', () => {
    expect(() =>
      assignRoles(slide('DAPI', 'CD31'), ['vessel', 'nuclei'], { vessel: 'DAPI', nuclei: 'DAPI' }),
    ).toThrow(/two roles/);
    expect(() => assignRoles(slide('DAPI', 'CD31'), ['vessel', 'nuclei'], { vessel: 'DAPI' })).toThrow(
      DataError,
    );
  });

  it('says what channels there are and how to say which', () => {
    const source = slide('red', 'green', 'DAPI');
    expect(() => assignRoles(source, wanted, {})).toThrow(
      "no channel of slide.ome.tif is known to be the vessel. Its channels are 'red', 'green', 'DAPI'; say which with --role 'vessel=CHANNEL NAME'.",
    );
    expect(() => assignRoles(slide('CD31', 'CD34', 'DAPI', 'QD'), wanted, {})).toThrow(
      /'CD31' and 'CD34' .* could each be the vessel/,
    );
    expect(() => assignRoles(source, wanted, { vessel: 'blue' })).toThrow(UsageError);
    expect(() => assignRoles(source, wanted, { vessels: 'red' })).toThrow(
      /--role vessels=... is not used here/,
    );
  });
});

it('findRole leaves out a role that no channel has, but not one that several could have', () => {
  const source = slide('CD31', 'QD655', 'QD800');
  expect(findRole(source, 'nuclei', new Set())).toBeUndefined();
  expect(findRole(source, 'vessel', new Set())).toBe(0);
  expect(() => findRole(source, 'probe', new Set())).toThrow(
    "'QD655' and 'QD800' of slide.ome.tif could each be the probe. Its channels are 'CD31', 'QD655', 'QD800'; say which with --role 'probe=CHANNEL NAME'.",
  );
  expect(findRole(source, 'probe', new Set([1]))).toBe(2);
});
