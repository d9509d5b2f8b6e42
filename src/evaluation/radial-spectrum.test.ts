import { describe, expect, it } from 'vitest';
import { createRaster, type Region } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { PlaneFft } from '../spatial/fft.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { radialSpectrum } from './radial-spectrum.ts';

const size = 128;
const slide = (of: (x: number, y: number) => number) =>
  memorySource({
    raster: createRaster(
      1,
      size,
      size,
      Float32Array.from({ length: size * size }, (_, i) => of(i % size, Math.floor(i / size))),
    ),
    channelNames: ['p'],
  });

describe('radialSpectrum', () => {
  it('finds a wave at its frequency, and the power of white noise everywhere', async () => {
    const rng = new Rng(1);
    const found = await radialSpectrum({
      measured: slide((x) => 10 * Math.cos((2 * Math.PI * x) / 8)),
      measuredChannel: 0,
      predicted: slide(() => rng.normal(0, 3)),
      predictedChannel: 0,
      tissue: new BitMask(size, size).inverted(),
      pixelSizeUm: 0.5,
    });
    const peak = found.measured.indexOf(Math.max(...found.measured));
    expect(found.frequency[peak]).toBeCloseTo(1 / 4, 9);
    const n = found.windowPx;
    const white = found.predicted.slice(4).reduce((sum, v) => sum + v, 0) / (found.predicted.length - 4);
    expect((white * n * n) / 9).toBeGreaterThan(0.9);
    expect((white * n * n) / 9).toBeLessThan(1.1);
  });

  it('looks at windows of all parts of a large slide', async () => {
    const edge = 8192;
    const places: { x: number; y: number }[] = [];
    const blank = createRaster(1, 256, 256);
    const source = {
      ...memorySource({ raster: createRaster(1, 1, 1), channelNames: ['p'] }),
      read: async (region: Region) => {
        places.push(region);
        return blank;
      },
    };
    const found = await radialSpectrum({
      ...{ measured: source, measuredChannel: 0, predicted: source, predictedChannel: 0 },
      ...{ tissue: new BitMask(edge, edge).inverted(), pixelSizeUm: 1 },
    });
    expect(found.windows).toBe(64);
    const quarters = new Set(
      places.map(({ x, y }) => `${Math.floor((4 * x) / edge)},${Math.floor((4 * y) / edge)}`),
    );
    expect(quarters.size).toBeGreaterThanOrEqual(12);
    expect(new Set(places.map(({ x }) => x)).size).toBeGreaterThan(20);
  });

  it('has no window without tissue', async () => {
    const s = slide(() => 1);
    const found = await radialSpectrum({
      ...{ measured: s, measuredChannel: 0, predicted: s, predictedChannel: 0 },
      ...{ tissue: new BitMask(size, size), pixelSizeUm: 1 },
    });
    expect(found.windows).toBe(0);
  });
});

describe('PlaneFft', () => {
  it('is the sum that defines it', () => {
    const rng = new Rng(2);
    const [w, h] = [8, 4];
    const re = Float64Array.from({ length: w * h }, () => rng.normal());
    const im = Float64Array.from({ length: w * h }, () => rng.normal());
    const [a, b] = [re.slice(), im.slice()];
    new PlaneFft(w, h).run(a, b);
    for (let v = 0; v < h; v++)
      for (let u = 0; u < w; u++) {
        let [sumRe, sumIm] = [0, 0];
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++) {
            const t = -2 * Math.PI * ((u * x) / w + (v * y) / h);
            sumRe += re[y * w + x] * Math.cos(t) - im[y * w + x] * Math.sin(t);
            sumIm += re[y * w + x] * Math.sin(t) + im[y * w + x] * Math.cos(t);
          }
        expect(Math.hypot(a[v * w + u] - sumRe, b[v * w + u] - sumIm)).toBeLessThan(1e-12);
      }
  });
});
