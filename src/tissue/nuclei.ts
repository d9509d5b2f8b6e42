// Nuclei: hard-core points (Matern 1960, type II: a candidate stays if it comes before all others within reach),
// so that each depends on its neighbourhood only, drawn as ellipsoids that the section cuts.
import { cellCount, type Grid } from './grid.ts';
import { hash, LocalRng } from './hash.ts';
import { NearNoise, noisePlane } from './noise.ts';
import type { SlideModel } from './slide-model.ts';
import { smoothstep, type TissueMap, type TissuePoint } from './tissue-map.ts';

export interface Nucleus {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  /** Half axes in the plane, um, and direction of the first. */
  readonly a: number;
  readonly b: number;
  readonly angle: number;
  /** Largest share of the section's thickness that it fills. */
  readonly fill: number;
  readonly stain: number;
  /** Softness of its edge, um: nuclei cut near their top have a blurred outline. */
  readonly edgeUm: number;
  /** Contrast of its chromatin, 1 in a typical one. */
  readonly grain: number;
  readonly key: number;
}

const cellUm = 5.2;
const closestUm = 4.3;
const cellReach = 1;

interface Candidate {
  x: number;
  y: number;
  z: number;
  order: number;
  key: number;
}

/** Nuclei whose middle lies within `marginUm` of a rectangle (um), in a fixed order. */
export function nucleiIn(model: SlideModel, map: TissueMap, grid: Grid, marginUm: number): Nucleus[] {
  const fromI = Math.floor((grid.fromX - marginUm) / cellUm) - cellReach;
  const fromJ = Math.floor((grid.fromY - marginUm) / cellUm) - cellReach;
  const across = Math.ceil((grid.width * grid.spacing + 2 * marginUm) / cellUm) + 2 * cellReach + 1;
  const down = Math.ceil((grid.height * grid.spacing + 2 * marginUm) / cellUm) + 2 * cellReach + 1;
  const seed = hash(model.seed, 404);
  const candidates: (Candidate | undefined)[] = new Array(across * down);
  const point: TissuePoint = { level: 0, density: 0, necrosis: 0 };
  // Matern's formula inverted: candidates per area for the density wanted.
  const core = Math.PI * closestUm ** 2;
  const wanted = Math.min(0.93, (model.tissue.nucleiDensity * 1e-6 * core) / 1.1);
  const base = (-Math.log(1 - wanted) / core) * cellUm ** 2;
  const crowds = new NearNoise();
  for (let v = 0; v < down; v++) {
    for (let u = 0; u < across; u++) {
      const key = hash(seed, fromI + u, fromJ + v);
      const rng = new LocalRng(key);
      const x = (fromI + u + rng.uniform()) * cellUm;
      const y = (fromJ + v + rng.uniform()) * cellUm;
      const chance = rng.uniform();
      map.at(x, y, point);
      const crowd = 1.15 + 0.2 * crowds.at(seed + 1, x / 60, y / 60);
      if (point.level < 2 || chance > base * crowd * (1 - 0.82 * point.necrosis)) continue;
      candidates[v * across + u] = { x, y, z: 9 * (rng.uniform() - 0.5), order: hash(key, 1), key };
    }
  }
  const nuclei: Nucleus[] = [];
  const columns = Math.ceil((model.widthPx * model.pixelSizeUm) / cellUm) + 40;
  for (let v = cellReach; v < down - cellReach; v++) {
    for (let u = cellReach; u < across - cellReach; u++) {
      const own = candidates[v * across + u];
      if (own === undefined || !isKept(candidates, across, u, v, own)) continue;
      nuclei.push(shape(own, 1 + (fromJ + v + 20) * columns + fromI + u + 20, model.sectionUm));
    }
  }
  return nuclei;
}

function isKept(
  candidates: readonly (Candidate | undefined)[],
  across: number,
  u: number,
  v: number,
  own: Candidate,
): boolean {
  for (let dv = v - cellReach; dv <= v + cellReach; dv++) {
    for (let du = u - cellReach; du <= u + cellReach; du++) {
      const other = candidates[dv * across + du];
      if (other === undefined || other.order >= own.order) continue;
      const apart = (other.x - own.x) ** 2 + (other.y - own.y) ** 2 + (other.z - own.z) ** 2;
      if (apart < closestUm ** 2) return false;
    }
  }
  return true;
}

function shape({ x, y, z, key }: Candidate, id: number, sectionUm: number): Nucleus {
  const rng = new LocalRng(hash(key, 5));
  const isSpindle = rng.uniform() < 0.12;
  const radius = (isSpindle ? 2.9 : 3.65) * rng.logNormal(0.19);
  const ratio = isSpindle ? 2 + rng.uniform() : 1 + 0.7 * rng.uniform();
  const top = Math.min(0.93, Math.abs(z) / radius);
  const cut = Math.sqrt(1 - top * top);
  const stretch = Math.sqrt(ratio);
  return {
    id,
    x,
    y,
    a: radius * stretch * (0.55 + 0.45 * cut),
    b: (radius / stretch) * (0.55 + 0.45 * cut),
    angle: Math.PI * rng.uniform(),
    fill: Math.min(0.95, (2 * radius * cut) / (sectionUm + 1)),
    stain: rng.logNormal(0.28) * (rng.uniform() < 0.02 ? 1.8 : 1),
    edgeUm: 0.45 + 1.3 * top,
    grain: (1.3 - 0.8 * top) * (0.25 + 0.75 * rng.uniform()),
    key,
  };
}

export interface NucleiImage {
  /** Stain; about 1 in a typical nucleus. */
  readonly stain: Float32Array;
  /** Share of the section's thickness that nuclei fill. */
  readonly fill: Float32Array;
  /** Id of the nucleus; 0 outside. */
  readonly label: Uint32Array;
}

/** @param isFree whether a nucleus may be at a point: not in a vessel */
export function drawNuclei(
  grid: Grid,
  nuclei: readonly Nucleus[],
  seed: number,
  isFree: (x: number, y: number) => boolean,
): NucleiImage {
  const n = cellCount(grid);
  const image = { stain: new Float32Array(n), fill: new Float32Array(n), label: new Uint32Array(n) };
  const chromatin = noisePlane(grid, seed, 2.1);
  const fine = noisePlane(grid, seed + 1, 0.9);
  for (let at = 0; at < n; at++) chromatin[at] = 0.6 * chromatin[at] + 0.35 * fine[at];
  for (const nucleus of nuclei) {
    if (isFree(nucleus.x, nucleus.y)) drawNucleus(grid, nucleus, chromatin, image);
  }
  return image;
}

function drawNucleus(grid: Grid, nucleus: Nucleus, chromatin: Float32Array, image: NucleiImage): void {
  const { spacing, width, height } = grid;
  const { a, b, edgeUm } = nucleus;
  const size = Math.max(a, b) * 1.15 + edgeUm;
  const fromI = Math.max(0, Math.floor((nucleus.x - size - grid.fromX) / spacing));
  const toI = Math.min(width - 1, Math.ceil((nucleus.x + size - grid.fromX) / spacing));
  const fromJ = Math.max(0, Math.floor((nucleus.y - size - grid.fromY) / spacing));
  const toJ = Math.min(height - 1, Math.ceil((nucleus.y + size - grid.fromY) / spacing));
  const cos = Math.cos(nucleus.angle);
  const sin = Math.sin(nucleus.angle);
  const seed = nucleus.key | 0;
  const bumpX = ((seed & 0xff) / 128 - 1) * 0.13;
  const bumpY = (((seed >> 8) & 0xff) / 128 - 1) * 0.13;
  for (let j = fromJ; j <= toJ; j++) {
    const py = grid.fromY + (j + 0.5) * spacing - nucleus.y;
    for (let i = fromI; i <= toI; i++) {
      const px = grid.fromX + (i + 0.5) * spacing - nucleus.x;
      const u = (cos * px + sin * py) / a;
      const v = (cos * py - sin * px) / b;
      // Egg- and bean-shaped rather than elliptical.
      const bump = 1 + 1.5 * bumpX * u + 1.5 * bumpY * v * (2 * u * u + 0.3);
      const rho = Math.sqrt((u * u + v * v) * Math.max(0.3, bump));
      const inside = smoothstep(edgeUm, -edgeUm, (rho - 1) * b);
      if (inside === 0) continue;
      const at = j * width + i;
      const chord = inside * (0.62 + 0.38 * Math.sqrt(Math.max(0, 1 - 0.9 * rho * rho)));
      const own = chord * nucleus.fill * nucleus.stain * (1 + nucleus.grain * chromatin[at]);
      // Nuclei press on each other: they do not lie in the same place, and a seam shows between them.
      const other = image.stain[at];
      image.stain[at] = Math.max(own, other) - 0.35 * Math.min(own, other);
      image.fill[at] = 1 - (1 - image.fill[at]) * (1 - inside * nucleus.fill);
      if (inside * nucleus.fill > 0.4) image.label[at] = nucleus.id;
    }
  }
}
