import { expect, test } from 'vitest';
import { slideModel } from './cohort.ts';
import { averaged, type Grid } from './grid.ts';
import { leakageOf } from './leakage.ts';
import { presetOf } from './presets.ts';
import { makeScene, tissueLevel } from './scene.ts';
import type { SlideModel } from './slide-model.ts';
import { outOfPlane } from './sources.ts';
import { TissueMap } from './tissue-map.ts';
import { type Medium, solveNested, solveTransport } from './transport.ts';
import { VesselNetwork } from './vessel-path.ts';

const model: SlideModel = {
  ...slideModel({ preset: presetOf('hard'), seed: 3, sizePx: 2048, particleNm: 20 }, 0),
  tilePx: 256,
};
const open: Grid = { fromX: 256, fromY: 256, spacing: 4, width: 128, height: 128 };

function world(own: SlideModel, wide: Grid, fine: Grid, drawnUm: number) {
  const map = new TissueMap(own);
  const network = new VesselNetwork(own, map);
  const pieces = (g: Grid) =>
    network.piecesIn(g.fromX, g.fromY, g.fromX + g.width * g.spacing, g.fromY + g.height * g.spacing);
  const leakages = new Map(pieces(wide).map(({ vessel }) => [vessel.id, leakageOf(own, vessel)]));
  const level = tissueLevel(map, wide);
  const scene = (g: Grid) => makeScene(own, map, level, g, pieces(g), leakages);
  // As in tiles: the scene is drawn at twice the resolution of the transport.
  const detail = scene({ ...fine, spacing: drawnUm, width: edgeUm / drawnUm, height: edgeUm / drawnUm });
  return {
    model: own,
    wide: { grid: wide, open: scene(wide).open },
    fine: { grid: fine, open: averaged(detail.grid, detail.open, fine) },
    widePieces: pieces(wide),
    finePieces: pieces(fine),
    leakages,
    outOfPlane: outOfPlane(own, map, wide),
  };
}

const wide: Grid = { fromX: 396, fromY: 396, spacing: 4, width: 80, height: 80 };
/** Edge of the detailed window, um. */
const edgeUm = 96;
const middle = (spacing: number): Grid => ({
  fromX: 508,
  fromY: 508,
  spacing,
  width: edgeUm / spacing,
  height: edgeUm / spacing,
});

/** Norm of the difference relative to the norm. */
function difference(a: Float32Array, b: Float32Array): number {
  let [sum, norm] = [0, 0];
  for (let at = 0; at < a.length; at++) {
    sum += (a[at] - b[at]) ** 2;
    norm += b[at] ** 2;
  }
  return Math.sqrt(sum / norm);
}

test('the nested grids reproduce a cylinder in free tissue', () => {
  const lambda = 30;
  const fineGrid: Grid = { fromX: 512 - 96, fromY: 512 - 96, spacing: 1, width: 192, height: 192 };
  const free = (grid: Grid): Medium => ({
    grid,
    open: new Float32Array(grid.width * grid.height).fill(1),
  });
  // A source of 200 um2 spread over a disc of radius 5 um, the same on both grids.
  const disc = (grid: Grid): Float32Array => {
    const source = new Float32Array(grid.width * grid.height);
    for (let at = 0; at < source.length; at++) {
      let inside = 0;
      for (let s = 0; s < 100; s++) {
        const x = grid.fromX + ((at % grid.width) + ((s % 10) + 0.5) / 10) * grid.spacing;
        const y = grid.fromY + (Math.floor(at / grid.width) + (Math.floor(s / 10) + 0.5) / 10) * grid.spacing;
        if (Math.hypot(x - 512, y - 512) < 5) inside++;
      }
      source[at] = (inside / 100) * (200 / (Math.PI * 25));
    }
    return source;
  };
  const u = solveNested(free(open), free(fineGrid), lambda, disc(open), disc(fineGrid));
  // 200 / (2 pi lambda^2) K0(r / lambda), times 2 I1(a) / a for the disc.
  const a = 5 / lambda;
  const form = 1 + a ** 2 / 8;
  for (const [r, k0] of [
    [15, 0.92442],
    [30, 0.42102],
    [60, 0.113894],
  ]) {
    const exact = ((200 * form) / (2 * Math.PI * lambda ** 2)) * k0;
    const at = 96 * 192 + 96 + r;
    const here = 0.25 * (u[at] + u[at - 1] + u[at - 192] + u[at - 193]);
    expect(Math.abs(here / exact - 1)).toBeLessThan(0.01);
  }
});

test('half the grid spacing changes the field by less than 1 %', () => {
  const coarse = solveTransport(world(model, wide, middle(1), 0.25));
  const fine = solveTransport(world(model, wide, middle(0.5), 0.25));
  const onCoarse = averaged(middle(0.5), fine.drawn, middle(1));
  expect(difference(coarse.drawn, onCoarse)).toBeLessThan(0.01);
});

test('the mean over draws of what is hidden is the field of the mean factors', () => {
  const input = world(model, wide, middle(2), 1);
  const { expected } = solveTransport(input);
  const mean = new Float32Array(expected.length);
  const draws = 64;
  const spread = new Float32Array(expected.length);
  for (let n = 0; n < draws; n++) {
    // The animal's lambda is drawn too: quantiles of its distribution in a scrambled order.
    const z = normalQuantile((((n * 37) % draws) + 0.5) / draws);
    const own: SlideModel = {
      ...model,
      hiddenSeed: 1000 + n,
      transport: {
        ...model.transport,
        lambdaUm: model.transport.lambdaMedianUm * Math.exp(z * model.transport.lambdaSigma),
        lambdaSigma: 0,
      },
    };
    const leakages = new Map(input.widePieces.map(({ vessel }) => [vessel.id, leakageOf(own, vessel)]));
    const { drawn } = solveTransport({
      ...input,
      model: own,
      leakages,
      outOfPlane: outOfPlane(own, new TissueMap(own), wide),
    });
    for (let at = 0; at < mean.length; at++) {
      mean[at] += drawn[at] / draws;
      spread[at] += drawn[at] ** 2 / draws;
    }
  }
  // The mean of n draws misses by the spread over the root of n, in every cell; on average not more.
  let [missed, allowed] = [0, 0];
  for (let at = 0; at < mean.length; at++) {
    missed += (mean[at] - expected[at]) ** 2;
    allowed += Math.max(0, spread[at] - mean[at] ** 2) / draws;
  }
  expect(missed).toBeLessThan(2 * allowed);
  expect(difference(mean, expected)).toBeLessThan(0.1);
});

function normalQuantile(p: number): number {
  let [low, high] = [-6, 6];
  for (let step = 0; step < 50; step++) {
    const x = 0.5 * (low + high);
    let sum = 0;
    for (let t = -8; t < x; t += 0.01) sum += 0.01 * Math.exp(-0.5 * (t + 0.005) ** 2);
    if (sum / Math.sqrt(2 * Math.PI) < p) low = x;
    else high = x;
  }
  return 0.5 * (low + high);
}
