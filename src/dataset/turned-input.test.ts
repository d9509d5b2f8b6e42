import { expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { memorySource } from '../spatial/memory-source.ts';
import type { Dataset } from './open-dataset.ts';
import { withTurnedInput } from './turned-input.ts';

it('turns one input by half a turn, whatever part is read, and leaves the others', async () => {
  const [width, height] = [7, 5];
  const raster = createRaster(3, height, width);
  raster.data.forEach((_, i, data) => {
    data[i] = i;
  });
  const source = memorySource({ raster, channelNames: ['n', 'v', 'p'] });
  const dataset = {
    manifest: { inputRoles: ['vessel', 'nuclei'] },
    slides: [{ source, inputChannels: [1, 0], targetChannel: 2 }],
  } as unknown as Dataset;
  const [slide] = withTurnedInput(dataset, 'nuclei').slides;
  const part = await slide.source.read({ x: 1, y: 2, width: 3, height: 2 }, [1, 0, 2]);
  const plane = width * height;
  const expected = [2, 3].flatMap((y) => [1, 2, 3].map((x) => y * width + x));
  expect([...part.data.subarray(0, 6)]).toEqual(expected.map((i) => i + plane));
  expect([...part.data.subarray(6, 12)]).toEqual(expected.map((i) => plane - 1 - i));
  expect([...part.data.subarray(12)]).toEqual(expected.map((i) => i + 2 * plane));
});
