/** The baselines through the same commands as the networks, on the real fields. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sharedData } from '../../test/shared-data.ts';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { type Dataset, openDataset } from '../dataset/open-dataset.ts';
import { readModelFile } from '../model/model-file.ts';
import { findBaseline } from '../model/registry.ts';
import { memorySource } from '../spatial/memory-source.ts';
import type { RunSettings } from '../training/run-folder.ts';
import { fitBaseline } from './fit-baseline.ts';
import { prepare } from './prepare.ts';
import { train } from './train.ts';
import { visitSlides } from './visit-slides.ts';

const dextran = sharedData('real/dextran');
const fields = ['03', '04', '05', '06', '07'].map((n) => join(dextran ?? '', `field-${n}.ome.tif`));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-fit-'));
});
afterAll(() => rm(folder, { recursive: true }));

it.skipIf(dextran === undefined)(
  `linear: fields 03 to 06 and then 07, as scikit-learn does${dextran === undefined ? ' (skipped: the real fields are absent)' : ''}`,
  async () => {
    const path = join(folder, 'dataset');
    await prepare({
      slides: fields.slice(0, 4),
      test: [fields[4]],
      validation: ['none'],
      splitBy: 'field',
      patch: 256,
      out: path,
    });
    const run = await train({ dataset: path, model: 'linear', out: join(folder, 'linear'), threads: 2 });
    expect(run.stoppedBecause).toBe('fitted');
    const dataset = await openDataset(path);
    const r2 = await r2Of(dataset, 'test', run.model);
    await dataset.close();
    // Ridge regression on SciPy's gaussian_filter at 0, 1, 2, ... 64 um: 0.490; borders are mirrored there.
    expect(r2).toBeGreaterThan(0.48);
    expect(r2).toBeLessThan(0.5);
  },
);

it.each([
  ['distance', (um: number) => 40 * Math.exp(-um / 9)],
  ['transport', (um: number) => (um === 0 ? 60 : 40 * Math.exp(-um / 9))],
  ['constant', () => 5],
])(
  '%s: explains a probe that is its own kind, and reads from its file what it wrote',
  async (name, probe) => {
    const dataset = striped(probe);
    const run = join(folder, name);
    await mkdir(run);
    const settings = { dataset: 'x', seed: 0 } as RunSettings;
    const baseline = findBaseline(name)!;
    const fit = await fitBaseline({
      baseline,
      dataset,
      settings,
      folder: run,
      threads: 2,
      writtenBy: 'test',
    });
    const r2 = await r2Of(dataset, 'validation', join(run, 'best.onnx'));
    expect(fit.validation?.r2).toBeCloseTo(r2, 6);
    if (name === 'constant') expect(r2).toBeLessThan(1e-6);
    else expect(r2).toBeGreaterThan(name === 'distance' ? 0.999 : 0.9);
  },
);

async function r2Of(dataset: Dataset, split: 'test' | 'validation', path: string): Promise<number> {
  const model = await readModelFile(path);
  let [n, sum, squares, errors] = [0, 0, 0, 0];
  await visitSlides(dataset, split, model, 2, ({ predicted, measured, counts }) => {
    counts.forEach((counted, i) => {
      if (counted === 0) return;
      n++;
      sum += measured[i];
      squares += measured[i] ** 2;
      errors += (predicted.data[i] - measured[i]) ** 2;
    });
  });
  return 1 - errors / (squares - sum ** 2 / n);
}

/** Two slides with a straight vessel each, whose probe is a function of the distance to it, plus a little noise. */
function striped(probe: (um: number) => number): Dataset {
  const extent = 192;
  const cells = new Uint8Array((extent / 8) ** 2).fill(1);
  const slides = ['train', 'validation'].map((split, index) => {
    const rng = new Rng(index);
    const raster = createRaster(2, extent, extent);
    const plane = extent * extent;
    for (let i = 0; i < plane; i++) {
      const um = Math.max(0, Math.abs((i % extent) - 60 - 40 * index) - 5);
      raster.data[i] = (um === 0 ? 100 : 0) + rng.normal(10, 1);
      raster.data[plane + i] = probe(um) + rng.normal(0, 0.2);
    }
    return {
      entry: { name: split, split, width: extent, height: extent },
      source: memorySource({ raster, channelNames: ['v', 'p'] }),
      mask: { cellPx: 8, cellsWide: extent / 8, cellsHigh: extent / 8, cells },
      inputChannels: [0],
      targetChannel: 1,
      inputMaps: [{ offset: 0, scale: 100 }],
      focus: [0],
    };
  });
  return {
    folder: 'memory',
    manifest: {
      pixelSizeUm: 1,
      inputRoles: ['vessel'],
      targetRole: 'probe',
      targetMap: { offset: 5, scale: 3 },
      sharedMaps: null,
      reaches: { vessel: 1, nuclei: 1 },
      spectra: { vessel: null },
      splitBy: 'slide',
      slides: slides.map(({ entry }) => entry),
      windows: { validation: [[1, 0, 0, 1, 5]] },
    },
    slides,
  } as unknown as Dataset;
}

it('refuses what a fit cannot use, and lists the models when it knows none of that name', async () => {
  const given = { dataset: 'nowhere', out: join(folder, 'x') };
  await expect(train({ ...given, model: 'linear', epochs: 3 })).rejects.toThrow(
    /closed form and takes no --epochs/,
  );
  await expect(train({ ...given, model: 'lineer' })).rejects.toThrow(
    /takes one of hrpn, hrpn-published, ganda, unet, constant, distance, linear, transport/,
  );
});
