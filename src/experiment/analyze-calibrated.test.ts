/** A model's calibrated intervals travel in the predicted slide and come out of `analyze` around what it finds. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import { summariseAnalyze } from '../cli/summarise-analyze.ts';
import { type AnalyzeOptions, analyzeCommand } from '../contract/analyze.ts';
import { parseOptions } from '../contract/command.ts';
import { FormatError } from '../core/errors.ts';
import { createRaster } from '../core/raster.ts';
import { encodeModelFile, readModelFile } from '../model/model-file.ts';
import { findModel } from '../model/registry.ts';
import { createOmeTiff } from '../slide/create-ome-tiff.ts';
import { analyze } from './analyze.ts';
import { calibratedOf } from './analyze-calibrated.ts';
import type { ProbeMeasures } from './analyze-measures.ts';
import { derivedValues } from './derived-intervals.ts';
import { evaluate } from './evaluate.ts';
import { predict } from './predict.ts';

const shipped = fileURLToPath(new URL('../../models/hrpn-simulated.onnx', import.meta.url));
const size = 384;
const predictions = ['p.ome.tif', 'p.ome.zarr'];
let folder: string;
let model: string;
let slide: string;
let bare: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-calibrated-'));
  const { manifest, tensors } = await readModelFile(shipped);
  const { pixelSizeUm } = manifest;
  // As if calibrated on slides as small as these.
  model = join(folder, 'model.onnx');
  const small = { ...manifest, calibrationTissueMm2: 0.01 };
  await writeFile(model, encodeModelFile(findModel(manifest.model), tensors, small));
  const drawn = { width: size, height: size, pixelSizeUm };
  slide = await writeDrawnSlide(join(folder, 'slide.ome.tif'), drawn);
  bare = await writeDrawnSlide(join(folder, 'bare.ome.tif'), { ...drawn, channels: ['CD31', 'DAPI'] });
  for (const name of predictions) await predict({ model, slide, out: join(folder, name), threads: 2 });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const analyzed = (name: string, how: Partial<AnalyzeOptions> = {}) =>
  analyze({ slide: bare, prediction: join(folder, 'p.ome.tif'), out: join(folder, name), ...how });

describe('intervals for the measured probe', () => {
  it('lie around what the prediction shows by the radius of the model, from either format', async () => {
    const { derivedIntervals } = (await readModelFile(model)).manifest;
    for (const name of predictions) {
      const result = await analyzed(`of ${name}`, { prediction: join(folder, name), level: 0.9 });
      expect(result).toMatchObject({ probe: 'predicted', calibrated: { level: 0.9 } });
      const values = derivedValues(result.extravasation, result.subareas);
      const { intervals } = result.calibrated!;
      expect(Object.keys(intervals).sort()).toEqual(
        Object.keys(values)
          .filter((key) => Number.isFinite(values[key]))
          .sort(),
      );
      for (const [key, { low, high }] of Object.entries(intervals)) {
        const { radius, slides, basis } = derivedIntervals![key].find(({ level }) => level === 0.9)!;
        expect(intervals[key], key).toMatchObject({ slides, basis });
        expect(high - values[key], key).toBeCloseTo(radius, 9);
        expect(low, key).toBeCloseTo(
          key.endsWith('Um') ? Math.max(0, values[key] - radius) : values[key] - radius,
          9,
        );
      }
      // Made of a slide that has the probe, and analysed on one that has not.
      expect(result.warnings.join()).toMatch(/made of another file than this slide, slide.ome.tif/);
      const { low, high } = intervals.meanUm;
      const range = `90% interval for the measured on this slide ${low.toFixed(1)} to ${high.toFixed(1)}`;
      expect(summariseAnalyze(result)).toContain(range);
      expect(await readFile(join(folder, `of ${name}`, 'report.html'), 'utf8')).toContain(range);
      const table = await readFile(join(folder, `of ${name}`, 'tables', 'summary.csv'), 'utf8');
      expect(table).toContain(`${low},${high}`);
    }
  }, 60_000);

  it('are of the same values that evaluate compares, beside a measured probe too', async () => {
    const prediction = join(folder, 'p.ome.tif');
    const beside = await analyzed('beside', { slide, level: 0.9 });
    const scored = await evaluate({ slide, prediction });
    const { derived } = scored.perSlide[0];
    const values = derivedValues(beside.predicted!.extravasation, beside.predicted!.subareas);
    const { intervals } = beside.calibrated!;
    for (const [key, pair] of Object.entries(derived)) {
      if (!Number.isFinite(pair.predicted)) continue;
      expect(values[key], key).toBeCloseTo(pair.predicted, 6);
      expect(intervals[key].low, key).toBeCloseTo(pair.low!, 6);
      expect(intervals[key].high, key).toBeCloseTo(pair.high!, 6);
    }
    expect(Object.keys(scored.derivedCoverage!).length).toBeGreaterThan(3);
  }, 60_000);

  it('are left out, with the reason, where something else is measured or nothing was calibrated', async () => {
    const otherwise = await analyzed('otherwise', { beyondUm: 5, background: 3 });
    expect(otherwise.calibrated).toBeNull();
    expect(otherwise.warnings.join()).toMatch(
      /calibration measures without --background, --beyond-um\. Leave them out/,
    );
    const level = await analyzed('level', { level: 0.85 });
    expect(level.calibrated).toBeNull();
    expect(level.warnings.join()).toMatch(
      /calibrated for the levels 0.5, 0.8, 0.9, 0.95, not for --level 0.85/,
    );
    const foreign = await written('foreign', {});
    const unknown = await analyzed('unknown', { prediction: foreign });
    expect(unknown.calibrated).toBeNull();
    expect(unknown.warnings.join()).toMatch(/carries no calibrated intervals/);
  }, 60_000);

  it('say of each measure how many slides stand behind it, and warn of those that are too few', () => {
    const of = (slides: number, basis: 'slides' | 'within-cohort') => [
      { level: 0.9, radius: 1, slides, basis },
    ];
    const derivedIntervals = { meanUm: of(12, 'slides'), halfDistanceUm: of(3, 'within-cohort') };
    const found = {
      extravasation: { verdict: 'extravasation', uniformMeanUm: 9.5, meanUm: 9, halfDistanceUm: 8 },
      subareas: [],
    } as unknown as ProbeMeasures;
    const settings = parseOptions(analyzeCommand, { slide: 's', out: 'o', level: 0.9 });
    const warnings: string[] = [];
    const result = calibratedOf(
      { derivedIntervals, warnings: [], isWithinSlide: false },
      found,
      settings,
      1,
      true,
      warnings,
    );
    expect(result?.intervals).toEqual({
      meanUm: { low: 8, high: 10, slides: 12, basis: 'slides' },
      halfDistanceUm: { low: 7, high: 9, slides: 3, basis: 'within-cohort' },
    });
    expect(warnings.join()).toMatch(/intervals of halfDistanceUm are within-cohort: they rest on 3 slides/);
    expect(warnings.join()).toMatch(/between 8.0 and 10.0 um/);
    expect(warnings.join()).toMatch(/told for slides like the 12 that the model was calibrated on/);
    const unknown = {
      extravasation: { verdict: 'not known', meanUm: Number.NaN },
      subareas: [],
    } as unknown as ProbeMeasures;
    const nothing: string[] = [];
    const asked = { derivedIntervals, warnings: [], isWithinSlide: false };
    expect(calibratedOf(asked, unknown, settings, 1, true, nothing)).toBeNull();
    expect(nothing).toEqual([]);
    for (const [more, why] of [
      [{ calibrationTissueMm2: 2 }, /1.0 mm2 of tissue, and the smallest .* has 2.0/],
      [{ resampledFromUm: 0.69 }, /resampled from 0.69 um a pixel/],
    ] as const) {
      const told: string[] = [];
      const record = { derivedIntervals, ...more, warnings: [], isWithinSlide: false };
      expect(calibratedOf(record, found, settings, 1, true, told)).toBeNull();
      expect(told.join()).toMatch(why);
    }
  });

  it('come with what the prediction says against itself; a damaged record is an error', async () => {
    const doubtful = await written('doubtful', {
      predictedBy: 'hrpn',
      predictionWarnings: JSON.stringify(['The input is too blurred.']),
      trainedOn: JSON.stringify({ splitBy: 'field' }),
    });
    expect((await analyzed('doubted', { prediction: doubtful })).warnings).toContain(
      'The input is too blurred.',
    );
    expect(await evaluate({ slide, prediction: doubtful })).toMatchObject({
      withinSlide: true,
      notes: expect.arrayContaining(['The input is too blurred.']),
    });
    const damaged = await written('damaged', {
      predictedBy: 'hrpn',
      derivedIntervals: '{"meanUm":[{"level":2}]}',
    });
    await expect(analyzed('no', { prediction: damaged })).rejects.toThrow(FormatError);
    await expect(analyzed('no', { prediction: damaged })).rejects.toThrow(
      /'derivedIntervals' cannot be read/,
    );
  }, 60_000);
});

it('outlines are in pixels of the slide, though it is resampled to its prediction', async () => {
  const [pixelSizeUm, wide] = [0.65, 499];
  const other = await writeDrawnSlide(join(folder, 'other.ome.tif'), {
    width: size,
    height: size,
    pixelSizeUm,
  });
  const prediction = await written('finer', {}, wide, 0.5);
  await analyzed('finer', { slide: other, prediction });
  for (const name of ['vessels', 'regions']) {
    const text = await readFile(join(folder, 'finer', 'outlines', `${name}.geojson`), 'utf8');
    const numbers = JSON.parse(text).features.flatMap(
      ({ geometry }: { geometry: { coordinates: number[][][] } }) => geometry.coordinates.flat(3),
    );
    expect(Math.max(...numbers), name).toBeGreaterThan(0.9 * size);
    expect(Math.max(...numbers), name).toBeLessThanOrEqual(size);
  }
}, 60_000);

/** A prediction that another program could have written. */
async function written(
  name: string,
  annotations: Record<string, string>,
  edge = size,
  pixelSizeUm = 0.65,
): Promise<string> {
  const path = join(folder, `${name}.ome.tif`);
  const raster = createRaster(1, edge, edge);
  for (let i = 0; i < raster.data.length; i++) raster.data[i] = 20 + (i % 17);
  const sink = await createOmeTiff(path, {
    ...{ width: edge, height: edge, pixelSizeUm, channels: [{ name: 'probe' }], sampleType: 'float32' },
    annotations,
  });
  await sink.write(0, 0, raster);
  await sink.finish();
  return path;
}
