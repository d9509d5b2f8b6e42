import { describe, expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { needsResampling, resampledSource } from './resampled-source.ts';

const width = 60;
const height = 41;

/** Value at pixel centre in pixel units: 3 x + 5 y. */
function ramp() {
  const raster = createRaster(1, height, width);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) raster.data[y * width + x] = 3 * x + 5 * y;
  return memorySource({ raster, channelNames: ['a'], pixelSizeUm: 0.5 });
}

describe('resampledSource', () => {
  it.each([0.65, 0.31, 1])('keeps a linear ramp at its place in micrometres (to %d um)', async (um) => {
    const source = resampledSource(ramp(), 0.5, um);
    const { data } = await source.read({ x: 0, y: 0, width: source.width, height: source.height }, [0]);
    const step = um / 0.5;
    expect(source.width).toBe(Math.round(width / step));
    for (let y = 4; y < source.height - 4; y++) {
      for (let x = 4; x < source.width - 4; x++) {
        const expected = 3 * ((x + 0.5) * step - 0.5) + 5 * ((y + 0.5) * step - 0.5);
        expect(Math.abs(data[y * source.width + x] - expected)).toBeLessThan(1e-3); // float32 of up to 400
      }
    }
  });

  it('leaves what is the same everywhere as it is, so that overexposure can be counted', async () => {
    const raster = createRaster(1, height, width);
    raster.data.fill(255);
    const flat = memorySource({ raster, channelNames: ['a'], pixelSizeUm: 0.3225 });
    for (const um of [0.25, 0.325, 0.4, 0.5, 0.6]) {
      const source = resampledSource(flat, 0.3225, um);
      const { data } = await source.read({ x: 0, y: 0, width: source.width, height: source.height }, [0]);
      expect(data.every((value) => value === 255)).toBe(true);
    }
  });

  it('gives the same values for any region as for the whole', async () => {
    const source = resampledSource(ramp(), 0.5, 0.7);
    const whole = await source.read({ x: 0, y: 0, width: source.width, height: source.height }, [0]);
    for (const region of [
      { x: 0, y: 0, width: 1, height: 1 },
      { x: source.width - 3, y: source.height - 2, width: 3, height: 2 },
      { x: 7, y: 5, width: 20, height: 11 },
    ]) {
      const part = await source.read(region, [0]);
      for (let y = 0; y < region.height; y++) {
        for (let x = 0; x < region.width; x++) {
          expect(part.data[y * region.width + x]).toBe(
            whole.data[(region.y + y) * source.width + region.x + x],
          );
        }
      }
    }
  });

  it('reads a slide of one pixel', async () => {
    const one = memorySource({ raster: createRaster(1, 1, 1, Float32Array.of(7)), channelNames: ['a'] });
    const source = resampledSource(one, 0.5, 0.8);
    expect([...(await source.read({ x: 0, y: 0, width: 1, height: 1 }, [0])).data]).toEqual([7]);
  });
});

describe('needsResampling', () => {
  it('takes sizes within 1% as the same and refuses more than a factor of 2', () => {
    expect(needsResampling('s', 0.6897, 0.69)).toBe(false);
    expect(needsResampling('s', 0.5, 0.52)).toBe(true);
    expect(needsResampling('s', 0.325, 0.65)).toBe(true);
    expect(() => needsResampling('s', 0.25, 0.65)).toThrow(/0\.25 um, but 0\.65 um are needed: more than/);
    expect(() => needsResampling('s', 2, 0.65)).toThrow(/factor of 2/);
  });
});
