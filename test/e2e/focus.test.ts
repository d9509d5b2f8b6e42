// A slide sharper than those trained on is read at their focus, by `predict` as by `evaluate`.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Rng } from '../../src/core/rng.ts';
import { openDataset } from '../../src/dataset/open-dataset.ts';
import { evaluate } from '../../src/experiment/evaluate.ts';
import { predict } from '../../src/experiment/predict.ts';
import { prepare } from '../../src/experiment/prepare.ts';
import { train } from '../../src/experiment/train.ts';
import { openSlide } from '../../src/slide/open-slide.ts';
import { smooth } from '../../src/spatial/gaussian.ts';
import { temporaryFolder } from './command-line.ts';
import { writeDrawnSlide } from './drawn-slide.ts';

/** Stained rings on tissue, through optics of this standard deviation in pixels, with a camera's noise. */
const rings = (blurPx: number) => (channel: number, width: number, height: number, rng: Rng) => {
  const plane = new Float32Array(width * height).fill(20);
  for (let n = 0; n < (width * height) / 300; n++) {
    const [cx, cy, radius] = [rng.integer(width), rng.integer(height), 3 + rng.integer(3) + channel];
    for (let y = Math.max(0, cy - radius); y < Math.min(height, cy + radius); y++) {
      for (let x = Math.max(0, cx - radius); x < Math.min(width, cx + radius); x++) {
        if (Math.abs(Math.hypot(x - cx, y - cy) - radius + 1) < 1) plane[y * width + x] = 150;
      }
    }
  }
  return Uint8Array.from(smooth(plane, width, height, blurPx), (v) => Math.round(v + rng.normal(0, 1)));
};

it('reads a sharper slide at the focus of the training slides, the same in predict and in evaluate', async (context) => {
  const folder = await temporaryFolder(context);
  const drawn = { width: 512, height: 384, seed: 1 };
  const slides = await Promise.all(
    [1.05, 1.05, 0.9].map((blurPx, i) =>
      writeDrawnSlide(join(folder, `s${i}.ome.tif`), { ...drawn, seed: i, draw: rings(blurPx) }),
    ),
  );
  const dataset = join(folder, 'dataset');
  await prepare({ slides, validation: ['none'], test: [slides[2]], patch: 64, out: dataset });
  const opened = await openDataset(dataset);
  const focus = opened.slides.map((slide) => slide.focus);
  await opened.close();
  for (const change of [...focus[0], ...focus[1]]) expect(Math.abs(change)).toBeLessThan(0.04);
  for (const change of focus[2]) expect(Math.abs(change - (1.05 ** 2 - 0.9 ** 2))).toBeLessThan(0.05);
  expect(await readFile(join(dataset, 'report.html'), 'utf8')).toMatch(/softened by 0\.2\d px/);

  const { model } = await train({ dataset, out: join(folder, 'run'), model: 'linear', threads: 2 });
  const out = join(folder, 'predicted.ome.zarr');
  await predict({ model, slide: slides[2], out, threads: 2 });
  await evaluate({ model, dataset, out: join(folder, 'evaluation'), threads: 2 });
  const [one, other] = await Promise.all(
    [out, join(folder, 'evaluation', 'predictions', 's2.ome.tif')].map(async (path) => {
      const source = await openSlide(path);
      const { data } = await source.read({ x: 0, y: 0, width: 512, height: 384 }, [0]);
      await source.close();
      return data;
    }),
  );
  let compared = 0;
  for (let i = 0; i < one.length; i++) {
    if (!Number.isFinite(other[i])) continue;
    compared++;
    if (Math.abs(one[i] - other[i]) > 1e-3) throw new Error(`${i % 512},${Math.floor(i / 512)}`);
  }
  expect(compared).toBeGreaterThan(0.9 * one.length);
  const { attributes } = JSON.parse(await readFile(join(out, 'zarr.json'), 'utf8'));
  const { vessel, nuclei } = JSON.parse(attributes.hrpn.inputMaps);
  expect([vessel.refocusedPx2, nuclei.refocusedPx2]).toEqual(focus[2].map((v) => expect.closeTo(v, 6)));
}, 120_000);
