// What lies in one rectangle of the section: tissue, vessels, nuclei, and how open each cell is to the probe.
import { drawVessels, type VesselImage } from './draw-vessels.ts';
import { cellCount, type Grid, sampleAt } from './grid.ts';
import { hash } from './hash.ts';
import type { Leakage } from './leakage.ts';
import { drawNuclei, type NucleiImage, nucleiIn } from './nuclei.ts';
import type { SlideModel } from './slide-model.ts';
import { smoothstep, type TissueMap, type TissuePoint } from './tissue-map.ts';
import type { VesselPiece } from './vessel-path.ts';

/** Share of a nucleus that probe cannot enter. */
const nucleusExclusion = 0.3;

export interface Scene {
  readonly grid: Grid;
  readonly pieces: readonly VesselPiece[];
  readonly vessels: VesselImage;
  readonly nuclei: NucleiImage;
  /** 0 outside to 1 inside tissue. */
  readonly tissue: Float32Array;
  /** Share of the section's depth that probe can be in: tissue, neither vessel nor nucleus. */
  readonly open: Float32Array;
}

/** Level of the tissue map (um to the edge, positive inside) on a grid; linear between in `makeScene`. */
export interface TissueLevel {
  readonly grid: Grid;
  readonly level: Float32Array;
}

export function tissueLevel(map: TissueMap, grid: Grid): TissueLevel {
  const level = new Float32Array(cellCount(grid));
  const point: TissuePoint = { level: 0, density: 0, necrosis: 0 };
  for (let j = 0, at = 0; j < grid.height; j++) {
    const y = grid.fromY + (j + 0.5) * grid.spacing;
    for (let i = 0; i < grid.width; i++, at++) {
      level[at] = map.at(grid.fromX + (i + 0.5) * grid.spacing, y, point).level;
    }
  }
  return { grid, level };
}

export function makeScene(
  model: SlideModel,
  map: TissueMap,
  tissueAround: TissueLevel,
  grid: Grid,
  pieces: readonly VesselPiece[],
  leakages: ReadonlyMap<number, Leakage>,
): Scene {
  const weights = new Float32Array(2 * pieces.length);
  for (let p = 0; p < pieces.length; p++) {
    const leak = leakages.get(pieces[p].vessel.id);
    if (leak === undefined) continue;
    weights[2 * p] = leak.wall;
    weights[2 * p + 1] = leak.expectedWall;
  }
  const vessels = drawVessels(grid, pieces, weights, model.sectionUm);
  const isFree = (x: number, y: number): boolean => {
    const i = Math.floor((x - grid.fromX) / grid.spacing);
    const j = Math.floor((y - grid.fromY) / grid.spacing);
    if (i < 0 || j < 0 || i >= grid.width || j >= grid.height) return true;
    return vessels.inside[j * grid.width + i] < 0.35;
  };
  const nuclei = drawNuclei(grid, nucleiIn(model, map, grid, 12), hash(model.seed, 405), isFree);
  const n = cellCount(grid);
  const tissue = new Float32Array(n);
  const open = new Float32Array(n);
  for (let j = 0, at = 0; j < grid.height; j++) {
    const y = grid.fromY + (j + 0.5) * grid.spacing;
    for (let i = 0; i < grid.width; i++, at++) {
      const here = sampleAt(tissueAround.grid, tissueAround.level, grid.fromX + (i + 0.5) * grid.spacing, y);
      tissue[at] = smoothstep(-1, 1, here);
      open[at] =
        tissue[at] * (1 - Math.min(1, vessels.inside[at])) * (1 - nucleusExclusion * nuclei.fill[at]);
    }
  }
  return { grid, pieces, vessels, nuclei, tissue, open };
}
