import { describe, expect, it } from 'vitest';
import { createRaster, type Raster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { smooth } from '../spatial/gaussian.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { poolShading } from './field-shading.ts';
import { tissueSamples } from './normalisation.ts';
import { type ChannelQuality, measureQuality } from './quality.ts';
import { scanSlide } from './scan-slide.ts';
import { findTissue } from './tissue-mask.ts';

const usual = 800;

/** Nuclei-like discs of 6 to 10 um, denser in some squares than in others, on glass of level 100 at the left. */
function tissue(um: number, seed: number, glassPx = 0, size = usual): Raster {
  const rng = new Rng(seed);
  const raster = createRaster(1, size, size);
  for (let i = 0; i < raster.data.length; i++) raster.data[i] = 100 + rng.normal(0, 4);
  const clumpPx = 60;
  const dense = Array.from({ length: Math.ceil(size / clumpPx) ** 2 }, () => rng.uniform(0.4, 0.9));
  for (let n = 0; n < (size * um) ** 2 / 120; n++) {
    const cx = rng.integer(size);
    const cy = rng.integer(size);
    const density = dense[Math.floor(cy / clumpPx) * Math.ceil(size / clumpPx) + Math.floor(cx / clumpPx)];
    if (cx < glassPx || rng.uniform() > density) continue;
    const radius = rng.uniform(3, 5) / um;
    const bright = rng.uniform(300, 700);
    for (let y = Math.max(0, Math.ceil(cy - radius)); y < Math.min(size, cy + radius); y++) {
      for (let x = Math.max(glassPx, Math.ceil(cx - radius)); x < Math.min(size, cx + radius); x++) {
        if ((x - cx) ** 2 + (y - cy) ** 2 < radius * radius) raster.data[y * size + x] = 100 + bright;
      }
    }
  }
  return raster;
}

/** Multiplies what is above the camera's offset. */
function shade(raster: Raster, factor: (x: number, y: number) => number): Raster {
  const { width } = raster;
  const data = raster.data.map((v, i) => 100 + (v - 100) * factor(i % width, Math.floor(i / width)));
  return createRaster(1, width, width, data);
}

async function qualityOf(raster: Raster, um: number): Promise<ChannelQuality> {
  const source = memorySource({ raster, channelNames: ['DAPI'], pixelSizeUm: um });
  const scan = await scanSlide(source, { inputs: [0] }, um);
  const mask = findTissue(scan, 1, 'slide');
  return measureQuality(scan, mask, tissueSamples(scan, mask))[0];
}

describe('measureQuality', () => {
  it('finds the level of the glass, and none where there is no glass', async () => {
    const { background, percentiles } = await qualityOf(tissue(0.5, 1, 300), 0.5);
    expect(background).toBeCloseTo(100, 0);
    expect(percentiles[2]).toBeGreaterThan(300);
    expect((await qualityOf(tissue(0.5, 1), 0.5)).background).toBeNull();
  });

  it('counts what the camera cut off, whatever the range of the file', async () => {
    const raster = tissue(0.5, 2);
    expect((await qualityOf(raster, 0.5)).atMaxShare).toBeLessThan(1e-3);
    const clipped = createRaster(
      1,
      usual,
      usual,
      raster.data.map((v) => Math.min(v, 600)),
    );
    const above = raster.data.filter((v) => v >= 600).length / raster.data.length;
    expect(above).toBeGreaterThan(0.02);
    expect((await qualityOf(clipped, 0.5)).atMaxShare).toBeCloseTo(above, 2);
    // A label on the glass is no tissue.
    const beside = createRaster(2, usual, usual);
    const plain = tissue(0.5, 1, 300);
    for (const c of [0, 1]) beside.data.set(plain.data, c * usual * usual);
    for (let y = 10; y < 70; y++) {
      const at = usual * usual + y * usual;
      beside.data.fill(60_000, at + 10, at + 70);
    }
    const source = memorySource({ raster: beside, channelNames: ['DAPI', 'QD'], pixelSizeUm: 0.5 });
    const scan = await scanSlide(source, { inputs: [0], others: [1] }, 0.5);
    const mask = findTissue(scan, 1, 'slide');
    const [, { max, atMaxShare }] = measureQuality(scan, mask, tissueSamples(scan, mask));
    expect([max, atMaxShare]).toEqual([60_000, 0]);
  });

  it('tells blurred from sharp by the size of the blur in micrometres', async () => {
    const blurred = async (um: number, blurUm: number, part = 1) => {
      const raster = tissue(um, 3);
      const soft = smooth(raster.data, usual, usual, blurUm / um);
      const until = Math.round(usual * part) * usual;
      soft.set(raster.data.subarray(until), until);
      return qualityOf(createRaster(1, usual, usual, soft), um);
    };
    for (const um of [0.35, 0.65]) {
      expect((await blurred(um, 0)).blurredShare).toBeLessThan(0.05);
      expect((await blurred(um, 3)).blurredShare).toBeGreaterThan(0.8);
      const half = await blurred(um, 3, 0.5);
      expect(half.blurredShare).toBeGreaterThan(0.35);
      expect(half.blurredShare).toBeLessThan(0.6);
    }
    expect((await qualityOf(tissue(4, 3), 4)).sharpness).toBeNull();
  });

  it('finds the grid of camera fields with its period and depth, and none in mere tissue', async () => {
    const um = 4;
    const wide = 1300;
    const field = 130.4; // px; not a whole number of cells
    const dome = (p: number) => 1 - 0.25 * (2 * ((p % field) / field) - 1) ** 2;
    const found = (
      await qualityOf(
        shade(tissue(um, 4, 0, wide), (x) => dome(x)),
        um,
      )
    ).stitching;
    expect(found.y).toBeNull();
    expect(found.x?.periodUm).toBeGreaterThan(0.98 * field * um);
    expect(found.x?.periodUm).toBeLessThan(1.02 * field * um);
    expect(found.x?.amplitude).toBeGreaterThan(0.15);
    expect(found.x?.amplitude).toBeLessThan(0.45);
    for (let seed = 10; seed < 11; seed++) {
      expect((await qualityOf(tissue(um, seed, 0, wide), um)).stitching).toEqual({ x: null, y: null });
    }
  });

  it('finds the shading that several camera fields share', async () => {
    const um = 1;
    const seeds = [20, 21, 22, 23, 24];
    const pooled = async (factor: (x: number, y: number) => number) => {
      const fields = await Promise.all(seeds.map((seed) => qualityOf(shade(tissue(um, seed), factor), um)));
      return poolShading(fields.map(({ shading }) => shading!))!;
    };
    const r2 = (x: number, y: number) => ((x - usual / 2) ** 2 + (y - usual / 2) ** 2) / (usual / 2) ** 2;
    const shaded = await pooled((x, y) => Math.exp(-0.3 * r2(x, y)));
    // exp(0.6) - 1 between the middle and the corners
    expect(Math.abs(shaded.amplitude - 0.82)).toBeLessThan(2 * shaded.amplitudeError);
    expect(shaded.amplitude).toBeGreaterThan(3 * shaded.amplitudeError);
    const plain = await pooled(() => 1);
    expect(plain.amplitude).toBeLessThan(2 * plain.amplitudeError);
    expect(poolShading([shaded.shading, shaded.shading])).toBeNull();
  });
});
