/** What train refuses, before anything is written, and how it goes on with what is there. */
import { access, copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDrawnSlide } from '../../test/e2e/drawn-slide.ts';
import { CancelledError } from '../core/errors.ts';
import { readModelFile } from '../model/model-file.ts';
import { prepare } from './prepare.ts';
import { train } from './train.ts';

const trained = fileURLToPath(new URL('../../models/hrpn-simulated.onnx', import.meta.url));
let folder: string;
let dataset: string;
let ofNuclei: string;
let calibrated: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-refuse-'));
  const slides = await Promise.all(
    [1, 2, 3].map((seed) => writeDrawnSlide(join(folder, `${seed}.ome.tif`), { seed })),
  );
  [dataset, ofNuclei, calibrated] = ['both', 'nuclei', 'calibrated'].map((name) => join(folder, name));
  const common = { slides: slides.slice(0, 2), validation: ['none'], test: [slides[1]], patch: 64 };
  await prepare({ ...common, out: dataset });
  await prepare({ ...common, inputs: ['nuclei'], out: ofNuclei });
  await prepare({ ...common, slides, calibration: [slides[2]], out: calibrated });
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
    const short = { dataset, from: start, epochs: 1, stepsPerEpoch: 1, threads: 2 };
    const { model, notes } = await train({ ...short, out });
    expect(notes).toEqual([expect.stringMatching(/trained at 0.5 um a pixel, and this dataset is at 0.65/)]);
    const before = await readFile(model);
    await train({ dataset, out, resume: true });
    expect((await readFile(model)).equals(before)).toBe(true);
    await copyFile(model, start);
    await expect(train({ dataset, out, resume: true })).rejects.toThrow(/start.onnx holds another model/);
    await rm(start);
    await expect(train({ dataset, out, resume: true })).rejects.toThrow(/Expected a model file .*start.onnx/);
    expect((await train({ dataset, out, resume: true, from: trained, threads: 2 })).steps).toBe(1);
  });

  it('gives a finished run the same bytes again, heads and intervals too', async () => {
    const out = join(folder, 'with-intervals');
    const short = { epochs: 1, stepsPerEpoch: 1, turns: '2' as const, threads: 2 };
    const { model } = await train({ dataset: calibrated, out, ...short });
    const { manifest } = await readModelFile(model);
    expect(manifest).toMatchObject({ spread: true, turns: 2 });
    expect(manifest.intervals).toHaveLength(4);
    const before = await readFile(model);
    await train({ dataset: calibrated, out, resume: true, threads: 2 });
    expect((await readFile(model)).equals(before)).toBe(true);
  });

  it('does not begin anew where a model lies without its checkpoint', async () => {
    const out = join(folder, 'incomplete');
    const { model } = await train({ dataset, out, epochs: 1, stepsPerEpoch: 1, threads: 2 });
    const before = await readFile(model);
    await rm(join(out, 'last.safetensors'));
    await expect(train({ dataset, out, resume: true })).rejects.toThrow(
      /holds a model but not the checkpoint/,
    );
    expect((await readFile(model)).equals(before)).toBe(true);
  });

  it('leaves the folder free when a baseline is cancelled', async () => {
    const out = join(folder, 'cancelled');
    const cancelling = new AbortController();
    const onProgress = () => cancelling.abort();
    const fit = train(
      { dataset, model: 'linear', out, threads: 2 },
      { signal: cancelling.signal, onProgress },
    );
    await expect(fit).rejects.toThrow(CancelledError);
    await expect(access(out)).rejects.toThrow();
  });

  it('goes on with the run that is there, not with a baseline in its place', async () => {
    const out = join(folder, 'run');
    const { model } = await train({ dataset, model: 'linear', out, threads: 2 });
    const before = await readFile(model);
    await expect(train({ dataset, model: 'constant', out, resume: true })).rejects.toThrow(
      /has --model linear, but constant was given/,
    );
    await train({ dataset, out, resume: true, threads: 2 });
    expect((await readFile(model)).equals(before)).toBe(true);
  });
});
