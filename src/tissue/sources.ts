// Where the probe enters the section: through the walls of the vessels it cuts, and from vessels above and below.
import { cellCount, type Grid } from './grid.ts';
import { hash, LocalRng } from './hash.ts';
import { hotSpot, type Leakage } from './leakage.ts';
import type { SlideModel } from './slide-model.ts';
import { smoothstep, type TissueMap } from './tissue-map.ts';
import type { VesselPiece } from './vessel-path.ts';

/** Vessel length per area of section whose flux gives unit concentration: 300 profiles per mm2 of radius 3 um. */
const unitFlux = 2 * Math.PI * 3 * 300e-6;

/** Supply of each cell, as the concentration it would sustain alone: drawn, and its mean given what is seen. */
export interface Sources {
  readonly drawn: Float32Array;
  readonly expected: Float32Array;
}

/**
 * Wall flux of the vessels that the section cuts. A piece counts by how much of it lies in the slab of section and
 * vessel, so that a vessel straight across gives its whole circumference, and one along the section its wall area
 * over the slab's thickness.
 * @param mobility of each cell; what enters goes to the free cells along the wall
 */
export function addWallFlux(
  model: SlideModel,
  grid: Grid,
  pieces: readonly VesselPiece[],
  leakages: ReadonlyMap<number, Leakage>,
  mobility: Float32Array,
  into: Sources,
): void {
  const share = model.transport.inPlaneShare / (unitFlux * grid.spacing ** 2);
  for (let p = 0; p < pieces.length; p++) {
    const piece = pieces[p];
    const leak = leakages.get(piece.vessel.id);
    if (leak === undefined) continue;
    const radius = 0.5 * (piece.r0 + piece.r1);
    const middle = 0.5 * (piece.z0 + piece.z1);
    const thickness = model.sectionUm + 2 * radius;
    const overlap = smoothstep(thickness / 2 + 3, thickness / 2 - 3, Math.abs(middle)) / thickness;
    if (overlap === 0) continue;
    const length = Math.hypot(piece.x1 - piece.x0, piece.y1 - piece.y0, piece.z1 - piece.z0);
    const area = 2 * Math.PI * radius * length * overlap * share;
    // The key of a piece: its vessel and its place along it, the same in every tile.
    const key = hash(piece.vessel.key, Math.round(piece.x0 * 64), Math.round(piece.y0 * 64));
    const drawn = area * leak.flux * hotSpot(model, key, length);
    const expected = area * leak.expectedFlux;
    if (grid.spacing > 2) depositPoint(grid, piece, mobility, drawn, expected, into);
    else depositRing(grid, piece, mobility, drawn, expected, into, model.sectionUm);
  }
}

/** Coarse grids: shared among the four cells around the middle of the piece, by distance and mobility. */
function depositPoint(
  grid: Grid,
  piece: VesselPiece,
  mobility: Float32Array,
  drawn: number,
  expected: number,
  into: Sources,
): void {
  const u = (0.5 * (piece.x0 + piece.x1) - grid.fromX) / grid.spacing - 0.5;
  const v = (0.5 * (piece.y0 + piece.y1) - grid.fromY) / grid.spacing - 0.5;
  const i = Math.floor(u);
  const j = Math.floor(v);
  if (i < 0 || j < 0 || i + 1 >= grid.width || j + 1 >= grid.height) return;
  const at = j * grid.width + i;
  const cells = [at, at + 1, at + grid.width, at + grid.width + 1];
  const a = u - i;
  const b = v - j;
  const weights = [(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b].map(
    (w, n) => w * (mobility[cells[n]] + 1e-6),
  );
  const total = weights.reduce((sum, w) => sum + w, 0);
  for (let n = 0; n < 4; n++) {
    into.drawn[cells[n]] += (drawn * weights[n]) / total;
    into.expected[cells[n]] += (expected * weights[n]) / total;
  }
}

/** Fine grids: to the free cells along the wall. */
function depositRing(
  grid: Grid,
  piece: VesselPiece,
  mobility: Float32Array,
  drawn: number,
  expected: number,
  into: Sources,
  sectionUm: number,
): void {
  const { spacing, width, height } = grid;
  const { vessel, x0, y0, z0 } = piece;
  const stretch = Math.sqrt(vessel.flattening);
  const radius = 0.5 * (piece.r0 + piece.r1);
  const size = radius * stretch + 2.5;
  const mx = 0.5 * (x0 + piece.x1);
  const my = 0.5 * (y0 + piece.y1);
  const mz = 0.5 * (z0 + piece.z1);
  const dx = piece.x1 - x0;
  const dy = piece.y1 - y0;
  const dz = piece.z1 - z0;
  const length2 = Math.max(1e-9, dx * dx + dy * dy + dz * dz);
  const fromI = Math.max(0, Math.floor((mx - size - grid.fromX) / spacing));
  const toI = Math.min(width - 1, Math.ceil((mx + size - grid.fromX) / spacing));
  const fromJ = Math.max(0, Math.floor((my - size - grid.fromY) / spacing));
  const toJ = Math.min(height - 1, Math.ceil((my + size - grid.fromY) / spacing));
  if (toI < fromI || toJ < fromJ) return;
  const pz = Math.min(sectionUm / 2, Math.max(-sectionUm / 2, mz)) - mz;
  const weights: number[] = [];
  for (let pass = 0; pass < 2; pass++) {
    // A piece with no free cell along its wall (inside a junction) gives to all cells it covers that are free at all.
    weights.length = 0;
    let total = 0;
    for (let j = fromJ; j <= toJ; j++) {
      const py = grid.fromY + (j + 0.5) * spacing - my;
      for (let i = fromI; i <= toI; i++) {
        const px = grid.fromX + (i + 0.5) * spacing - mx;
        const t = Math.max(-0.5, Math.min(0.5, (px * dx + py * dy + pz * dz) / length2));
        const ex = px - t * dx;
        const ey = py - t * dy;
        const ez = pz - t * dz;
        const thin = ex * piece.nx + ey * piece.ny + ez * piece.nz;
        const e2 = ex * ex + ey * ey + ez * ez;
        const rho = Math.sqrt(
          (thin * thin * vessel.flattening + Math.max(0, e2 - thin * thin) / vessel.flattening) /
            (radius * radius),
        );
        const d = Math.sqrt(e2) * (1 - 1 / Math.max(0.2, rho));
        const ring = pass === 0 ? Math.max(0, 2 - Math.abs(d - 0.5)) : d < 3 ? 1 : 0;
        const w = ring * mobility[j * width + i];
        weights.push(w);
        total += w;
      }
    }
    if (total < (pass === 0 ? 0.5 : 1e-3)) continue;
    let n = 0;
    for (let j = fromJ; j <= toJ; j++) {
      for (let i = fromI; i <= toI; i++) {
        const w = weights[n++] / total;
        if (w === 0) continue;
        into.drawn[j * width + i] += drawn * w;
        into.expected[j * width + i] += expected * w;
      }
    }
    return;
  }
}

const blobCellUm = 60;

/**
 * Supply from vessels above and below the section, which cannot be seen: a Poisson field of spots, each as wide as
 * its vessel is far away, whose mean follows the density of vessels. Where the probe ignores vessels ('blind') it
 * is all there is, and its mean is the same everywhere.
 */
export function outOfPlane(model: SlideModel, map: TissueMap, grid: Grid): Sources {
  const { transport, vessels } = model;
  const isBlind = transport.probe === 'blind';
  const share = isBlind ? 1 : 1 - transport.inPlaneShare;
  const n = cellCount(grid);
  const sources = { drawn: new Float32Array(n), expected: new Float32Array(n) };
  const meanFlux =
    (meanPermeability(model) * (Math.exp(vessels.radiusSigma ** 2) * share * vessels.radiusUm)) / 3;
  for (let j = 0, at = 0; j < grid.height; j++) {
    for (let i = 0; i < grid.width; i++, at++) {
      const point = map.at(grid.fromX + (i + 0.5) * grid.spacing, grid.fromY + (j + 0.5) * grid.spacing);
      sources.expected[at] = meanFlux * (isBlind ? 1 : point.density / 300);
    }
  }
  // Spots multiply the mean, so that the drawn supply has this mean exactly.
  const relative = new Float32Array(n);
  const reach = 150;
  const spotsPerCell = isBlind ? 0.35 : 1.2;
  const seed = hash(model.hiddenSeed, 505);
  const toX = grid.fromX + grid.width * grid.spacing + reach;
  const toY = grid.fromY + grid.height * grid.spacing + reach;
  for (let cy = Math.floor((grid.fromY - reach) / blobCellUm); cy * blobCellUm < toY; cy++) {
    for (let cx = Math.floor((grid.fromX - reach) / blobCellUm); cx * blobCellUm < toX; cx++) {
      const rng = new LocalRng(hash(seed, cx, cy));
      // Poisson by counting exponential gaps.
      for (let gap = exponential(rng); gap < spotsPerCell; gap += exponential(rng)) {
        const x = (cx + rng.uniform()) * blobCellUm;
        const y = (cy + rng.uniform()) * blobCellUm;
        const sigma = 14 + 34 * rng.uniform();
        const spread = vessels.permeabilityHidden;
        const mass = ((blobCellUm ** 2 / spotsPerCell) * rng.logNormal(spread)) / Math.exp(spread ** 2 / 2);
        addSpot(grid, relative, x, y, sigma, mass);
      }
    }
  }
  for (let at = 0; at < n; at++) sources.drawn[at] = sources.expected[at] * relative[at];
  return sources;
}

function addSpot(grid: Grid, into: Float32Array, x: number, y: number, sigma: number, mass: number): void {
  const { spacing, width, height } = grid;
  const size = 3.2 * sigma;
  const peak = mass / (2 * Math.PI * sigma * sigma);
  const fromI = Math.max(0, Math.ceil((x - size - grid.fromX) / spacing - 0.5));
  const toI = Math.min(width - 1, Math.floor((x + size - grid.fromX) / spacing - 0.5));
  const fromJ = Math.max(0, Math.ceil((y - size - grid.fromY) / spacing - 0.5));
  const toJ = Math.min(height - 1, Math.floor((y + size - grid.fromY) / spacing - 0.5));
  const column: number[] = [];
  for (let i = fromI; i <= toI; i++) {
    const d = (grid.fromX + (i + 0.5) * spacing - x) / sigma;
    column.push(Math.exp(-0.5 * d * d));
  }
  for (let j = fromJ; j <= toJ; j++) {
    const d = (grid.fromY + (j + 0.5) * spacing - y) / sigma;
    const row = peak * Math.exp(-0.5 * d * d);
    for (let i = fromI; i <= toI; i++) into[j * width + i] += row * column[i - fromI];
  }
}

/** Mean of perfusion x permeability over vessels, near enough: features taken at their medians. */
function meanPermeability({ vessels }: SlideModel): number {
  const closed = 0.6 * vessels.closedRound + 0.4 * vessels.closedFlat;
  return (1 - closed) * Math.exp(vessels.permeabilityHidden ** 2 / 2);
}

function exponential(rng: LocalRng): number {
  return -Math.log(1 - rng.uniform());
}
