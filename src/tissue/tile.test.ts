import { expect, test } from 'vitest';
import { slideModel } from './cohort.ts';
import { Photons } from './photons.ts';
import { type PresetName, presetOf } from './presets.ts';
import type { SlideModel } from './slide-model.ts';
import { type Tile, TileMaker } from './tile.ts';
import { TissueMap } from './tissue-map.ts';
import { blockUm, edgesOfBlock, type VesselEdge } from './vessel-graph.ts';

function modelOf(name: PresetName, sizePx = 512): SlideModel {
  return slideModel({ preset: presetOf(name), seed: 11, sizePx, particleNm: 20 }, 0);
}

test('the same tissue whatever the tiles: ids are equal, and the noise-free probe but for its far field', () => {
  const model = modelOf('standard');
  const whole = new TileMaker({ ...model, tilePx: 256 }).make(0, 0);
  const small = new TileMaker({ ...model, tilePx: 128 });
  let [error, norm] = [0, 0];
  for (const [tileX, tileY] of [
    [0, 0],
    [1, 1],
  ]) {
    const tile = small.make(tileX, tileY);
    for (let j = 0; j < 128; j++) {
      for (let i = 0; i < 128; i++) {
        const at = (tile.y + j) * 256 + tile.x + i;
        expect(tile.vessels[j * 128 + i]).toBe(whole.vessels[at]);
        error += (tile.expected[j * 128 + i] - whole.expected[at]) ** 2;
        norm += (whole.expected[at] - model.optics[2].offset) ** 2;
      }
    }
  }
  // Solved to 5e-4, on windows that end at different places.
  expect(Math.sqrt(error / norm)).toBeLessThan(5e-3);
});

test('the probe falls with the distance from vessels, unless it ignores them or is absent', () => {
  const contrast = (tile: Tile): number => {
    // Mean of the noise-free probe beside vessels over that far from them, in tissue.
    const sums = { near: [0, 0], far: [0, 0] };
    const { width, height } = tile;
    for (let at = 0; at < width * height; at++) {
      if (tile.vessels[at] > 0 || tile.nuclei[at] > 0) continue;
      const distance = distanceTo(tile, at, 40);
      const band = distance < 10 ? sums.near : distance > 40 ? sums.far : undefined;
      if (band === undefined || tile.expected[at] < 200) continue;
      band[0] += tile.expected[at] - 100;
      band[1]++;
    }
    return sums.near[0] / sums.near[1] / (sums.far[0] / sums.far[1]);
  };
  const of = (name: PresetName): number => contrast(new TileMaker(modelOf(name)).make(1, 1));
  expect(of('standard')).toBeGreaterThan(1.2);
  expect(Math.abs(of('vessel-blind') - 1)).toBeLessThan(0.15);
  expect(Math.abs(of('no-probe') - 1)).toBeLessThan(0.15);
});

test('ids stay exact in float32 at the far corner of the largest slide', () => {
  const tile = new TileMaker({ ...modelOf('paper', 37_888), tilePx: 128 }).make(150, 150);
  const top = (255 / 256) * 2 ** 24;
  // Ids grow along rows of cells: the last row has the share of the slide's height below this one in addition.
  const scale = 37_888 / (151 * 128);
  expect(Math.max(...tile.vessels) * scale).toBeLessThan(top);
  expect(Math.max(...tile.nuclei) * scale).toBeLessThan(top);
  expect(tile.vesselsSeen.length).toBeGreaterThan(0);
});

test('vessel ids fill float32 no further than it is exact at the bottom of the largest slide, and beyond it none is made', () => {
  const edgesAtTheBottom = (sizePx: number): VesselEdge[] => {
    // Round tissue, moved down to the edge: nothing else of a slide this large reaches it.
    const model = modelOf('paper', sizePx);
    const tissue = { ...model.tissue, centreYUm: sizePx * model.pixelSizeUm };
    const moved = { ...model, tissue };
    const map = new TissueMap(moved);
    const [bx, by] = [tissue.centreXUm, tissue.centreYUm].map((um) => Math.floor(um / blockUm));
    return Array.from({ length: 5 }, (_, i) => edgesOfBlock(moved, map, bx + i, by)).flat();
  };
  const ids = edgesAtTheBottom(38_000).map(({ id }) => id);
  expect(Math.max(...ids)).toBeGreaterThan(0.9 * 2 ** 24);
  expect(Math.max(...ids)).toBeLessThan(2 ** 24);
  expect(() => edgesAtTheBottom(40_000)).toThrow(/too large for the ids/);
});

test('photons have the mean and the variance of their number, and the skewness of few', () => {
  for (const mean of [0.3, 4, 11.9, 12.1, 60, 900]) {
    const photons = new Photons(5);
    const n = 60_000;
    const counts = Float64Array.from({ length: n }, () => photons.poisson(mean));
    const average = counts.reduce((a, b) => a + b, 0) / n;
    const moment = (power: number): number => counts.reduce((sum, c) => sum + (c - average) ** power, 0) / n;
    // Five standard errors; rounding to whole counts adds 1/12 to the variance of the upper branch.
    expect(Math.abs(average - mean)).toBeLessThan(5 * Math.sqrt(mean / n) + 0.01);
    expect(Math.abs(moment(2) / mean - 1)).toBeLessThan(0.05);
    expect(Math.abs(moment(3) / moment(2) ** 1.5 - 1 / Math.sqrt(mean))).toBeLessThan(0.08);
  }
});

/** Distance in pixels to the nearest vessel pixel of a tile, looked for within `reach`. */
function distanceTo({ vessels, width, height }: Tile, at: number, reach: number): number {
  const [x, y] = [at % width, Math.floor(at / width)];
  let nearest = Number.POSITIVE_INFINITY;
  for (let j = Math.max(0, y - reach); j <= Math.min(height - 1, y + reach); j += 2) {
    for (let i = Math.max(0, x - reach); i <= Math.min(width - 1, x + reach); i += 2) {
      if (vessels[j * width + i] > 0) nearest = Math.min(nearest, Math.hypot(i - x, j - y));
    }
  }
  return nearest;
}
