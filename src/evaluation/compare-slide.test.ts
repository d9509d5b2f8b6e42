import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DataError } from '../core/errors.ts';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { findComponents } from '../spatial/components.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { sumSpace } from '../spatial/space-sums.ts';
import { compareSlide } from './compare-slide.ts';
import { type MetricBlock, metricsOf } from './metric-block.ts';
import { spearman } from './metrics/spearman.ts';

type Expected = Record<
  'mse' | 'rmse' | 'mae' | 'bias' | 'r2' | 'psnr' | 'nrmse' | 'pearson' | 'icc' | 'ssim' | 'spearman',
  number
>;
const golden: {
  width: number;
  height: number;
  disk: { x: number; y: number; radius: number };
  cases: {
    name: string;
    peak: number;
    measured: string;
    predicted: string;
    ssimInside: number;
    regions: { all: Expected; disk: Expected };
  }[];
} = JSON.parse(readFileSync(new URL('../../fixtures/evaluation/metrics.json', import.meta.url), 'utf8'));
const { width, height, disk } = golden;

function slide(base64: string) {
  const bytes = Buffer.from(base64, 'base64');
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return memorySource({ raster: createRaster(1, height, width, data), channelNames: ['probe'] });
}

function maskWhere(inside: (x: number, y: number) => boolean): BitMask {
  return BitMask.fromBytes(
    Array.from({ length: width * height }, (_, i) => Number(inside(i % width, Math.floor(i / width)))),
    width,
    height,
  );
}

const everywhere = maskWhere(() => true);
const insideDisk = maskWhere((x, y) => Math.hypot(x - disk.x, y - disk.y) < disk.radius);
const names = [
  'mse',
  'rmse',
  'mae',
  'bias',
  'r2',
  'psnr',
  'nrmse',
  'pearson',
  'icc',
  'ssim',
  'spearman',
] as const;
const tolerance = 1e-9;

function expectClose(actual: MetricBlock, expected: Expected): void {
  for (const name of names) {
    const scale = Math.max(1, Math.abs(expected[name]));
    expect(Math.abs(actual[name] - expected[name]) / scale, name).toBeLessThan(tolerance);
  }
}

describe('compareSlide', () => {
  it.each(golden.cases)('equals scikit-image, scikit-learn and SciPy: $name', async (c) => {
    const input = {
      measured: slide(c.measured),
      measuredChannel: 0,
      predicted: slide(c.predicted),
      predictedChannel: 0,
      vessels: new BitMask(width, height),
      pixelSizeUm: 1,
      dataRange: c.peak,
    };
    const all = await compareSlide({ ...input, tissue: everywhere });
    expectClose(metricsOf(all.pooled, c.peak), c.regions.all);
    expectClose(metricsOf(all.extravascular, c.peak), c.regions.all);
    const part = await compareSlide({ ...input, tissue: insideDisk });
    expectClose(metricsOf(part.pooled, c.peak), c.regions.disk);
    const middle = maskWhere((x, y) => x >= 5 && y >= 5 && x < width - 5 && y < height - 5);
    const inside = await compareSlide({ ...input, tissue: middle });
    expect(Math.abs(metricsOf(inside.pooled, c.peak).ssim - c.ssimInside)).toBeLessThan(tolerance);
    const banded = await compareSlide({ ...input, tissue: insideDisk, bandRows: 3 });
    expect(banded).toEqual(part);
  });

  it('counts as extravascular what is more than 3 um from the wall of a vessel, as analyze does', async () => {
    const vessels = maskWhere((x) => x === 0);
    const c = golden.cases[0];
    const shared = { vessels, tissue: everywhere, pixelSizeUm: 0.8 };
    const { extravascular } = await compareSlide({
      ...shared,
      measured: slide(c.measured),
      measuredChannel: 0,
      predicted: slide(c.predicted),
      predictedChannel: 0,
      dataRange: 255,
    });
    // The centre of pixel 4 is 3.2 um from that of pixel 0, and 2.8 um from its edge.
    expect(extravascular.moments.count).toBe((width - 5) * height);
    const { cells } = await sumSpace({
      ...shared,
      probes: [{ source: slide(c.measured), channel: 0 }],
      solid: everywhere,
      objects: findComponents(vessels, 8),
      ...{ blockUm: 20, cellUm: 5, beyondUm: 3, aroundUm: 50 },
    });
    expect(cells.pixels.reduce((sum, n) => sum + n, 0)).toBe(extravascular.moments.count);
  });

  it('ranks pixels of all slides alike, however many of each were sampled', async () => {
    const rng = new Rng(4);
    const part = (n: number, weight: number) => ({
      measured: Float32Array.from({ length: n }, () => rng.integer(9)),
      predicted: Float32Array.from({ length: n }, () => rng.integer(9)),
      weight,
    });
    const [often, once] = [part(40, 4), part(70, 1)];
    const one = { ...often, weight: 1 };
    expect(spearman([often, once])).toBeCloseTo(spearman([one, once, one, one, one]), 12);
    // A little more than a million pixels: every second in each direction speaks for four.
    const [wide, tall] = [1024, 1040];
    const raster = createRaster(1, tall, wide);
    raster.data.forEach((_, i) => {
      raster.data[i] = i % 1009;
    });
    const source = memorySource({ raster, channelNames: ['probe'] });
    const { pooled } = await compareSlide({
      ...{ measured: source, measuredChannel: 0, predicted: source, predictedChannel: 0 },
      ...{ tissue: new BitMask(wide, tall).inverted(), vessels: new BitMask(wide, tall) },
      ...{ pixelSizeUm: 1, dataRange: 1 },
    });
    const spokenFor = pooled.sampled.reduce((sum, { measured, weight }) => sum + weight * measured.length, 0);
    expect(spokenFor).toBe(wide * tall);
  });

  it('says what is undefined on a constant target, on no pixels, and for a perfect prediction', async () => {
    const constant = memorySource({
      raster: createRaster(1, 1, 3, Float32Array.of(0.1, 0.1, 0.1)),
      channelNames: ['p'],
    });
    const other = memorySource({
      raster: createRaster(1, 1, 3, Float32Array.of(1, 2, Number.NaN)),
      channelNames: ['p'],
    });
    const base = {
      measuredChannel: 0,
      predictedChannel: 0,
      pixelSizeUm: 1,
      dataRange: 255,
      vessels: new BitMask(3, 1),
      tissue: BitMask.fromBytes([1, 1, 1], 3, 1),
    };
    const flat = metricsOf(
      (await compareSlide({ ...base, measured: constant, predicted: other })).pooled,
      255,
    );
    expect([flat.pixels, flat.pixelsNotFinite, flat.r2, flat.pearson]).toEqual([
      2,
      1,
      Number.NaN,
      Number.NaN,
    ]);
    expect(flat.undefinedBecause.r2).toMatch(/every measured value is 0\.1/);
    expect(flat.undefinedBecause.ssim).toMatch(/the window around every pixel holds one that is not finite/);
    expect(JSON.parse(JSON.stringify(flat)).r2).toBeNull();
    const perfect = metricsOf(
      (await compareSlide({ ...base, measured: other, predicted: other })).pooled,
      255,
    );
    expect([perfect.r2, perfect.icc, perfect.psnr]).toEqual([1, 1, Infinity]);
    expect(perfect.undefinedBecause.psnr).toMatch(/exact/);
    const level = metricsOf(
      (await compareSlide({ ...base, measured: constant, predicted: constant })).pooled,
      255,
    );
    expect([level.undefinedBecause.psnr, level.undefinedBecause.r2]).toEqual([
      expect.stringMatching(/exact/),
      expect.stringMatching(/every measured value is 0\.1/),
    ]);
    const nothing = metricsOf(
      (await compareSlide({ ...base, tissue: new BitMask(3, 1), measured: other, predicted: other })).pooled,
      255,
    );
    expect([nothing.pixels, nothing.mse]).toEqual([0, Number.NaN]);
  });

  it('refuses slides of different size', async () => {
    const small = memorySource({ raster: createRaster(1, 2, 2), channelNames: ['p'] });
    const large = memorySource({ raster: createRaster(1, 3, 2), channelNames: ['p'] });
    const input = {
      measured: small,
      measuredChannel: 0,
      predicted: large,
      predictedChannel: 0,
      vessels: new BitMask(2, 2),
      tissue: new BitMask(2, 2),
      pixelSizeUm: 1,
      dataRange: 255,
    };
    await expect(compareSlide(input)).rejects.toThrow(DataError);
  });
});
