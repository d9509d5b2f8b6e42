// Roles that a slide may lack are left out only where it lacks them.
import { describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { findRoles, findVesselChannel, matchPixelSize } from './slide-layers.ts';

const slide = (...names: string[]): PixelSource => ({
  path: 'slide.ome.tif',
  format: 'OME-TIFF',
  width: 1,
  height: 1,
  channels: names.map((name) => ({ name, sampleType: 'uint8' })),
  pixelSizeUm: 1,
  levels: [{ width: 1, height: 1 }],
  read: () => Promise.reject(new Error('no pixel is needed')),
  close: async () => {},
});

describe('findRoles', () => {
  const optional = ['vessel', 'nuclei', 'probe'];

  it('leaves out what the slide lacks', () => {
    expect(findRoles(slide('CD31', 'DAPI'), ['vessel'], optional, {})).toEqual({ vessel: 0, nuclei: 1 });
  });

  it('refuses what is not clear, required or not', () => {
    const source = slide('CD31', 'QD655', 'QD800');
    const message = /'QD655' and 'QD800' of slide.ome.tif could each be the probe.*--role 'probe=/;
    expect(() => findRoles(source, ['vessel', 'probe'], optional, {})).toThrow(message);
    expect(() => findRoles(source, ['vessel'], optional, {})).toThrow(message);
    expect(findRoles(source, ['vessel'], optional, { probe: 'QD800' })).toEqual({ vessel: 0, probe: 2 });
  });

  it('never takes a channel that was given another role', () => {
    const source = slide('CD31', 'QD655', 'QD800');
    expect(findRoles(source, ['vessel'], optional, { vessel: 'QD655' })).toEqual({ vessel: 1, probe: 2 });
    expect(findRoles(slide('CD31', 'QD655'), [], optional, { vessel: 'QD655' })).toEqual({ vessel: 1 });
  });
});

it('findVesselChannel knows none, knows one, or asks', () => {
  expect(findVesselChannel(slide('DAPI', 'QD655'), {})).toBeUndefined();
  expect(findVesselChannel(slide('DAPI', 'CD31'), {})).toBe(1);
  const several = slide('CD31', 'CD34');
  expect(() => findVesselChannel(several, {})).toThrow(DataError);
  expect(findVesselChannel(several, { vessel: 'CD34', probe: 'CD31' })).toBe(1);
  expect(() => findVesselChannel(several, { vessel: 'CD105' })).toThrow(UsageError);
});

it('matchPixelSize tells of pixel sizes that contradict each other where nothing is resampled', () => {
  const predicted = { ...slide('probe'), pixelSizeUm: 0.5 };
  const matched = matchPixelSize(slide('CD31'), 1, predicted);
  expect(matched).toMatchObject({ pixelSizeUm: 1, source: { width: 1 } });
  expect(matched.note).toMatch(/pixels of 1 um and the prediction.* says 0.5 um: 1 is taken/);
  expect(matchPixelSize(slide('CD31'), 0.502, predicted).note).toBeUndefined();
});
