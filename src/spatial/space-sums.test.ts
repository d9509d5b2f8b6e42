import { describe, expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { BitMask } from './bit-mask.ts';
import { findComponents } from './components.ts';
import { addBlocks, areaShares, extravasationOf } from './extravasation.ts';
import { memorySource } from './memory-source.ts';
import { sumSpace } from './space-sums.ts';

const [width, height] = [70, 50];

function input(bandRows?: number) {
  const rng = new Rng(3);
  const raster = createRaster(
    1,
    height,
    width,
    Float32Array.from({ length: width * height }, () => rng.uniform(0, 9)),
  );
  const vessels = BitMask.fromBytes(
    Array.from({ length: width * height }, () => Number(rng.uniform() < 0.01)),
    width,
    height,
  );
  return {
    probes: [{ source: memorySource({ raster, channelNames: ['probe'] }), channel: 0 }],
    tissue: new BitMask(width, height).inverted(),
    solid: new BitMask(width, height).inverted(),
    vessels,
    objects: findComponents(vessels, 8),
    ...{ pixelSizeUm: 1, blockUm: 20, cellUm: 5, beyondUm: 0, aroundUm: 50, bandRows },
  };
}

describe('sumSpace', () => {
  it('gives the same bits whatever the size of bands', async () => {
    const whole = await sumSpace(input());
    for (const rows of [1, 7, 49]) expect(await sumSpace(input(rows))).toEqual(whole);
  });

  it('measures profile and cells away from glass only, areas and vessels everywhere', async () => {
    const all = await sumSpace(input());
    const solid = new BitMask(width, height);
    for (let y = 0; y < height; y++) solid.fillRun(y, 0, 30, true);
    const some = await sumSpace({ ...input(), solid });
    expect(some.areas).toEqual(all.areas);
    expect(some.vessels[0].inside).toEqual(all.vessels[0].inside);
    for (const [i, { pixels, border }] of some.blocks.entries()) {
      // Blocks of 20 px: the first in solid tissue, the second half of it, the others not.
      const column = i % some.blocksWide;
      if (column === 0) expect(pixels).toEqual(all.blocks[i].pixels);
      if (column > 1) expect([...pixels, ...border].every((n) => n === 0)).toBe(true);
    }
    expect(some.cells.pixels.filter((_, i) => i % some.cells.wide >= 6).every((n) => n === 0)).toBe(true);
  });

  it('counts every pixel of tissue once', async () => {
    const { areas, tissuePixels, cells, vessels } = await sumSpace(input());
    const parts = (['vessel', '0-10 um', '10-25 um', '25-50 um', 'rest'] as const).map(
      (name) => areas[name].pixels,
    );
    expect(parts.reduce((sum, n) => sum + n, 0)).toBe(width * height);
    expect(tissuePixels).toBe(width * height);
    expect(cells.pixels.reduce((sum, n) => sum + n, 0)).toBe(width * height - areas.vessel.pixels);
    expect(vessels[0].aroundPixels.reduce((sum, n) => sum + n, 0)).toBe(width * height - areas.vessel.pixels);
  });

  it('gives an even probe the distances of an even spread, above a known background', async () => {
    const vessels = new BitMask(400, 51);
    for (let x = 0; x < 400; x++) vessels.set(x, 25, true);
    const raster = createRaster(1, 51, 400);
    raster.data.fill(4);
    const sums = addBlocks(
      (
        await sumSpace({
          ...input(),
          probes: [{ source: memorySource({ raster, channelNames: ['probe'] }), channel: 0 }],
          tissue: new BitMask(400, 51).inverted(),
          solid: new BitMask(400, 51).inverted(),
          vessels,
          objects: findComponents(vessels, 8),
        })
      ).blocks,
    );
    const found = extravasationOf(sums, 0, () => 1);
    expect(found.meanUm).toBeCloseTo(found.uniformMeanUm, 12);
    expect(found.meanSignal).toBeCloseTo(3, 12);
    expect(areaShares(sums).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  });
});
