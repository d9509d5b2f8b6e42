import { expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { derivedInputs, deriveInput } from './derived-input.ts';

it('an image made of vessels is unknown where the stain is, and nowhere else', async () => {
  const [width, height] = [90, 1100];
  const rng = new Rng(1);
  const raster = createRaster(1, height, width);
  for (let i = 0; i < raster.data.length; i++) raster.data[i] = 20 + rng.normal(0, 1);
  for (let y = 0; y < height; y++) raster.data.fill(200, y * width + 40, y * width + 46);
  for (let y = 600; y < 610; y++) raster.data.fill(Number.NaN, y * width + 70, y * width + 80);
  const slide = {
    source: memorySource({ raster, channelNames: ['CD31'], pixelSizeUm: 0.5 }),
    channel: 0,
    pixelSizeUm: 0.5,
    tissue: new BitMask(width, height).inverted(),
  };
  const region = { x: 20, y: 10, width: 65, height: 1050 };
  const [{ name }] = slide.source.channels;
  const double = {
    ...slide.source,
    read: slide.source.read,
    channels: [{ name, sampleType: 'float64' as const }],
  };
  for (const [kind, source] of derivedInputs.flatMap(
    (of) =>
      [
        [of, slide.source],
        [of, double],
      ] as const,
  )) {
    const { data } = await (await deriveInput(kind, { ...slide, source })).read(region, [0]);
    expect(data.filter(Number.isNaN).length).toBe(100);
    expect(data[(605 - region.y) * region.width + 75 - region.x]).toBeNaN();
    // 20 px to the right of the vessel, in rows that are computed apart.
    for (const y of [100, 900]) {
      const far = data[(y - region.y) * region.width + 65 - region.x];
      // The segmentation's edge may be a pixel off.
      expect(Math.abs(far - (kind === 'vessel mask' ? 0 : 10))).toBeLessThanOrEqual(0.5);
    }
  }
});
