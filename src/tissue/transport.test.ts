import { expect, test } from 'vitest';
import { slideModel } from './cohort.ts';
import { emit } from './emission.ts';
import { averaged, type Grid } from './grid.ts';
import { leakageOf } from './leakage.ts';
import { greyLevel, meanElectrons } from './microscope.ts';
import { presetOf } from './presets.ts';
import { makeScene, type Scene, tissueLevel } from './scene.ts';
import type { SlideModel } from './slide-model.ts';
import { outOfPlane } from './sources.ts';
import { TissueMap } from './tissue-map.ts';
import { type Medium, type Probe, solveNested, solveTransport } from './transport.ts';
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
    detail,
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

test('the mean over draws of all that is hidden is the field, and the noise-free image, of the mean factors', () => {
  const input = world(model, wide, middle(2), 1);
  const { detail } = input;
  const solved = solveTransport(input);
  const expected = imagesOf(model, detail, input.fine.grid, solved).expected;
  const draws = 64;
  const field = new Moments(solved.expected.length);
  const image = new Moments(expected.length);
  const isVessel = Array.from(detail.vessels.inside, (inside) => inside > 0.5);
  const ofVessels = new Moments(1);
  const ofTissue = new Moments(1);
  const meanOf = (plane: Float32Array, ofVessel: boolean): number => {
    const chosen = plane.filter((_, at) => detail.tissue[at] === 1 && isVessel[at] === ofVessel);
    return chosen.reduce((sum, value) => sum + value, 0) / chosen.length;
  };
  for (let n = 0; n < draws; n++) {
    const own = drawHidden(n, draws);
    const leakages = new Map(input.widePieces.map(({ vessel }) => [vessel.id, leakageOf(own, vessel)]));
    const map = new TissueMap(own);
    const probe = solveTransport({ ...input, model: own, leakages, outOfPlane: outOfPlane(own, map, wide) });
    const scene = makeScene(own, map, tissueLevel(map, wide), detail.grid, detail.pieces, leakages);
    const { drawn } = imagesOf(own, scene, input.fine.grid, probe);
    field.add(probe.drawn);
    image.add(drawn);
    ofVessels.add([meanOf(drawn, true)]);
    ofTissue.add([meanOf(drawn, false)]);
  }
  for (const [moments, closed] of [
    [field, solved.expected],
    [image, expected],
  ] as const) {
    // The mean of n draws misses by the spread over the root of n, in every cell; on average not more.
    let [missed, allowed] = [0, 0];
    for (let at = 0; at < closed.length; at++) {
      missed += (moments.mean(at) - closed[at]) ** 2;
      allowed += moments.error(at) ** 2;
    }
    expect(missed).toBeLessThan(2 * allowed);
  }
  expect(difference(field.means(), solved.expected)).toBeLessThan(0.1);
  // Regions as a whole, where the cells' own chance averages out: three standard errors, which are themselves small.
  for (const [moments, closed] of [
    [ofVessels, meanOf(expected, true)],
    [ofTissue, meanOf(expected, false)],
  ] as const) {
    expect(moments.error(0)).toBeLessThan(0.08 * closed);
    expect(Math.abs(moments.mean(0) - closed)).toBeLessThan(3 * moments.error(0));
  }
});

test('what a vessel lets through, and its wall, have the means that are computed, over 20,000 draws', () => {
  const vessel = { id: 1, key: 7, radiusUm: 2.4, flattening: 3.1, stain: 1.4 };
  const moments = new Moments(2);
  for (let n = 0; n < 20_000; n++) {
    const { flux, wall } = leakageOf({ ...model, hiddenSeed: n }, vessel);
    moments.add([flux, wall]);
  }
  const { expectedFlux, expectedWall } = leakageOf(model, vessel);
  for (const [at, closed] of [expectedFlux, expectedWall].entries()) {
    expect(moments.error(at)).toBeLessThan(0.01 * closed);
    expect(Math.abs(moments.mean(at) - closed)).toBeLessThan(3 * moments.error(at));
  }
});

/** The model with everything drawn anew that cannot be seen: of this section, and of the animal. */
function drawHidden(n: number, draws: number): SlideModel {
  const { transport } = model;
  // The animal's two numbers are quantiles of their distributions, in two scrambled orders.
  const [z, w] = [37, 23].map((step) => normalQuantile((((n * step) % draws) + 0.5) / draws));
  return {
    ...model,
    hiddenSeed: 1000 + n,
    transport: {
      ...transport,
      lambdaUm: transport.lambdaMedianUm * Math.exp(z * transport.lambdaSigma),
      lambdaSigma: 0,
      amplitude: Math.exp(w * transport.amplitudeSigma),
    },
  };
}

/** Noise-free probe, grey levels: drawn, and its mean given what is seen. */
function imagesOf(own: SlideModel, scene: Scene, probeGrid: Grid, probe: Probe) {
  const emission = emit(own, scene, probeGrid, probe);
  const planes = [emission.vessel, emission.nuclei, emission.probe, emission.expectedProbe];
  const [, , drawn, expected] = meanElectrons(own, scene.grid, planes).map((electrons) =>
    electrons.map((value) => greyLevel(own, 2, value)),
  );
  return { drawn, expected };
}

/** Mean over draws of each of n values, and the standard error of that mean. */
class Moments {
  readonly #sum: Float64Array;
  readonly #squares: Float64Array;
  #draws = 0;

  constructor(n: number) {
    this.#sum = new Float64Array(n);
    this.#squares = new Float64Array(n);
  }

  add(values: ArrayLike<number>): void {
    this.#draws++;
    for (let at = 0; at < values.length; at++) {
      this.#sum[at] += values[at];
      this.#squares[at] += values[at] ** 2;
    }
  }

  mean(at: number): number {
    return this.#sum[at] / this.#draws;
  }

  means(): Float32Array {
    return Float32Array.from(this.#sum, (_, at) => this.mean(at));
  }

  error(at: number): number {
    return Math.sqrt(Math.max(0, this.#squares[at] / this.#draws - this.mean(at) ** 2) / this.#draws);
  }
}

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
