// One tile of a simulated slide, whatever the size of the slide: everything in it follows from the slide's model
// and the tile's place.
import { emptySums, type TileSums } from './ceilings.ts';
import { emit } from './emission.ts';
import { averaged, cellCount, type Grid } from './grid.ts';
import { type Leakage, leakageOf } from './leakage.ts';
import { greyLevel, meanElectrons, record } from './microscope.ts';
import { makeScene, type Scene, tissueLevel } from './scene.ts';
import type { SlideModel } from './slide-model.ts';
import { outOfPlane } from './sources.ts';
import { TissueMap } from './tissue-map.ts';
import { type Probe, solveTransport } from './transport.ts';
import { VesselNetwork, type VesselPiece } from './vessel-path.ts';

/** Beyond the tile's edges: drawn in full detail, and on the wide grid of the transport. */
const haloUm = 64;
const wideHaloUm = 384;
const wideSpacingUm = 4;
/** Cells of the transport's fine grid are this many pixels wide. */
const transportPx = 2;

export interface VesselTruth {
  readonly id: number;
  readonly radiusUm: number;
  readonly flattening: number;
  readonly stain: number;
  readonly perfused: boolean;
  /** Relative to the median of the cohort's perfused capillaries; 0 where not perfused. */
  readonly permeability: number;
  readonly wallSignal: number;
}

/** Planes [height, width] of one tile, cut to the slide. */
export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Grey levels of vessel, nuclei, probe, one after the other. */
  readonly image: Float32Array;
  /** Noise-free grey levels of the probe. */
  readonly expected: Float32Array;
  /** Ids, 0 where there is none. */
  readonly vessels: Float32Array;
  readonly nuclei: Float32Array;
  readonly sums: TileSums;
  readonly vesselsSeen: readonly VesselTruth[];
}

/** All tiles of a slide, row by row. */
export function tilesOf({ widthPx, heightPx, tilePx }: SlideModel): { tileX: number; tileY: number }[] {
  const across = Math.ceil(widthPx / tilePx);
  const down = Math.ceil(heightPx / tilePx);
  return Array.from({ length: across * down }, (_, i) => ({
    tileX: i % across,
    tileY: Math.floor(i / across),
  }));
}

/** Makes the tiles of one slide; keeps the vessels around the last ones for the next. */
export class TileMaker {
  readonly #model: SlideModel;
  readonly #map: TissueMap;
  readonly #network: VesselNetwork;

  constructor(model: SlideModel) {
    this.#model = model;
    this.#map = new TissueMap(model);
    this.#network = new VesselNetwork(model, this.#map);
  }

  make(tileX: number, tileY: number): Tile {
    const model = this.#model;
    const { pixelSizeUm, tilePx } = model;
    const tileUm = tilePx * pixelSizeUm;
    const around = (halo: number, spacing: number): Grid =>
      squareGrid(tileX * tileUm, tileY * tileUm, tileUm, halo, spacing);
    const full = around(haloUm, pixelSizeUm);
    const fine = around(haloUm, pixelSizeUm * transportPx);
    const wide = around(wideHaloUm, wideSpacingUm);

    const widePieces = this.#piecesOf(wide);
    const leakages = new Map<number, Leakage>();
    for (const { vessel } of widePieces) {
      if (!leakages.has(vessel.id)) leakages.set(vessel.id, leakageOf(model, vessel));
    }
    const level = tissueLevel(this.#map, wide);
    const scene = makeScene(model, this.#map, level, full, this.#piecesOf(full), leakages);
    const probe = this.#solve(wide, fine, level, widePieces, scene, leakages);
    return photograph(model, tileX, tileY, scene, fine, probe, leakages);
  }

  #piecesOf({ fromX, fromY, spacing, width, height }: Grid): VesselPiece[] {
    return this.#network.piecesIn(fromX, fromY, fromX + width * spacing, fromY + height * spacing);
  }

  #solve(
    wide: Grid,
    fine: Grid,
    level: ReturnType<typeof tissueLevel>,
    widePieces: readonly VesselPiece[],
    scene: Scene,
    leakages: ReadonlyMap<number, Leakage>,
  ): Probe {
    const model = this.#model;
    if (model.transport.probe === 'none') {
      const nothing = new Float32Array(cellCount(fine));
      return { drawn: nothing, expected: nothing };
    }
    const wideScene = makeScene(model, this.#map, level, wide, widePieces, leakages);
    const probe = solveTransport({
      model,
      wide: { grid: wide, open: wideScene.open },
      fine: { grid: fine, open: averaged(scene.grid, scene.open, fine) },
      widePieces,
      finePieces: scene.pieces,
      leakages,
      outOfPlane: outOfPlane(model, this.#map, wide),
    });
    return probe;
  }
}

/** A square with a halo on each side. */
function squareGrid(fromX: number, fromY: number, edgeUm: number, haloUm: number, spacing: number): Grid {
  const cells = Math.round((edgeUm + 2 * haloUm) / spacing);
  return { fromX: fromX - haloUm, fromY: fromY - haloUm, spacing, width: cells, height: cells };
}

function photograph(
  model: SlideModel,
  tileX: number,
  tileY: number,
  scene: Scene,
  probeGrid: Grid,
  probe: Probe,
  leakages: ReadonlyMap<number, Leakage>,
): Tile {
  const { grid } = scene;
  const emission = emit(model, scene, probeGrid, probe);
  const { vessel, nuclei: stained, probe: measuredProbe, expectedProbe } = emission;
  // The bleed-through of what can be seen is in both probes.
  const electrons = meanElectrons(model, grid, [vessel, stained, measuredProbe, expectedProbe]);

  const x = tileX * model.tilePx;
  const y = tileY * model.tilePx;
  const width = Math.min(model.tilePx, model.widthPx - x);
  const height = Math.min(model.tilePx, model.heightPx - y);
  const margin = Math.round(haloUm / model.pixelSizeUm);
  const cut = (
    plane: ArrayLike<number> & { subarray(a: number, b: number): ArrayLike<number> },
  ): Float32Array => {
    const out = new Float32Array(width * height);
    for (let j = 0; j < height; j++) {
      const from = (j + margin) * grid.width + margin;
      out.set(plane.subarray(from, from + width), j * width);
    }
    return out;
  };

  const n = width * height;
  const image = new Float32Array(3 * n);
  for (let c = 0; c < 3; c++) image.set(record(model, tileX, tileY, c, cut(electrons[c])), c * n);
  const expected = cut(electrons[2]).map((value) => greyLevel(model, 2, value));
  const visible = cut(electrons[3]).map((value) => greyLevel(model, 2, value));
  const vessels = cut(scene.vessels.label);
  const nuclei = cut(scene.nuclei.label);
  const tissue = cut(scene.tissue);
  const near = cut(scene.vessels.near);

  const sums = emptySums();
  const ids = new Set<number>();
  for (let at = 0; at < n; at++) {
    if (tissue[at] < 0.5) {
      vessels[at] = 0;
      nuclei[at] = 0;
      continue;
    }
    if (vessels[at] > 0) ids.add(vessels[at]);
    const measured = image[2 * n + at];
    for (const region of near[at] ? [sums.tissue] : [sums.tissue, sums.extravascular]) {
      region.pixels++;
      region.y += measured;
      region.yy += measured * measured;
      region.noise += (measured - expected[at]) ** 2;
      region.visible += (measured - visible[at]) ** 2;
    }
  }
  return {
    x,
    y,
    width,
    height,
    image,
    expected,
    vessels,
    nuclei,
    sums,
    vesselsSeen: truthOf(scene.pieces, ids, leakages),
  };
}

function truthOf(
  pieces: readonly VesselPiece[],
  ids: ReadonlySet<number>,
  leakages: ReadonlyMap<number, Leakage>,
): VesselTruth[] {
  const truths = new Map<number, VesselTruth>();
  for (const { vessel } of pieces) {
    const leak = leakages.get(vessel.id);
    if (!ids.has(vessel.id) || leak === undefined || truths.has(vessel.id)) continue;
    truths.set(vessel.id, {
      id: vessel.id,
      radiusUm: vessel.radiusUm,
      flattening: vessel.flattening,
      stain: vessel.stain,
      perfused: leak.isPerfused,
      permeability: leak.flux,
      wallSignal: leak.wall,
    });
  }
  return [...truths.values()];
}
