/** A tiled prediction equals the whole-image one, whatever the tiles. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PixelSource } from '../core/pixel-source.ts';
import { channelOf, createRaster, cropRaster, pasteRaster, type Raster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { encodeModelFile, type ModelFile, readModelFile } from '../model/model-file.ts';
import { layoutOf } from '../model/network.ts';
import { findModel } from '../model/registry.ts';
import { spreadNetwork, spreadStride, spreadTensors } from '../model/spread.ts';
import { predictSlide } from './predict-slide.ts';
import { planTiles, tileWithin } from './tiles.ts';

/** Of the range of the prediction: what float32 sums in another order may differ by. */
const rounding = 1e-5;
const maps = [
  { offset: 3, scale: 40 },
  { offset: -1, scale: 25 },
];

let folder: string;
let model: ModelFile;
/** The same with quantile heads. */
let withHeads: ModelFile;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-predict-'));
  model = await untrained('hrpn');
  withHeads = await untrained('hrpn', true);
});
afterAll(() => rm(folder, { recursive: true }));

/** A model with random weights of which none is zero, so that every path takes part. */
async function untrained(name: string, hasHeads = false, turns?: 8): Promise<ModelFile> {
  const network = findModel(name);
  const layout = layoutOf(network.network, 2, network.stride);
  const heads = layoutOf(spreadNetwork, 3, spreadStride);
  const rng = new Rng(5);
  const tensors = new Map(
    [...layout.parameters, ...layout.statistics, ...(hasHeads ? heads.parameters : [])].map(
      ({ name: tensor, shape, initialize }) => {
        const values = initialize(rng, shape);
        const isVariance = tensor.endsWith('.variance');
        return [tensor, values.map((v) => (isVariance ? rng.uniform(0.5, 1.5) : v + rng.normal(0, 0.05)))];
      },
    ),
  );
  if (hasHeads) {
    const { inputs, probe, unit } = spreadTensors;
    tensors.set(inputs.center, Float32Array.of(0.1, -0.2)).set(inputs.scale, Float32Array.of(0.9, 1.1));
    tensors.set(probe.center, Float32Array.of(10)).set(probe.scale, Float32Array.of(4));
    tensors.set(unit, Float32Array.of(3));
  }
  const path = join(folder, `${name}${hasHeads ? '-heads' : ''}${turns ? '-turns' : ''}.onnx`);
  const bytes = encodeModelFile(network, tensors, {
    writtenBy: 'test',
    roles: ['vessel', 'nuclei'],
    targetRole: 'probe',
    pixelSizeUm: 0.5,
    inputMaps: { reaches: [1, 1], spectra: [null, null] },
    targetMap: { offset: 10, scale: 4 },
    ...(turns && { turns }),
    training: { dataset: '', splitBy: 'slide', slides: 1, seed: 0, steps: 0, epoch: 0 },
  });
  await writeFile(path, bytes);
  return readModelFile(path);
}

function noise(width: number, height: number, seed = 1): Raster {
  const rng = new Rng(seed);
  return createRaster(
    2,
    height,
    width,
    Float32Array.from({ length: 2 * width * height }, () => rng.uniform(0, 60)),
  );
}

async function predicted(image: Raster, tilePx: number, file = model, spread = false): Promise<Raster> {
  const source = {
    path: 'memory',
    width: image.width,
    height: image.height,
    read: async (region: Parameters<PixelSource['read']>[0]) => cropRaster(image, region),
  } as unknown as PixelSource;
  const out = createRaster(spread ? 3 : 1, image.height, image.width);
  out.data.fill(Number.NEGATIVE_INFINITY);
  await predictSlide({
    model: file,
    source,
    channels: [0, 1],
    maps,
    tilePx,
    threads: 2,
    spread,
    write: async (x, y, raster) => pasteRaster(out, raster, x, y),
  });
  return out;
}

/** [channels, height, width] whose pixel x, y is the pixel `source(x, y)` of another raster. */
function moved(
  from: Raster,
  width: number,
  height: number,
  source: (x: number, y: number) => [number, number],
): Raster {
  const out = createRaster(from.channels, height, width);
  for (let c = 0; c < from.channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [fromX, fromY] = source(x, y);
        channelOf(out, c)[y * width + x] = channelOf(from, c)[fromY * from.width + fromX];
      }
    }
  }
  return out;
}

function largestGap(a: Raster, b: Raster): number {
  let [low, high, gap] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < a.data.length; i++) {
    low = Math.min(low, a.data[i]);
    high = Math.max(high, a.data[i]);
    gap = Math.max(gap, Math.abs(a.data[i] - b.data[i]));
  }
  return high > low ? gap / (high - low) : gap;
}

describe('predictSlide', () => {
  it.each([
    [1041, 600],
    [1, 1],
    [513, 257],
  ])('gives the same on %i x %i px at three tile sizes', async (width, height) => {
    const image = noise(width, height);
    const whole = await predicted(image, 4096);
    expect(whole.data.every(Number.isFinite)).toBe(true);
    for (const tilePx of [512, 256, 400]) {
      expect(largestGap(whole, await predicted(image, tilePx))).toBeLessThan(rounding);
    }
  });

  it('gives the same spread at every tile size, and the same prediction with and without it', async () => {
    const image = noise(513, 257);
    const whole = await predicted(image, 4096, withHeads, true);
    const plane = (raster: Raster, c: number): Raster => createRaster(1, 257, 513, channelOf(raster, c));
    for (const tilePx of [256, 400]) {
      const tiled = await predicted(image, tilePx, withHeads, true);
      for (const c of [0, 1, 2]) expect(largestGap(plane(whole, c), plane(tiled, c))).toBeLessThan(rounding);
    }
    for (const side of [1, 2]) {
      const sorted = channelOf(whole, side).slice().sort();
      expect(sorted[0]).toBeGreaterThan(0);
      expect(sorted.at(-1)).toBeGreaterThan(1.1 * sorted[0]);
    }
    expect(withHeads.manifest.halo).toBe(model.manifest.halo);
    const alone = await predicted(image, 4096);
    expect(largestGap(plane(whole, 0), alone)).toBe(0);
    expect(largestGap(await predicted(image, 4096, withHeads), alone)).toBe(0);
  });

  it('needs its whole halo: with one stride less the seams show', async () => {
    const image = noise(800, 400);
    const { halo, stride } = model.manifest;
    const less = { ...model, manifest: { ...model.manifest, halo: halo - 2 * stride } };
    expect(largestGap(await predicted(image, 4096), await predicted(image, 256, less))).toBeGreaterThan(0);
  });

  it('a mean over turns is the same at every tile size and in every turn of the image', async () => {
    const turning = await untrained('hrpn', false, 8);
    expect(turning.manifest).toMatchObject({ turns: 8, halo: model.manifest.halo });
    const wide = noise(513, 257);
    const whole = await predicted(wide, 4096, turning);
    for (const tilePx of [256, 400]) {
      expect(largestGap(whole, await predicted(wide, tilePx, turning))).toBeLessThan(rounding);
    }
    // Sides of whole strides, so that nothing is added at one edge only.
    const image = noise(320, 192);
    const upright = await predicted(image, 4096, turning);
    expect(largestGap(upright, await predicted(image, 4096))).toBeGreaterThan(0.01);
    const turns: ((from: Raster) => Raster)[] = [
      (from) => moved(from, 320, 192, (x, y) => [319 - x, y]),
      (from) => moved(from, 192, 320, (x, y) => [y, x]),
      (from) => moved(from, 192, 320, (x, y) => [y, 191 - x]),
    ];
    for (const turn of turns) {
      expect(largestGap(turn(upright), await predicted(turn(image), 4096, turning))).toBeLessThan(rounding);
    }
  });

  it('says NaN where an input is not finite, and nowhere else', async () => {
    const image = noise(200, 100);
    image.data[50 * 200 + 30] = Number.NaN;
    image.data[200 * 100 + 7] = Number.POSITIVE_INFINITY;
    const { data } = await predicted(image, 64);
    const found = [...data.keys()].filter((i) => !Number.isFinite(data[i]));
    expect(found).toEqual([7, 50 * 200 + 30]);
  });

  it('runs hrpn-published on its own grid of 512 px, whatever the tile asked for', async () => {
    const published = await untrained('hrpn-published');
    expect(published.manifest.fixedTile).toBe(512);
    const image = noise(700, 520);
    const a = await predicted(image, 512, published);
    expect(largestGap(a, await predicted(image, 100, published))).toBe(0);
  });
});

it('tiles cover every pixel once, with windows on the stride that hold the halo or end at the slide', () => {
  const size = fc.integer({ min: 1, max: 3000 });
  fc.assert(
    fc.property(size, size, fc.integer({ min: 1, max: 2000 }), (width, height, tilePx) => {
      const plan = { stride: 16, halo: 176, tilePx };
      let area = 0;
      for (const { core, window } of planTiles(width, height, plan)) {
        area += core.width * core.height;
        for (const edge of Object.values(window)) expect(edge % 16).toBe(0);
        expect(window.x === 0 || core.x - window.x === 176).toBe(true);
        expect(window.x + window.width >= Math.min(width, core.x + core.width + 176)).toBe(true);
        expect(window.y + window.height >= Math.min(height, core.y + core.height + 176)).toBe(true);
      }
      expect(area).toBe(width * height);
    }),
    { numRuns: 60 },
  );
});

it('tileWithin stays within the budget, but never goes below 256 px and says what these take', () => {
  const { halo } = model.manifest;
  for (const budget of [1e9, 4e9]) {
    const { tilePx, bytes } = tileWithin(budget, model.manifest, false);
    expect(tilePx).toBeGreaterThan(256);
    expect(bytes).toBeLessThanOrEqual(budget);
  }
  expect(tileWithin(4e9, model.manifest, true).tilePx).toBeLessThan(
    tileWithin(4e9, model.manifest, false).tilePx,
  );
  const least = tileWithin(1e6, model.manifest, false);
  expect(least.tilePx).toBe(256);
  expect(least.bytes).toBeGreaterThan(3e8 + model.manifest.activationBytesPerPixel * (256 + 2 * halo) ** 2);
  const rows = tileWithin(1.2e9, model.manifest, false, 4 * 37_888);
  expect(rows.bytes).toBeLessThanOrEqual(1.2e9);
  expect(rows.tilePx).toBeLessThan(tileWithin(1.2e9, model.manifest, false).tilePx);
  expect(tileWithin(1e6, { ...model.manifest, fixedTile: 512, halo: 0 }, false).tilePx).toBe(512);
});
