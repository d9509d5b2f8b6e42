/** What train refuses, before anything is written. */
import { access, copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import { prepare } from './prepare.ts';
import { train } from './train.ts';

const trained = fileURLToPath(new URL('../../models/hrpn-simulated.onnx', import.meta.url));
let folder: string;
let dataset: string;
let ofNuclei: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-refuse-'));
  const slides = await Promise.all(
    [1, 2].map((seed) => writeDrawnSlide(join(folder, `${seed}.ome.tif`), { seed })),
  );
  [dataset, ofNuclei] = ['both', 'nuclei'].map((name) => join(folder, name));
  const common = { slides, validation: ['none'], test: [slides[1]], patch: 64 };
  await prepare({ ...common, out: dataset });
  await prepare({ ...common, inputs: ['nuclei'], out: ofNuclei });
});
afterAll(() => rm(folder, { recursive: true }));

describe('train', () => {
  it.each([
    [
      'a baseline without its vessels',
      () => ({ dataset: ofNuclei, model: 'distance' }),
      /needs the role 'vessel'/,
    ],
    [
      'a baseline on a GPU',
      () => ({ dataset, model: 'constant', device: 'webgpu' as const }),
      /fitted on the CPU/,
    ],
    [
      'a start with other inputs',
      () => ({ dataset: ofNuclei, from: trained }),
      /trained on the inputs vessel, nuclei/,
    ],
    ['a start of another network', () => ({ dataset, model: 'unet', from: trained }), /unet|tensor|weight/],
    ['less memory than a step takes', () => ({ dataset, memory: 1 }), /needs at least \d+ MB/],
    ['to watch a validation that is not there', () => ({ dataset, stopAfter: 3 }), /--stop-after 3 watches/],
  ])('refuses %s', async (_, make, message) => {
    const out = join(folder, 'refused');
    await expect(train({ ...make(), out, threads: 2 })).rejects.toThrow(message);
    await expect(access(out)).rejects.toThrow();
  });

  it('goes on from the start that it had, wherever that lies now, and from no other', async () => {
    const [start, out] = ['start.onnx', 'started'].map((name) => join(folder, name));
    await copyFile(trained, start);
    const { model } = await train({ dataset, from: start, out, epochs: 1, stepsPerEpoch: 1, threads: 2 });
    await copyFile(model, start);
    await expect(train({ dataset, out, resume: true })).rejects.toThrow(/start.onnx holds another model/);
    await rm(start);
    await expect(train({ dataset, out, resume: true })).rejects.toThrow(/Expected a model file .*start.onnx/);
    expect((await train({ dataset, out, resume: true, from: trained, threads: 2 })).steps).toBe(1);
  });

  it('goes on with the run that is there, not with a baseline in its place', async () => {
    const out = join(folder, 'run');
    const { model } = await train({ dataset, model: 'linear', out, threads: 2 });
    const before = await readFile(model);
    await expect(train({ dataset, model: 'constant', out, resume: true })).rejects.toThrow(
      /has model linear, but constant was given/,
    );
    await train({ dataset, out, resume: true, threads: 2 });
    expect((await readFile(model)).equals(before)).toBe(true);
  });
});
