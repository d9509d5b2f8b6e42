import { expect, it } from 'vitest';
import { channelOf, createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { smooth } from '../spatial/gaussian.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { refocus, refocusedSource } from './refocus.ts';

it.each([2.25, 0.64, -0.64, 0.05, -0.05])(
  'changes the variance of a point spread by %d square pixels and its sum not at all',
  (change) => {
    const edge = 33;
    const at = (edge * edge - 1) / 2;
    const point = new Float32Array(edge * edge);
    point[at] = 1;
    const spread = Float32Array.from(smooth(point, edge, edge, 1.5));
    const sums = (): [number, number] => {
      let [sum, squares] = [0, 0];
      for (const [i, v] of spread.entries()) {
        sum += v;
        squares += v * ((i % edge) - 16) ** 2;
      }
      return [sum, squares / sum];
    };
    const [, before] = sums();
    refocus(spread, edge, edge, change);
    const [sum, after] = sums();
    expect(sum).toBeCloseTo(1, 5);
    expect(after - before).toBeCloseTo(change, 2);
  },
);

it('refocuses a slide region by region as whole, its other channels not, and keeps missing pixels to themselves', async () => {
  const [width, height] = [61, 47];
  const raster = createRaster(3, height, width);
  const rng = new Rng(3);
  for (let i = 0; i < raster.data.length; i++) raster.data[i] = rng.uniform(0, 100);
  const missing = 20 * width + 30;
  channelOf(raster, 0)[missing] = Number.NaN;
  const source = refocusedSource(
    memorySource({ raster, channelNames: ['v', 'n', 'p'] }),
    [0, 1],
    [0.8, -0.2],
    [50, 50],
  );
  const all = await source.read({ x: 0, y: 0, width, height }, [2, 1, 0]);
  expect(channelOf(all, 0)).toEqual(channelOf(raster, 2));
  const nuclei = Float32Array.from(channelOf(raster, 1));
  refocus(nuclei, width, height, -0.2);
  expect(channelOf(all, 1)).toEqual(nuclei);
  const vessel = channelOf(all, 2);
  expect([...vessel.keys()].filter((i) => Number.isNaN(vessel[i]))).toEqual([missing]);
  for (const region of [
    { x: 0, y: 0, width: 9, height: 9 },
    { x: 50, y: 40, width: 11, height: 7 },
    { x: 3, y: 30, width: 17, height: 1 },
    { x: 29, y: 18, width: 2, height: 2 },
  ]) {
    const part = await source.read(region, [1, 0]);
    for (const [c, whole] of [nuclei, vessel].entries()) {
      for (const [i, value] of channelOf(part, c).entries()) {
        const at = (region.y + Math.floor(i / region.width)) * width + region.x + (i % region.width);
        if (at !== missing) expect(value).toBeCloseTo(whole[at], 4);
      }
    }
  }
});
