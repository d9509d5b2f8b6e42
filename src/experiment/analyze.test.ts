import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import { sharedData } from '../../test/shared-data.ts';
import { summariseAnalyze } from '../cli/summarise-analyze.ts';
import type { AnalyzeOptions } from '../contract/analyze.ts';
import { FileAccessError, UsageError } from '../core/errors.ts';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { createOmeTiff } from '../slide/create-ome-tiff.ts';
import { openSlide } from '../slide/open-slide.ts';
import { analyze } from './analyze.ts';

const fields = sharedData('real/dextran');
const golden: { thresholds: Record<string, number>; fields: Record<string, Record<string, number>> } =
  JSON.parse(readFileSync(new URL('../../fixtures/spatial/fixed-areas.json', import.meta.url), 'utf8'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-analyze-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [size, pixelSizeUm, spacing, lambdaUm] = [256, 1, 64, 12];

/**
 * Round vessels on a grid; the probe falls off exponentially from their walls, over a background of 20. It is NaN in the last
 * `missing` columns.
 */
async function drawnSlide(name: string, lambda: number, edge = size, missing = 0): Promise<string> {
  const rng = new Rng(1);
  const raster = createRaster(3, edge, edge);
  const plane = edge * edge;
  for (let y = 0; y < edge; y++)
    for (let x = 0; x < edge; x++) {
      const d = Math.hypot((x % spacing) - spacing / 2, (y % spacing) - spacing / 2) - 5;
      const i = y * edge + x;
      raster.data[i] = d <= 0 ? 200 : 10 + rng.uniform(0, 2);
      raster.data[plane + i] = 40 + 30 * Math.sin(x / 3) * Math.sin(y / 3);
      const probe = 20 + 100 * Math.exp(-Math.max(0, d) / lambda) + rng.normal(0, 3);
      raster.data[2 * plane + i] = x < edge - missing ? probe : Number.NaN;
    }
  const path = join(folder, `${name}.ome.tif`);
  const channels = ['CD31', 'DAPI', 'QD'].map((channel) => ({ name: channel }));
  const sink = await createOmeTiff(path, {
    width: edge,
    height: edge,
    channels,
    sampleType: 'float32',
    pixelSizeUm,
  });
  await sink.write(0, 0, raster);
  await sink.finish();
  return path;
}

describe('analyze', () => {
  it('finds the length over which a drawn probe falls off, and that it leaves the vessels', async () => {
    const out = join(folder, 'drawn');
    const result = await analyze({
      slide: await drawnSlide('drawn', lambdaUm),
      out,
      background: 20,
      tissue: 'all',
    });
    expect(result.vessels.count).toBe(16);
    expect(result.vessels.intercapillaryUm).toBeCloseTo(spacing, 0);
    expect(result.extravasation.verdict).toBe('extravasation');
    // From the first two micrometres beyond 3 um on, to half: lambda ln 2 farther. Half a bin of 1 um.
    expect(Math.abs(result.extravasation.halfDistanceUm - (4 + lambdaUm * Math.LN2))).toBeLessThan(0.5);
    expect(result.extravasation.meanUm).toBeLessThan(result.extravasation.uniformMeanUm);
    const shares = result.subareas.slice(0, 5);
    expect(shares.reduce((sum, { areaShare }) => sum + areaShare, 0)).toBeCloseTo(1, 12);
    expect(shares.reduce((sum, { signalShare }) => sum + signalShare, 0)).toBeCloseTo(1, 12);
    expect((await readdir(out)).sort()).toEqual([
      'figures',
      'outlines',
      'report.html',
      'result.json',
      'tables',
    ]);
    const html = readFileSync(join(out, 'report.html'), 'utf8');
    expect(html).toMatch(/How far does the probe get from the vessels\?/);
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    const { features } = JSON.parse(readFileSync(join(out, 'outlines', 'vessels.geojson'), 'utf8'));
    expect(features.length).toBe(16);
    await expect(analyze({ slide: join(folder, 'drawn.ome.tif'), out })).rejects.toThrow(UsageError);
  });

  it('takes a mask in any colour, every pixel where told to, and says the command that made it', async () => {
    const rng = new Rng(3);
    const raster = createRaster(1, size, size);
    for (let i = 0; i < size * size; i++) raster.data[i] = 40 + rng.uniform(0, 20);
    const slide = join(folder, 'only noise.ome.tif');
    const shape = { width: size, height: size, pixelSizeUm };
    const sink = await createOmeTiff(slide, { ...shape, channels: [{ name: 'QD' }], sampleType: 'uint8' });
    await sink.write(0, 0, raster);
    await sink.finish();
    const blue = Buffer.alloc(3 * size * size);
    for (const [x, y] of [[60, 60], [180, 90]]) // biome-ignore format: short
      for (let k = 0; k < 400; k++) blue[3 * ((y + Math.floor(k / 20)) * size + x + (k % 20)) + 2] = 200;
    const vesselMask = join(folder, 'blue.png');
    await sharp(blue, { raw: { width: size, height: size, channels: 3 } })
      .png()
      .toFile(vesselMask);

    const out = join(folder, 'masked');
    const result = await analyze({ slide, out, vesselMask, tissue: 'all', background: 20 });
    expect(result.vessels.count).toBe(2);
    expect(result.tissueMm2).toBeCloseTo((size * pixelSizeUm) ** 2 / 1e6, 12);
    const [, command] = /<code>(.*)<\/code><\/footer>/.exec(readFileSync(join(out, 'report.html'), 'utf8'))!;
    expect(command).toBe(
      `hrpn analyze --out=${out} --vessel-mask=${vesselMask} --tissue=all --background=20 '${slide}'`,
    );
    const stain = await drawnSlide('stain', lambdaUm);
    await expect(
      analyze({ slide, out: join(folder, 'no'), vesselMask: stain, tissue: 'all' }),
    ).rejects.toThrow(/has the channels 'CD31', 'DAPI', 'QD'; expected one/);
  });

  it('says that there is no extravasation signal where the probe is the same everywhere', async () => {
    const slide = await drawnSlide('flat', 1e9);
    const { extravasation } = await analyze({
      slide,
      out: join(folder, 'flat'),
      background: 20,
      tissue: 'all',
    });
    expect(extravasation.verdict).toBe('no extravasation signal');
    expect(Math.abs(extravasation.meanUm - extravasation.uniformMeanUm)).toBeLessThan(0.1);
  });

  it('does not judge where there is no tissue beyond the vessels, or no vessel', async () => {
    const slide = await drawnSlide('unknown', 20);
    const given = { slide, background: 20, tissue: 'all' as const };
    for (const [name, how, why] of [
      ['beyond', { beyondUm: 500 }, /lies more than 500 um from a vessel/],
      ['none', { vesselThreshold: 1e6 }, /No vessel was found/],
      ['all', { vesselThreshold: -1 }, /All of the tissue counts as vessel/],
    ] as const) {
      const result = await analyze({ ...given, ...how, out: join(folder, name) });
      const { extravasation, hotSpots, subareas, warnings } = result;
      expect(extravasation).toMatchObject({
        verdict: 'not known',
        uniformMeanUm: Number.NaN,
        meanSignal: Number.NaN,
      });
      expect(hotSpots).toMatchObject({ hot: Number.NaN, cold: Number.NaN, hotAreaShare: Number.NaN });
      if (name === 'none')
        for (const { areaShare } of subareas.slice(1, 5)) expect(areaShare, name).toBeNaN();
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(why);
      const summary = summariseAnalyze(result);
      expect(summary).toMatch(/^Not known where the probe lies outside the vessels/);
      expect(summary).toMatch(why);
      const html = readFileSync(join(folder, name, 'report.html'), 'utf8');
      const page = html.replaceAll(/base64,[^"]*/g, '');
      const [, answer] = /<p class="answer none">(.*?)<\/p>/.exec(page)!;
      expect(answer).toMatch(/Not known\./);
      for (const text of [summary, page]) expect(text).not.toMatch(/NaN|No extravasation signal\./);
    }
  }, 60_000);

  it('says what has no probe, and measures nuclei there too; measures nothing near where nothing near is left', async () => {
    const given = { background: 20, tissue: 'all' as const };
    const whole = await analyze({
      ...{ ...given, slide: await drawnSlide('whole', lambdaUm), out: join(folder, 'whole') },
      beyondUm: 12,
    });
    expect(whole.warnings.join()).toMatch(/With --beyond-um 12 nothing is left within 10 um/);
    expect(whole.permeability.vessels).toBe(0);
    const half = await analyze({
      ...{ ...given, slide: await drawnSlide('half', lambdaUm, size, size / 2), out: join(folder, 'half') },
    });
    expect(half.warnings.join()).toMatch(/In 50% of the tissue the probe has no finite value/);
    expect(half.nuclei).toEqual(whole.nuclei);
    expect(half.tissueMm2).toBeCloseTo(whole.tissueMm2 / 2, 12);
  });

  it('finds nothing on a slide that is its own background, near vessels and in them too', async () => {
    const slide = await drawnSlide('bleeding', 3);
    const { extravasation, permeability, subareas } = await analyze({
      ...{ slide, backgroundSlide: slide, out: join(folder, 'bleeding'), tissue: 'all' },
    });
    // The probe reaches 120 beside the walls.
    expect(Math.abs(extravasation.meanSignal)).toBeLessThan(0.3);
    expect(Math.abs(permeability.medianSignal)).toBeLessThan(1);
    for (const { name, mean, pixels } of subareas)
      if (pixels > 0) expect(Math.abs(mean), name).toBeLessThan(1.5);
  });

  it('does not judge what fills too few squares, nor spots on too few cells', async () => {
    const slide = await drawnSlide('small', 1e9, 130);
    const { extravasation, hotSpots, warnings } = await analyze({
      ...{ slide, out: join(folder, 'small'), background: 20, tissue: 'all' },
    });
    expect(extravasation.verdict).toBe('not known');
    expect(extravasation.interval.meanUm.low).toBeNaN();
    expect(warnings.join()).toMatch(/fills only 4 of the squares of 80 um/);
    expect(hotSpots).toMatchObject({ hot: Number.NaN, coldAreaShare: Number.NaN });
    const strict = await drawnSlide('strict', lambdaUm);
    const spots = await analyze({
      ...{ slide: strict, out: join(folder, 'strict'), background: 20, tissue: 'all', level: 0.99 },
    });
    expect(spots.hotSpots).toMatchObject({ draws: 199, level: 0.01 });
    expect(spots.hotSpots.hot).not.toBeNaN();
  });

  it('tells an offset of the prediction by cells as by pixels, and what it cannot know', async () => {
    const slide = await drawnSlide('offset', lambdaUm);
    const source = await openSlide(slide);
    const prediction = join(folder, 'lifted.ome.tif');
    const raster = await source.read({ x: 0, y: 0, width: size, height: size }, [2]);
    await source.close();
    raster.data.forEach((value, i) => {
      raster.data[i] = value + 50;
    });
    const shape = { width: size, height: size, pixelSizeUm, sampleType: 'float32' as const };
    const sink = await createOmeTiff(prediction, { ...shape, channels: [{ name: 'probe' }] });
    await sink.write(0, 0, raster);
    await sink.finish();
    const { agreement } = await analyze({
      ...{ slide, prediction, out: join(folder, 'lifted'), tissue: 'all', beyondUm: 12 },
    });
    expect(agreement?.pixels.bias).toBeCloseTo(50, 3);
    expect(agreement?.cells.bias).toBeCloseTo(50, 3);
    // All cells differ by the same but for rounding, to which the axis is stretched: all points lie about the line of the bias.
    const figure = readFileSync(join(folder, 'lifted', 'figures', 'agreement.svg'), 'utf8');
    const [bias] = [...figure.matchAll(/<path d="M[\d.]+ ([\d.]+)H/g)].slice(-3).map(([, y]) => Number(y));
    const points = [...figure.matchAll(/<circle [^>]*cy="([\d.]+)"/g)].map(([, y]) => Number(y));
    expect(points.length).toBeGreaterThan(50);
    for (const y of points) expect(Math.abs(y - bias)).toBeLessThan(40);
    // Within 10 um there is nothing beyond 12.
    const page = readFileSync(join(folder, 'lifted', 'report.html'), 'utf8').replaceAll(/base64,[^"]*/g, '');
    expect(page).not.toMatch(/NaN/);
    const bare = await writeDrawnSlide(join(folder, 'no nuclei.ome.tif'), {
      ...{ width: size, height: size, pixelSizeUm, channels: ['CD31', 'dextran'] },
    });
    const { subareas, nuclei } = await analyze({ slide: bare, out: join(folder, 'no nuclei') });
    expect(nuclei).toBeNull();
    for (const { name, areaShare, signalShare } of subareas.slice(5))
      expect([areaShare, signalShare], name).toEqual([Number.NaN, Number.NaN]);
    const unnamed = await writeDrawnSlide(join(folder, 'unnamed.ome.tif'), {
      ...{ width: size, height: size, pixelSizeUm, channels: ['A', 'B'] },
    });
    await expect(
      analyze({ slide: unnamed, prediction, vesselMask: prediction, out: join(folder, 'no roles') }),
    ).rejects.toThrow(/no role of the channels 'A', 'B' .* is known/);
  });

  it('does not judge against a slide without probe on which no vessel is found', async () => {
    const slide = await drawnSlide('judged', 20);
    const bare = createRaster(3, size, size);
    bare.data.fill(20);
    const backgroundSlide = join(folder, 'bare.ome.tif');
    const channels = ['CD31', 'DAPI', 'QD'].map((name) => ({ name }));
    const shape = { width: size, height: size, pixelSizeUm, channels, sampleType: 'float32' as const };
    const sink = await createOmeTiff(backgroundSlide, shape);
    await sink.write(0, 0, bare);
    await sink.finish();
    const given = { slide, backgroundSlide, vesselThreshold: 100, tissue: 'all' as const };
    const { extravasation, warnings } = await analyze({ ...given, out: join(folder, 'no control') });
    expect(extravasation.verdict).toBe('not known');
    expect(warnings.join()).toMatch(/The background is not known \(the slide without probe .*bare/);
  });

  it('says where more than half of the tissue passes for vessel', async () => {
    const slide = await drawnSlide('covered', 20);
    const { warnings } = await analyze({
      slide,
      out: join(folder, 'covered'),
      background: 20,
      tissue: 'all',
      vesselThreshold: 10.6,
    });
    expect(warnings.join()).toMatch(/Vessels cover \d\d% of the tissue/);
  });

  it('refuses options of which one would be passed over, and masks that are not there, before any work', async () => {
    const slide = await drawnSlide('refused', 20);
    const stages: string[] = [];
    const refused = (how: Partial<AnalyzeOptions>) =>
      expect(
        analyze(
          { slide, out: join(folder, 'refused'), ...how },
          { onProgress: ({ stage }) => stages.push(stage) },
        ),
      ).rejects;
    const mask = slide;
    await refused({ vesselMask: mask, vesselThreshold: 90 }).toThrow(
      '--vessel-mask and --vessel-threshold both say where the vessels are: give one of the two.',
    );
    await refused({ nucleiMask: mask, nucleiThreshold: 90 }).toThrow(UsageError);
    await refused({ background: 5, backgroundPercentile: 10 }).toThrow(
      /^--background and --background-percentile both say what the background is/,
    );
    await refused({ backgroundSlide: slide, backgroundPercentile: 10 }).toThrow(UsageError);
    await refused({ background: 5, backgroundSlide: slide }).toThrow(UsageError);
    await refused({ roles: { nuclie: 'DAPI' } }).toThrow(/^--role nuclie=... is not used here/);
    await refused({ pixelSizeUm: 690 }).toThrow(UsageError);
    const lossy = join(folder, 'mask.jpg');
    await sharp({ create: { width: size, height: size, channels: 3, background: '#fff' } }).toFile(lossy);
    await refused({ vesselMask: lossy }).toThrow(/is a JPEG, whose compression/);
    const two = await writeDrawnSlide(join(folder, 'two.ome.tif'), { channels: ['CD31', 'dextran'] });
    await refused({ slide: two, nucleiThreshold: 90 }).toThrow(
      /^--nuclei-threshold needs a channel with the role nuclei, but .*two.ome.tif has only 'CD31', 'dextran'/,
    );
    const missing = join(folder, 'missing.png');
    await refused({ vesselMask: missing }).toThrow(FileAccessError);
    await refused({ nucleiMask: missing }).toThrow(FileAccessError);
    await refused({ backgroundSlide: missing }).toThrow(FileAccessError);
    expect(stages).toEqual([]);
  });

  it('counts areas at fixed thresholds as NumPy does, to the pixel, on real fields', async (context) => {
    if (fields === undefined) return context.skip('the real fields are absent (docs/real-fields.md)');
    const { vessel, nuclei, probe } = golden.thresholds;
    for (const name of ['field-03', 'field-07']) {
      const { fixedAreas } = await analyze({
        slide: join(fields, `${name}.ome.tif`),
        out: join(folder, name),
        vesselThreshold: vessel,
        nucleiThreshold: nuclei,
        probeThreshold: probe,
      });
      for (const [area, pixels] of Object.entries(golden.fields[name]))
        expect(fixedAreas?.[area].pixels, `${name} ${area}`).toBe(pixels);
    }
  }, 60_000);
});
