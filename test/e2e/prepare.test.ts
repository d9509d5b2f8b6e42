// What a dataset is: who is in which split, what is said, what is left out, and what is read back from it.
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/dataset/open-dataset.ts';
import { createPatchStream } from '../../src/dataset/patch-stream.ts';
import { prepare } from '../../src/experiment/prepare.ts';
import { temporaryFolder } from './command-line.ts';
import { type DrawnSlide, drawBlobs, writeDrawnSlide } from './drawn-slide.ts';

const slides = (folder: string, drawn: readonly DrawnSlide[]): Promise<string[]> =>
  Promise.all(drawn.map((slide, i) => writeDrawnSlide(join(folder, `s${i}.ome.tif`), { seed: i, ...slide })));
const dataset = async (folder: string) =>
  JSON.parse(await readFile(join(folder, 'dataset.json'), 'utf8')) as {
    slides: {
      name: string;
      split: string;
      group: string;
      maps: Record<string, { offset: number; scale: number }>;
    }[];
    sharedMaps: unknown;
    windows: Record<string, [slide: number, x: number, y: number][]>;
    targetMap: { offset: number; scale: number };
  };

/** Drawn slides are too small to tell. */
const unknownFocus = (role: string): unknown =>
  expect.stringMatching(
    `How sharp the input '${role}' is cannot be measured on s0, s1 .*: all slides are read`,
  );

describe('prepare', () => {
  it('keeps the slides of an animal together, and leaves out an unusable slide with its reason', async (context) => {
    const folder = await temporaryFolder(context);
    const empty = (_: number, w: number, h: number) => new Uint8Array(w * h);
    const paths = await slides(folder, [{}, {}, {}, {}, {}, { draw: empty }]);
    const groups = Object.fromEntries(paths.map((path, i) => [path, `mouse-${i >> 1}`]));
    const out = join(folder, 'dataset');
    const result = await prepare({ slides: paths, groups, test: [paths[2]], patch: 64, out });
    expect(result.splitBy).toBe('animal');
    const { slides: entries, sharedMaps } = await dataset(out);
    expect(entries.map(({ split }) => split).slice(2, 4)).toEqual(['test', 'test']);
    expect(entries[0].split).toBe(entries[1].split);
    expect(result.notes).toContain("s3 goes to test with s2: same animal 'mouse-1'.");
    expect(result.excluded).toEqual([
      { slide: paths[5], reason: expect.stringMatching(/holds no tissue: every pixel/) },
    ]);
    expect(sharedMaps).toBeNull();
    const report = await readFile(join(out, 'report.html'), 'utf8');
    expect(report.match(/<img /g)).toHaveLength(6);
    expect(report).toMatch(/<h2>Left out<\/h2>.*s5.*holds no tissue/s);
    expect(report).not.toMatch(/undefined|NaN/);
  });

  it('leaves out what cannot be read and what is there twice, each with its reason and a place in the report', async (context) => {
    const folder = await temporaryFolder(context);
    const paths = await slides(folder, [{}, {}, {}]);
    const [broken, copy] = ['broken.tif', 'copy.ome.tif'].map((name) => join(folder, name));
    await writeFile(broken, 'II*\0, and then nothing of a TIFF');
    await copyFile(paths[1], copy);
    const out = join(folder, 'dataset');
    const given = { slides: [...paths, broken, copy], patch: 64 };
    // The copy is the one that is named, so it stays.
    const result = await prepare({ ...given, test: [copy], validation: [paths[2]], out });
    expect(result.slides.map(({ name }) => name)).toEqual(['s0', 's2', 'copy']);
    expect(result.excluded).toEqual([
      { slide: broken, reason: expect.stringMatching(/broken\.tif: the file is cut off or damaged/) },
      { slide: paths[1], reason: 'It is a copy of copy.' },
    ]);
    const report = await readFile(join(out, 'report.html'), 'utf8');
    expect(report).toMatch(/3 slides \(2 more left out\)/);
    expect(report.match(/<figure/g)).toHaveLength(5);
    expect(report.match(/<img /g)).toHaveLength(4);
    const twice = { ...given, test: [copy], validation: [paths[1]], out: join(folder, 'twice') };
    await expect(prepare(twice)).rejects.toThrow(/copy\.ome\.tif is a copy of .*s1\.ome\.tif, and both/);
    await expect(prepare({ ...twice, test: [broken] })).rejects.toThrow(/cut off or damaged/);
  });

  it('fits the statistics of fields on the training fields only, and uses them for all', async (context) => {
    const folder = await temporaryFolder(context);
    // The test field is brighter by half; nothing of it may enter the maps.
    const bright: DrawnSlide['draw'] = (...args) => drawBlobs(...args).map((v) => Math.min(255, 1.5 * v));
    const paths = await slides(folder, [{}, {}, { draw: bright }]);
    const make = async (given: string[], out: string) => {
      await prepare({
        slides: given,
        validation: ['none'],
        splitBy: 'field',
        patch: 64,
        out,
        test: [paths[2]],
      });
      return dataset(out);
    };
    const both = await make(paths, join(folder, 'both'));
    const plain = await slides(join(folder), [{}, {}]);
    await prepare({
      slides: plain,
      validation: ['none'],
      splitBy: 'field',
      patch: 64,
      out: join(folder, 'train'),
    });
    const alone = await dataset(join(folder, 'train'));
    expect(both.sharedMaps).toEqual(alone.sharedMaps);
    expect(both.targetMap).toEqual(alone.targetMap);
    for (const { maps } of both.slides) expect(maps).toEqual(both.sharedMaps);

    const opened = await openDataset(join(folder, 'both'));
    context.onTestFinished(() => opened.close());
    const { inputs, weight } = await createPatchStream(opened, { split: 'test', batch: 1 }).load(0);
    const { offset, scale } = (both.sharedMaps as Record<string, { offset: number; scale: number }>).vessel;
    const brightest = inputs.subarray(0, 64 * 64).reduce((a, b) => Math.max(a, b));
    expect(brightest * scale + offset).toBeCloseTo(255, 1);
    expect(weight.some((value) => value === 1)).toBe(true);
  });

  it('resamples to the pixel size of the first slide, and says so', async (context) => {
    const folder = await temporaryFolder(context);
    const paths = await slides(folder, [{}, { pixelSizeUm: 0.5, width: 250, height: 208 }]);
    const out = join(folder, 'dataset');
    const result = await prepare({ slides: paths, validation: [paths[1]], patch: 64, out });
    expect(result.notes).toEqual([
      's1 is resampled from 0.5 to 0.65 um a pixel.',
      ...['vessel', 'nuclei'].map(unknownFocus),
    ]);
    expect(result.slides.map(({ width, height }) => [width, height])).toEqual([
      [192, 160],
      [192, 160],
    ]);
    const opened = await openDataset(out);
    context.onTestFinished(() => opened.close());
    expect(opened.slides[1].source.width).toBe(192);
    const given = {
      slides: paths,
      validation: [paths[1]],
      patch: 64,
      out: join(folder, 'given'),
      pixelSizeUm: 0.5,
    };
    expect((await prepare(given)).notes).toEqual([
      's0 says that its pixels are of 0.65 um; --pixel-size-um 0.5 is taken instead.',
      ...['vessel', 'nuclei'].map(unknownFocus),
    ]);
  });

  it('warns of an overexposed channel and of a slide with another exposure', async (context) => {
    const folder = await temporaryFolder(context);
    const overexposed: DrawnSlide['draw'] = (channel, w, h, rng) =>
      Uint8Array.from(
        { length: w * h },
        (_, i) => (i % 16 < 8 && (i / w) % 16 < 8 ? 255 : 10 + rng.integer(4)) >> (channel === 2 ? 4 : 0),
      );
    const paths = await slides(folder, [{}, {}, {}, { draw: overexposed }]);
    const { warnings } = await prepare({ slides: paths, patch: 64, out: join(folder, 'dataset') });
    const about = (slide: string) =>
      warnings.filter((warning) => warning.slide === slide).map(({ message }) => message);
    expect(about('s3').join('\n')).toMatch(
      /vessel \('CD31'\): 2\d% of the tissue is at the largest value, 255/,
    );
    expect(about('s3').join('\n')).toMatch(
      /probe: its brightest tissue is 0\.\d+ times that of the other slides/,
    );
    expect(about('s0')).toEqual([]);
  });

  it('makes the same dataset from the same slides and seed, and refuses one whose slide was changed', async (context) => {
    const folder = await temporaryFolder(context);
    const paths = await slides(folder, [{}, {}, {}]);
    const [one, two] = ['one', 'two'].map((name) => join(folder, name));
    for (const out of [one, two]) await prepare({ slides: paths, patch: 64, overlap: 0.5, out });
    expect(await dataset(one)).toEqual(await dataset(two));
    expect((await readdir(one)).sort()).toEqual(['dataset.json', 'masks', 'quality.json', 'report.html']);
    await expect(prepare({ slides: paths, patch: 64, out: one })).rejects.toThrow(
      /exists already.*--overwrite/,
    );
    await writeDrawnSlide(paths[1], { seed: 9 });
    await expect(openDataset(one)).rejects.toThrow(/s1\.ome\.tif is not the slide that the dataset/);
  });
});
