import { describe, expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { memorySource } from '../spatial/memory-source.ts';
import {
  fitInputs,
  fitStain,
  type StainSamples,
  stainMap,
  stainReach,
  targetMap,
  tissueMoments,
} from './normalisation.ts';
import { scanSlide } from './scan-slide.ts';
import { findTissue, solidCells, tissueAreaMm2 } from './tissue-mask.ts';

const size = 512;
const um = 0.5;

/** Nuclei-like discs at random inside `inside`, over a camera offset with noise; [1, size, size]. */
function section(inside: (x: number, y: number) => boolean, seed = 1, offset = 100, signal = 400) {
  const rng = new Rng(seed);
  const raster = createRaster(1, size, size);
  for (let i = 0; i < raster.data.length; i++) raster.data[i] = Math.round(offset + rng.normal(0, 8));
  for (let n = 0; n < 1400; n++) {
    const cx = rng.integer(size);
    const cy = rng.integer(size);
    if (!inside(cx, cy)) continue;
    for (let y = Math.max(0, cy - 7); y < Math.min(size, cy + 8); y++) {
      for (let x = Math.max(0, cx - 7); x < Math.min(size, cx + 8); x++) {
        if ((x - cx) ** 2 + (y - cy) ** 2 < 50) raster.data[y * size + x] = offset + signal;
      }
    }
  }
  return raster;
}

const open = (raster: ReturnType<typeof section>) =>
  memorySource({
    raster,
    channelNames: Array.from({ length: raster.channels }, (_, c) => `c${c}`),
    sampleType: 'uint16',
    pixelSizeUm: um,
    path: 'slide.tif',
  });

const scanOf = (raster: ReturnType<typeof section>) => scanSlide(open(raster), { inputs: [0] }, um);

async function tissueOf(raster: ReturnType<typeof section>) {
  return findTissue(await scanOf(raster), 1, 'slide.tif');
}

const share = (cells: Uint8Array) => cells.reduce((sum, cell) => sum + cell, 0) / cells.length;

describe('findTissue', () => {
  it('separates a disc of tissue from glass under a camera offset', async () => {
    const disc = (x: number, y: number) => (x - 256) ** 2 + (y - 256) ** 2 < 160 ** 2;
    const scan = await scanOf(section(disc));
    const mask = findTissue(scan, 1, 'slide.tif');
    let wrong = 0;
    for (let row = 0; row < mask.cellsHigh; row++) {
      for (let column = 0; column < mask.cellsWide; column++) {
        const x = (column + 0.5) * mask.cellPx;
        const y = (row + 0.5) * mask.cellPx;
        const fromEdge = Math.hypot(x - 256, y - 256) - 160;
        // The 16 um smoothing blurs the edge by that much: 32 px.
        if (Math.abs(fromEdge) > 48 && mask.cells[row * mask.cellsWide + column] !== Number(fromEdge < 0))
          wrong++;
      }
    }
    expect(wrong).toBe(0);
    const area = (radiusUm: number) => (Math.PI * radiusUm ** 2) / 1e6;
    expect(tissueAreaMm2(mask, scan)).toBeGreaterThan(area(160 * um));
    expect(tissueAreaMm2(mask, scan)).toBeLessThan(area(160 * um + 16));
  });

  it('keeps a slide that is tissue everywhere whole', async () => {
    expect(share((await tissueOf(section(() => true))).cells)).toBe(1);
  });

  it('keeps dark tissue inside, cuts out tears, and never takes zero padding', async () => {
    const ring = (x: number, y: number) => {
      const r = Math.hypot(x - 256, y - 256);
      return r < 200 && r > 60;
    };
    const raster = section(ring);
    // 60 px are a disc of 30 um: at the level of the glass it is a tear.
    expect((await tissueOf(raster)).cells[16 * 32 + 16]).toBe(0);
    // A tenth of the signal of the tissue around it: a necrosis.
    for (let i = 0; i < raster.data.length; i++) {
      if (Math.hypot((i % size) - 256, Math.floor(i / size) - 256) < 62) raster.data[i] += 25;
    }
    expect((await tissueOf(raster)).cells[16 * 32 + 16]).toBe(1);
    for (let y = 240; y < 272; y++) raster.data.fill(0, y * size + 240, y * size + 272);
    const mask = await tissueOf(raster);
    expect(mask.cellPx).toBe(16);
    expect(mask.cells[15 * 32 + 15]).toBe(0);
    expect(mask.cells[13 * 32 + 15]).toBe(1);
  });

  it.each([
    ['zeros', () => createRaster(1, size, size), /every pixel of its input channels 'c0' is zero/],
    ['noise', () => section(() => false), /nothing but noise/],
    [
      'a constant',
      () => createRaster(1, size, size, new Float32Array(size * size).fill(7)),
      /constant or hold/,
    ],
  ])('refuses a slide of %s', async (_, make, message) => {
    await expect(tissueOf(make())).rejects.toThrow(message);
  });

  it('takes all of a slide too small to judge', async () => {
    const tiny = createRaster(1, 1, 1, Float32Array.of(3));
    expect([...(await tissueOf(tiny)).cells]).toEqual([1]);
  });
});

describe('normalisation', () => {
  const asItIs = (inputs: number) => ({
    reaches: Array<number>(inputs).fill(1),
    spectra: Array<null>(inputs).fill(null),
  });

  it('follows gain and offset of the stain exactly, and ignores the glass', async () => {
    const raster = section(() => true);
    const [one] = (await fitInputs(open(raster), [0], asItIs(1), um)).maps;
    const other = createRaster(
      1,
      size,
      size,
      raster.data.map((v) => 3 * v + 50),
    );
    const [three] = (await fitInputs(open(other), [0], asItIs(1), um)).maps;
    expect(three.scale).toBeCloseTo(3 * one.scale, 2);
    expect(three.offset).toBeCloseTo(3 * one.offset + 50, 2);
  });

  it('fits one map over several fields as over one image of them all', () => {
    const field = (values: Float32Array): StainSamples => ({ values, blocks: [values] });
    // 1 to 300 by thirds: as NumPy gives it for the whole, and none of the fields has.
    const fields = [0, 100, 200].map((from) =>
      field(Float32Array.from({ length: 100 }, (_, i) => from + i + 1)),
    );
    const fit = fitStain(fields, 'CD31', 'fields');
    // Evenly spread values lie nowhere most densely; the darkest are taken.
    expect(fit.background).toBe(3);
    expect(fit.range).toBeCloseTo(294.01, 4);
    expect(fit.brightness).toBeCloseTo(206.5968, 3);
    // A field without any of the stain is fine as long as another has it.
    const { background, brightness } = fitStain([field(new Float32Array(100)), fields[0]], 'CD31', 'fields');
    expect(background).toBe(0);
    expect(brightness).toBeCloseTo(69.79046, 4);
    // The brightest tissue of a typical training slide becomes 1.
    const { scale } = stainMap(fit, stainReach([fit]));
    expect(scale).toBeCloseTo(294.01, 3);
  });

  it('finds the tissue without stain, whatever is stained and however much glass shines through', () => {
    const tissueWith = (stained: number, glass: number): StainSamples => {
      const rng = new Rng(5);
      const values = Float32Array.from({ length: 50_000 }, () => {
        const share = rng.uniform();
        if (share < glass) return rng.uniform(50, 200);
        return rng.normal(200, 10) + (share > 1 - stained ? 2000 * Math.exp(rng.normal(0, 0.7)) : 0);
      });
      return { values, blocks: [values] };
    };
    const backgroundOf = (samples: StainSamples): number => fitStain([samples], 'CD31', 'slide').background;
    for (const [stained, glass] of [
      [0.05, 0],
      [0.05, 0.05],
      [0.4, 0],
      [0.4, 0.05],
    ]) {
      // The 1st percentile goes from 177 to 80.
      expect(Math.abs(backgroundOf(tissueWith(stained, glass)) - 200)).toBeLessThan(10);
    }
  });

  it('scales stained structures alike however many there are, and past a fold', () => {
    /** 100 blocks; in each this share of the averages is stained, log-normally. */
    const tissueWith = (share: number): StainSamples => {
      const rng = new Rng(8);
      const blocks = Array.from({ length: 100 }, () =>
        Float32Array.from({ length: 1000 }, () => {
          const background = rng.normal(200, 30);
          return background + (rng.uniform() < share ? 2000 * Math.exp(rng.normal(0, 0.7)) : 0);
        }),
      );
      return { values: Float32Array.from(blocks.flatMap((block) => [...block])), blocks };
    };
    const scaleOf = (samples: StainSamples): number => fitStain([samples], 'CD31', 'slide').brightness;
    const usual = scaleOf(tissueWith(0.08));
    expect(scaleOf(tissueWith(0.04)) / usual).toBeCloseTo(1, 1);
    expect(scaleOf(tissueWith(0.02)) / usual).toBeGreaterThan(0.85);
    const folded = tissueWith(0.08);
    for (const block of folded.blocks.slice(40, 43)) block.fill(60_000);
    expect(scaleOf(folded) / usual).toBeCloseTo(1, 1);
  });

  it('gives the target the moments of the tissue at full resolution', async () => {
    const raster = createRaster(2, size, size);
    raster.data.set(section(() => true).data);
    const target = raster.data.subarray(size * size);
    target.set(section(() => true, 2).data);
    target[5] = Number.NaN;
    const scan = await scanSlide(open(raster), { inputs: [0], others: [1] }, um);
    const moments = tissueMoments(scan, findTissue(scan, 1, 's'), 1);
    expect(moments.count).toBe(size * size - 1);
    const finite = [...target].filter((v) => !Number.isNaN(v));
    const mean = finite.reduce((a, b) => a + b) / finite.length;
    const sd = Math.sqrt(finite.reduce((a, b) => a + (b - mean) ** 2, 0) / finite.length);
    const map = targetMap([moments], 'probe');
    expect(map.offset).toBeCloseTo(mean, 5);
    expect(map.scale).toBeCloseTo(sd, 5);
    expect(() => targetMap([{ count: 2, mean: 3, squares: 0 }], 'probe')).toThrow(/'probe' is constant/);
  });

  it('refuses a constant input by name', async () => {
    const raster = createRaster(2, size, size);
    raster.data.set(section(() => true).data);
    raster.data.fill(9, size * size);
    await expect(fitInputs(open(raster), [0, 1], asItIs(2), um)).rejects.toThrow(
      /: channel 'c1' is constant over the tissue \(value 9\)/,
    );
  });
});

describe('solidCells', () => {
  it('leaves out a hole too small to be cut out of the tissue, its edge, and the edge of the slide to glass', async () => {
    // A hole of 32 um and glass on the right, empty of nuclei; elsewhere a nucleus touches nearly every cell of 8 um.
    const inHole = (x: number, y: number) => x >= 128 && x < 192 && y >= 192 && y < 256;
    const raster = section((x, y) => !inHole(x, y) && x < 384, 4);
    for (let y = 192; y < 256; y++) for (let x = 128; x < 192; x++) raster.data[y * size + x] = 100;
    const scan = await scanOf(raster);
    const mask = findTissue(scan, 1, 'slide.tif');
    const solid = solidCells(scan, 1, mask);
    const at = (cells: Uint8Array, x: number, y: number) =>
      cells[Math.floor(y / mask.cellPx) * mask.cellsWide + Math.floor(x / mask.cellPx)];
    expect(at(mask.cells, 160, 224)).toBe(1);
    for (const [x, y] of [
      [160, 224],
      [120, 224],
      [200, 224],
      [160, 184],
    ])
      expect(at(solid, x, y), `${x}, ${y}`).toBe(0);
    for (let i = 0; i < solid.length; i++) expect(solid[i]).toBeLessThanOrEqual(mask.cells[i]);
    expect(share(solid) / share(mask.cells)).toBeGreaterThan(0.5);
  });
});
