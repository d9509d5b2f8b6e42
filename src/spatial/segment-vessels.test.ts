import { describe, expect, it } from 'vitest';
import type { PixelSource } from '../core/pixel-source.ts';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { BitMask } from './bit-mask.ts';
import { memorySource } from './memory-source.ts';
import { hiddenShare, segmentVessels, type VesselInput } from './segment-vessels.ts';

const width = 220;
const height = 180;
const pixelSizeUm = 0.7;

/** Horizontal vessels 7 px wide on a background that rises to the right, with noise; blurred by one pixel. */
function drawn(brightness: number[], gain = 1, offset = 0) {
  const rng = new Rng(5);
  const raster = createRaster(1, height, width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const vessel = brightness.findIndex((_, i) => Math.abs(y - 30 * (i + 1)) <= 3);
      const inside = vessel >= 0 && x >= 30 && x < 190 ? brightness[vessel] : 0;
      raster.data[y * width + x] = offset + gain * (8 + x / 20 + inside + rng.normal(0, 1.5));
    }
  return memorySource({ raster, channelNames: ['CD31'], pixelSizeUm });
}

/** With all of it tissue. */
const segment = (source: PixelSource, more: Partial<VesselInput> = {}) =>
  segmentVessels({
    source,
    channel: 0,
    pixelSizeUm,
    tissue: new BitMask(source.width, source.height).inverted(),
    ...more,
  });

describe('segmentVessels', () => {
  it('finds bright and faint vessels at their width, on a sloping background', async () => {
    const { mask } = await segment(drawn([60, 45, 60, 35, 90]));
    for (let i = 1; i <= 5; i++) {
      let rows = 0;
      for (let y = 30 * i - 10; y <= 30 * i + 10; y++) if (mask.get(110, y)) rows++;
      expect(Math.abs(rows - 7)).toBeLessThanOrEqual(2);
    }
    expect(mask.get(110, 15)).toBe(false);
    expect(mask.get(5, 30)).toBe(false);
  });

  it('finds the same vessels where the background was cut off, and says when no noise is left to be seen', async () => {
    const brightness = [60, 45, 60, 35, 90];
    const whole = (await segment(drawn(brightness))).mask.count();
    const shares: number[] = [];
    // Background of 8 to 19, noise of 1.5.
    for (const cut of [0, 6, 8, 10, 14, 16, 25, 30]) {
      const raster = await drawn(brightness, 1, -cut).read({ x: 0, y: 0, width, height }, [0]);
      raster.data.forEach((value, i) => {
        raster.data[i] = Math.max(0, value);
      });
      const { mask, found } = await segment(memorySource({ raster, channelNames: ['CD31'], pixelSizeUm }));
      const isHidden = found.lowestShare >= hiddenShare;
      expect(Number.isNaN(found.noise), `${cut}`).toBe(isHidden);
      expect(Math.abs(mask.count() / whole - 1), `${cut}`).toBeLessThan(isHidden ? 0.2 : 0.01);
      shares.push(found.lowestShare);
    }
    expect(shares[0]).toBeLessThan(0.001);
    expect(shares.at(-1)).toBeGreaterThan(hiddenShare);
  });

  it('does not depend on the band size, nor on gain and offset of the stain', async () => {
    const reference = await segment(drawn([60, 25, 60]));
    const banded = await segment(drawn([60, 25, 60]), { bandRows: 23 });
    expect(banded.mask.toBytes()).toEqual(reference.mask.toBytes());
    // Powers of two, so that scaling is exact.
    const scaled = await segment(drawn([60, 25, 60], 256, 1024));
    const expected = reference.mask.toBytes();
    const differing = scaled.mask.toBytes().filter((v, i) => v !== expected[i]).length;
    expect(differing).toBeLessThan(5);
  });

  it('finds the same vessels whatever glass lies beside the tissue', async () => {
    const brightness = [60, 45, 60, 35, 90];
    const alone = drawn(brightness);
    const tissueRaster = await alone.read({ x: 0, y: 0, width, height }, [0]);
    const rng = new Rng(6);
    const wide = createRaster(1, height, 3 * width);
    const tissue = new BitMask(3 * width, height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < 2 * width; x++) wide.data[y * 3 * width + x] = 5 + rng.normal(0, 0.1);
      wide.data.set(tissueRaster.data.subarray(y * width, (y + 1) * width), (3 * y + 2) * width);
      tissue.fillRun(y, 2 * width, 3 * width, true);
    }
    const source = memorySource({ raster: wide, channelNames: ['CD31'], pixelSizeUm });
    const beside = await segment(source, { tissue });
    const expected = (await segment(alone)).mask.count();
    expect(Math.abs(beside.mask.count() - expected) / expected).toBeLessThan(0.02);
  });

  it('sees nothing beside missing pixels that is not there with them', async () => {
    const whole = await drawn([60, 45], 1, 100).read({ x: 0, y: 0, width, height }, [0]);
    const missing = 80;
    const raster = createRaster(1, height, width, whole.data.slice());
    for (let y = 0; y < height; y++) raster.data.fill(Number.NaN, y * width, y * width + missing);
    const { mask } = await segment(memorySource({ raster, channelNames: ['CD31'], pixelSizeUm }));
    const { mask: expected } = await segment(drawn([60, 45], 1, 100));
    let different = 0;
    for (let y = 0; y < height; y++)
      for (let x = missing; x < width; x++) different += Number(mask.get(x, y) !== expected.get(x, y));
    expect(different / expected.count()).toBeLessThan(0.03);
  });

  it('finds nothing in noise, and in a constant channel', async () => {
    expect((await segment(drawn([]))).mask.count() / (width * height)).toBeLessThan(0.002);
    const flat = memorySource({
      raster: createRaster(1, 4, 5, new Float32Array(20).fill(7)),
      channelNames: ['CD31'],
    });
    const { mask, found } = await segment(flat);
    expect([mask.count(), found.threshold]).toEqual([0, Infinity]);
  });
});
