import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createRaster, cropRaster, pasteRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { ScratchRaster } from './scratch-raster.ts';

it('ScratchRaster gives back what was written, 0 elsewhere, and leaves no file', async () => {
  const [width, height] = [37, 21];
  const rng = new Rng(2);
  const scratch = await ScratchRaster.create(2, height, width);
  const held = createRaster(2, height, width);
  for (const [x, y, w, h] of [
    [0, 0, width, 4],
    [5, 3, 11, 9],
    [30, 14, 7, 7],
  ]) {
    const part = createRaster(
      2,
      h,
      w,
      Float32Array.from({ length: 2 * w * h }, () => rng.normal()),
    );
    await scratch.write(x, y, part);
    pasteRaster(held, part, x, y);
  }
  const source = scratch.source(['probe', 'lower'], 0.5);
  expect(await source.read({ x: 0, y: 0, width, height }, [0, 1])).toEqual(held);
  const region = { x: 3, y: 2, width: 20, height: 15 };
  const [swapped, part] = [await source.read(region, [1, 0]), cropRaster(held, region)];
  expect([...swapped.data]).toEqual([...part.data.subarray(300), ...part.data.subarray(0, 300)]);
  await scratch.remove();
  expect(existsSync(source.path)).toBe(false);
});
