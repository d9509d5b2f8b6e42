// A slide sharper than those trained on is read at their focus, by `predict` as by what scores models.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Rng } from '../../src/core/rng.ts';
import { openDataset } from '../../src/dataset/open-dataset.ts';
import { predict } from '../../src/experiment/predict.ts';
import { prepare } from '../../src/experiment/prepare.ts';
import { train } from '../../src/experiment/train.ts';
import { visitSlides } from '../../src/experiment/visit-slides.ts';
import { readModelFile, withManifest } from '../../src/model/model-file.ts';
import { openSlide } from '../../src/slide/open-slide.ts';
import { smooth } from '../../src/spatial/gaussian.ts';
import { temporaryFolder } from './command-line.ts';
import { writeDrawnSlide } from './drawn-slide.ts';

/** Stained rings on tissue, through optics of these standard deviations in pixels, with a camera's noise. */
const rings = (blurPx: readonly number[]) => (channel: number, width: number, height: number, rng: Rng) => {
  const plane = new Float32Array(width * height).fill(20);
  for (let n = 0; n < (width * height) / 300; n++) {
    const [cx, cy, radius] = [rng.integer(width), rng.integer(height), 3 + rng.integer(3) + channel];
    for (let y = Math.max(0, cy - radius); y < Math.min(height, cy + radius); y++) {
      for (let x = Math.max(0, cx - radius); x < Math.min(width, cx + radius); x++) {
        if (Math.abs(Math.hypot(x - cx, y - cy) - radius + 1) < 1) plane[y * width + x] = 150;
      }
    }
  }
  const seen = smooth(plane, width, height, blurPx[channel]);
  return Uint8Array.from(seen, (v) => Math.round(v + rng.normal(0, 1)));
};

it('reads a slide at the focus of the training slides, the same when predicting and when scoring', async (context) => {
  const folder = await temporaryFolder(context);
  const drawn = { width: 512, height: 384 };
  const blurs = [
    [1.05, 1, 1],
    [1.05, 1, 1],
    [0.9, 1.1, 1],
  ];
  const slides = await Promise.all(
    blurs.map((blurPx, seed) =>
      writeDrawnSlide(join(folder, `s${seed}.ome.tif`), { ...drawn, seed, draw: rings(blurPx) }),
    ),
  );
  const dataset = join(folder, 'dataset');
  await prepare({ slides, validation: ['none'], test: [slides[2]], patch: 64, out: dataset });
  const opened = await openDataset(dataset);
  context.onTestFinished(() => opened.close());
  const [first, second, [vessel, nuclei]] = opened.slides.map(({ focus }) => focus);
  for (const change of [...first, ...second]) expect(Math.abs(change)).toBeLessThan(0.04);
  expect(Math.abs(vessel - (1.05 ** 2 - 0.9 ** 2))).toBeLessThan(0.06);
  expect(Math.abs(nuclei - (1 - 1.1 ** 2))).toBeLessThan(0.06);
  expect(await readFile(join(dataset, 'report.html'), 'utf8')).toMatch(/softened by 0.*sharpened by 0/s);

  const { model } = await train({ dataset, out: join(folder, 'run'), model: 'linear', threads: 2 });
  const file = await readModelFile(model);
  const left = join(folder, 'left.onnx');
  const { inputMaps } = file.manifest;
  if (!('reaches' in inputMaps)) throw new Error('expected maps that are fitted to a slide');
  const spectra = [null, null];
  await writeFile(left, withManifest(file, { ...file.manifest, inputMaps: { ...inputMaps, spectra } }));
  const differences = { predicted: 0, left: 0 };
  const predictions = await Promise.all([model, left].map((path) => predictedBy(path, slides[2], folder)));
  await visitSlides(opened, 'test', file, 2, ({ x, y, predicted }) => {
    for (let i = 0; i < predicted.width * predicted.height; i++) {
      const at = (y + Math.floor(i / predicted.width)) * drawn.width + x + (i % predicted.width);
      const [own, asItIs] = predictions.map(({ data }) => Math.abs(data[at] - predicted.data[i]));
      differences.predicted = Math.max(differences.predicted, own);
      differences.left = Math.max(differences.left, asItIs);
    }
  });
  expect(differences.predicted).toBeLessThan(1e-3);
  expect(differences.left).toBeGreaterThan(0.1);
  const { maps } = predictions[0];
  expect([maps.vessel.refocusedPx2, maps.nuclei.refocusedPx2]).toEqual([
    expect.closeTo(vessel, 6),
    expect.closeTo(nuclei, 6),
  ]);
  expect(predictions[1].maps.vessel).not.toHaveProperty('refocusedPx2');
}, 120_000);

/** Its pixels, and what the file says of its inputs. */
async function predictedBy(model: string, slide: string, folder: string) {
  const out = join(folder, `${model.endsWith('left.onnx') ? 'left' : 'own'}.ome.zarr`);
  await predict({ model, slide, out, threads: 2 });
  const source = await openSlide(out);
  const { width, height } = source;
  const { data } = await source.read({ x: 0, y: 0, width, height }, [0]);
  await source.close();
  const { attributes } = JSON.parse(await readFile(join(out, 'zarr.json'), 'utf8'));
  return { data, maps: JSON.parse(attributes.hrpn.inputMaps) };
}
