import { expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { BitMask } from './bit-mask.ts';
import { memorySource } from './memory-source.ts';
import { segmentNuclei } from './segment-nuclei.ts';

it('counts a nucleus once, however large the flat top that the camera cut off', async () => {
  const [size, pixelSizeUm] = [260, 0.5];
  for (const radiusUm of [6, 9, 12, 16, 20]) {
    const raster = createRaster(1, size, size);
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const isFlat = Math.hypot(x - 150, y - 150) * pixelSizeUm < radiusUm;
        const ordinary = 180 * Math.exp(-((x - 40) ** 2 + (y - 40) ** 2) / 60);
        raster.data[y * size + x] = isFlat ? 255 : ordinary;
      }
    const source = memorySource({ raster, channelNames: ['DAPI'], pixelSizeUm });
    const tissue = new BitMask(size, size).inverted();
    const { xs } = await segmentNuclei({ source, channel: 0, pixelSizeUm, tissue });
    // Wider than a nucleus and its window, a plateau has several; they keep their distance.
    expect(xs.length - 1, `${radiusUm}`).toBeLessThanOrEqual(Math.max(1, (radiusUm / 3) ** 2));
    expect(xs.length, `${radiusUm}`).toBeGreaterThan(1);
  }
});
