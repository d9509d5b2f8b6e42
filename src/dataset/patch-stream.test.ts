import { describe, expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { BlockCache } from './block-cache.ts';
import type { DatasetManifest, WindowRow } from './manifest.ts';
import type { Dataset } from './open-dataset.ts';
import { createWindowSampler } from './patch-sampling.ts';
import { createPatchStream } from './patch-stream.ts';
import { refocusedSource } from './refocus.ts';
import { gridWindows } from './windows.ts';

const width = 700;
const height = 300;
const maps = [
  { offset: 10, scale: 2 },
  { offset: -5, scale: 0.5 },
];

/** Channel 0 holds x, channel 1 y, channel 2 (target) x + 1000 y; tissue where x >= 100. */
function dataset(options: {
  patch: number;
  cacheBytes?: number;
  tinySlide?: boolean;
  focus?: readonly number[];
  /** Amplitude of what is added to both inputs; then the middle pixel of the first is missing. */
  texture?: number;
}): Dataset {
  const { patch, focus = [0, 0], texture = 0 } = options;
  const rng = new Rng(9);
  const w = options.tinySlide ? 20 : width;
  const h = options.tinySlide ? 10 : height;
  const raster = createRaster(3, h, w);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      raster.data[y * w + x] = x + texture * rng.normal();
      raster.data[(h + y) * w + x] = y + texture * rng.normal();
      raster.data[(2 * h + y) * w + x] = x + 1000 * y;
    }
  }
  const cellPx = 10;
  const cellsWide = Math.ceil(w / cellPx);
  const cellsHigh = Math.ceil(h / cellPx);
  const cells = Uint8Array.from({ length: cellsWide * cellsHigh }, (_, i) =>
    options.tinySlide || i % cellsWide >= 10 ? 1 : 0,
  );
  const mask = { cellPx, cellsWide, cellsHigh, cells };
  const windows = gridWindows(w, h, patch, mask, { minTissue: 0 }).windows.map(
    ({ x, y, tissue }): WindowRow => [0, x, y, tissue, x],
  );
  const manifest = {
    patch,
    inputRoles: ['vessel', 'nuclei'],
    targetMap: { offset: 7, scale: 4 },
    minTissue: 0,
    overlap: 0,
    windows: { train: windows, validation: windows, calibration: [], test: [] },
  } as unknown as DatasetManifest;
  if (texture > 0) raster.data[(h >> 1) * w + (w >> 1)] = Number.NaN;
  const source = memorySource({ raster, channelNames: ['a', 'b', 't'] });
  const entry = { width: w, height: h, split: 'train' } as Dataset['slides'][number]['entry'];
  return {
    folder: 'memory',
    manifest,
    slides: [{ entry, source, mask, inputChannels: [0, 1], targetChannel: 2, inputMaps: maps, focus }],
    cache: new BlockCache(options.cacheBytes ?? 1e9),
    close: async () => {},
  };
}

describe('createPatchStream', () => {
  it('evaluation: every tissue pixel once, normalised, at its place', async () => {
    const stream = createPatchStream(dataset({ patch: 256 }), { split: 'validation', batch: 4 });
    const seen = new Map<number, number>();
    for (let step = 0; step < stream.stepsPerEpoch; step++) {
      const { inputs, target, weight, count } = await stream.load(step);
      for (let n = 0; n < 4; n++) {
        for (let i = 0; i < 256 * 256; i++) {
          if (weight[n * 65536 + i] === 0) continue;
          expect(n).toBeLessThan(count);
          const x = Math.round(inputs[n * 131072 + i] * 2 + 10);
          const y = Math.round(inputs[n * 131072 + 65536 + i] * 0.5 - 5);
          if (Math.abs(target[n * 65536 + i] * 4 + 7 - (x + 1000 * y)) > 0.1) throw new Error(`${x},${y}`);
          seen.set(y * width + x, (seen.get(y * width + x) ?? 0) + 1);
        }
      }
    }
    expect(seen.size).toBe(600 * 300);
    expect(Math.max(...[...seen.values()].slice(0, 1000), 1)).toBe(1);
    expect([...seen.values()].every((times) => times === 1)).toBe(true);
  });

  it('training: all channels turned together, all eight ways, and the batch depends on seed and step only', async () => {
    const options = { split: 'train', batch: 2, seed: 5, augment: true, jitter: true } as const;
    const stream = createPatchStream(dataset({ patch: 128 }), options);
    const ways = new Set<string>();
    for (let step = 0; step < 40; step++) {
      const { inputs, target } = await stream.load(step);
      for (const n of [0, 1]) {
        const at = (i: number): [number, number, number] => [
          inputs[n * 32768 + i] * 2 + 10,
          inputs[n * 32768 + 16384 + i] * 0.5 - 5,
          target[n * 16384 + i] * 4 + 7,
        ];
        const [x0, y0] = at(0);
        const [x1, y1] = at(1);
        const [x2, y2] = at(128);
        ways.add(
          [x1 - x0, y1 - y0, x2 - x0, y2 - y0].map((d) => (Math.abs(d) < 0.01 ? 0 : Math.sign(d))).join(),
        );
        for (const i of [0, 127, 5000, 16383]) {
          const [x, y, t] = at(i);
          expect(Math.abs(t - (x + 1000 * y))).toBeLessThan(0.1);
        }
      }
    }
    expect(ways.size).toBe(8);
    // A cache too small for one block, and another order of loading.
    const again = createPatchStream(dataset({ patch: 128, cacheBytes: 1 }), options);
    for (const step of [31, 3, 17]) expect(await again.load(step)).toEqual(await stream.load(step));
    const other = createPatchStream(dataset({ patch: 128 }), { ...options, seed: 6 });
    expect((await other.load(3)).inputs).not.toEqual((await stream.load(3)).inputs);
  });

  it('training: any angle, all channels together, on both sides of the slide edge', async () => {
    const options = { split: 'train', batch: 1, patch: 96, seed: 1, jitter: true } as const;
    const augment = { flips: true, rotate: true, gain: 0, offset: 0 };
    const stream = createPatchStream(dataset({ patch: 96 }), { ...options, augment });
    let counted = 0;
    for (let step = 0; step < 12; step++) {
      const { inputs, target, weight } = await stream.load(step);
      const at = (plane: number, i: number): number => inputs[plane * 9216 + i];
      let first: [number, number] | undefined;
      for (let i = 0; i < 9216; i++) {
        if (weight[i] === 0) continue;
        counted++;
        const x = at(0, i) * 2 + 10;
        const y = at(1, i) * 0.5 - 5;
        // The target is linear in x and y, so it must still be so after interpolation.
        expect(Math.abs(target[i] * 4 + 7 - (x + 1000 * y))).toBeLessThan(0.2);
        if (i % 96 < 95 && weight[i + 1] === 1) {
          const move: [number, number] = [at(0, i + 1) * 2 + 10 - x, at(1, i + 1) * 0.5 - 5 - y];
          first ??= move;
          // One pixel is one pixel, and the same way everywhere in the patch.
          expect(Math.hypot(...move)).toBeCloseTo(1, 3);
          expect(move[0]).toBeCloseTo(first[0], 3);
        }
      }
    }
    expect(counted).toBeGreaterThan(50_000);
    expect(await stream.load(7)).toEqual(await stream.load(7));
  });

  it('training: gain, offset and focus change the inputs only', async () => {
    const options = { split: 'train', batch: 1, patch: 64 } as const;
    const load = async (changes: object) =>
      createPatchStream(dataset({ patch: 64 }), {
        ...options,
        augment: { flips: false, gain: 0, offset: 0, ...changes },
      }).load(5);
    const plain = await load({});
    const changed = await load({ gain: 0.3, offset: 0.2 });
    expect(changed.target).toEqual(plain.target);
    const slope = (changed.inputs[40] - changed.inputs[20]) / (plain.inputs[40] - plain.inputs[20]);
    expect(slope).not.toBeCloseTo(1, 2);
    const shift = changed.inputs[20] - slope * plain.inputs[20];
    for (const i of [0, 63, 2000, 4095]) {
      expect(changed.inputs[i]).toBeCloseTo(slope * plain.inputs[i] + shift, 3);
    }
    const refocused = await load({ focusPx: 3 });
    expect(refocused.target).toEqual(plain.target);
    expect(refocused.inputs[32 * 64 + 32]).toBeCloseTo(plain.inputs[32 * 64 + 32], 3); // a ramp stays
    expect(refocused.inputs[0]).not.toBeCloseTo(plain.inputs[0], 2); // but for its mirrored borders
  });

  it('brings inputs to one focus as a whole slide is, however they are turned, unless raw ones are wanted', async () => {
    const focus = [0.6, -0.2];
    const own = dataset({ patch: 64, focus, texture: 20 });
    const asTaken = dataset({ patch: 64, texture: 20 });
    const refocused = asTaken.slides.map((slide) => ({
      ...slide,
      source: refocusedSource(slide.source, [0, 1], focus, [10, -5]),
    }));
    const load = (set: Dataset, step: number, more: object) =>
      createPatchStream(set, { split: 'train', batch: 1, ...more }).load(step);
    const cache = new BlockCache(1e9);
    let compared = 0;
    for (const more of [{}, { augment: true, jitter: true }, { augment: { rotate: true, flips: true } }]) {
      for (const step of [3, 4, 14, 25]) {
        const expected = await load({ ...asTaken, slides: refocused, cache }, step, more);
        const { inputs, target, weight } = await load(own, step, more);
        expect(target).toEqual(expected.target);
        expect(weight).toEqual(expected.weight);
        for (let i = 0; i < target.length; i++) {
          const at = target[i] * 4 + 7;
          const [x, y] = [at % 1000, Math.floor(at / 1000)];
          if (weight[i] === 0) continue;
          compared++;
          for (const c of [0, 4096]) {
            if (Math.abs(inputs[c + i] - expected.inputs[c + i]) > 1e-3) throw new Error(`${x},${y}`);
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(20_000);
    const raw = { normalized: false };
    expect(await load(own, 14, raw)).toEqual(await load(asTaken, 14, raw));
    expect(await load(own, 14, {})).not.toEqual(await load(asTaken, 14, {}));
  });

  it('training without jitter: every window once a round', async () => {
    const set = dataset({ patch: 100 });
    const stream = createPatchStream(set, { split: 'train', batch: 1, augment: true });
    const seen = new Set<string>();
    for (let step = 0; step < stream.windows; step++) {
      const { inputs } = await stream.load(step);
      seen.add(
        [
          Math.round(Math.min(...inputs.subarray(0, 10000)) * 2 + 10),
          Math.min(...inputs.subarray(10000)),
        ].join(),
      );
    }
    expect(seen.size).toBe(stream.windows);
    expect(stream.windows).toBe(18);
  });

  it('pads a slide smaller than the patch with zeros of weight 0', async () => {
    const stream = createPatchStream(dataset({ patch: 32, tinySlide: true }), {
      split: 'validation',
      batch: 1,
    });
    const { weight, inputs } = await stream.load(0);
    expect(weight.reduce((a, b) => a + b)).toBe(200);
    expect(inputs[20]).toBe(0);
    expect(inputs[11 * 32]).toBe(0);
  });

  it('gives raw intensities on demand, and another patch size', async () => {
    const stream = createPatchStream(dataset({ patch: 256 }), {
      split: 'train',
      batch: 1,
      patch: 64,
      normalized: false,
    });
    expect(stream.windows).toBe(10 * 5);
    const { inputs, shape } = await stream.load(0);
    expect(inputs[1] - inputs[0]).toBe(1);
    expect(shape).toEqual({ batch: 1, inputs: 2, height: 64, width: 64 });
  });

  it('balanced sampling draws rare bright windows more often', async () => {
    const set = dataset({ patch: 100 });
    set.manifest.windows.train.forEach((row, i) => {
      row[4] = i === 0 ? 100 : 1;
    });
    let first = 0;
    const stream = createPatchStream(set, { split: 'train', batch: 1, balance: true });
    for (let step = 0; step < 100; step++) {
      const { inputs } = await stream.load(step);
      if (inputs[0] === (100 - 10) / 2 && inputs[10000] === 10) first++;
    }
    expect(first).toBeGreaterThan(20);
  });

  it('refuses a split without patches', () => {
    expect(() => createPatchStream(dataset({ patch: 64 }), { split: 'test', batch: 1 })).toThrow(
      /no patches for test.*--test SLIDE/,
    );
    const { manifest, ...rest } = dataset({ patch: 64 });
    const strict = { ...rest, manifest: { ...manifest, minTissue: 0.1 } };
    expect(() => createPatchStream(strict, { split: 'train', batch: 1, patch: 4096 })).toThrow(
      /no patches for train.*--patch 4096 none holds enough tissue; .* own is 64/,
    );
  });
});

it('balances more windows than a function takes arguments', () => {
  const windows = Array.from({ length: 130_000 }, (_, i): WindowRow => [0, i, 0, 1, i % 1000]);
  const sampler = createWindowSampler(windows, 0, true);
  const drawn = Array.from({ length: 200 }, (_, i) => windows[sampler.windowOf(2 * i + 1, new Rng(i))][4]);
  expect(Math.min(...drawn)).toBeLessThan(125);
  expect(Math.max(...drawn)).toBeGreaterThanOrEqual(875);
});
