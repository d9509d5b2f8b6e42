/** The benchmark and evaluate say the same of a model on a slide: every metric of every region, and the coverage. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawBlobs, writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import { openDataset } from '../dataset/open-dataset.ts';
import { metricsOf } from '../evaluation/metric-block.ts';
import { readModelFile } from '../model/model-file.ts';
import { evaluate } from './evaluate.ts';
import { prepare } from './prepare.ts';
import { scoreModel } from './score-model.ts';

const model = fileURLToPath(new URL('../../models/hrpn-simulated.onnx', import.meta.url));
/** Tissue ends beside the edge between two of the tiles that are predicted, of 768 px of 0.5 um. */
const tissuePx = 585;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-score-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Blobs on the left, empty glass on the right. */
function drawSlide(name: string, seed: number): Promise<string> {
  return writeDrawnSlide(join(folder, `${name}.ome.tif`), {
    ...{ width: 760, height: 120, pixelSizeUm: 0.65, seed },
    draw: (channel, width, height, rng) =>
      drawBlobs(channel, width, height, rng).map((v, i) => (i % width < tissuePx ? v : rng.integer(2))),
  });
}

it('scoreModel and evaluate agree on resampled slides that are part glass', async () => {
  const slides = await Promise.all(['train', 'one', 'two'].map((name, i) => drawSlide(name, i)));
  const out = join(folder, 'dataset');
  await prepare({
    ...{ slides, test: slides.slice(1), validation: ['none'], patch: 64, out },
    datasetPixelSizeUm: 0.5,
  });
  const scored = await evaluate({ model, dataset: out, threads: 2 });
  const dataset = await openDataset(out);
  for (const { mask } of dataset.slides)
    expect(mask.cells.lastIndexOf(1, mask.cellsWide - 1)).toBe(768 / mask.cellPx - 1);
  const { slides: found, peak, coverage } = await scoreModel(dataset, 'test', await readModelFile(model), 2);
  await dataset.close();

  expect(peak).toBe(255);
  expect(scored.peak).toBe(255);
  expect(found.map(({ slide }) => slide)).toEqual(scored.perSlide.map(({ slide }) => slide));
  for (const [i, { comparison }] of found.entries()) {
    for (const region of ['pooled', 'extravascular'] as const) {
      const { undefinedBecause, ...metrics } = metricsOf(comparison[region], peak);
      expect(undefinedBecause).toEqual({});
      for (const [name, value] of Object.entries(metrics)) {
        const other = scored.perSlide[i][region][name as keyof typeof metrics];
        // Tiles of another size differ in float rounding.
        expect(Math.abs(value - other), `${region} ${name}`).toBeLessThanOrEqual(1e-4 * Math.abs(other));
      }
    }
  }
  expect(coverage?.pooled).toBeCloseTo(scored.coverage?.pooled ?? Number.NaN, 4);
  expect(coverage?.byDistanceBin.map(({ pixels }) => pixels)).toEqual(
    scored.coverage?.byDistanceBin.map(({ pixels }) => pixels),
  );
}, 120_000);
