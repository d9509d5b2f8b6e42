// The vessels of a section as an antibody against their walls shows them: hollow where cut across, fading where
// they leave the section, joined without walls between them where they meet.
import { cellCount, type Grid } from './grid.ts';
import { NearNoise } from './noise.ts';
import { smoothstep } from './tissue-map.ts';
import type { VesselPiece } from './vessel-path.ts';

/** Heights within the section at which walls are evaluated, as a share of its thickness. */
const heights = [-0.375, -0.125, 0.125, 0.375] as const;
/** Weight of the stain at each height: the objective is focused on the middle of the section. */
const focus = [0.12, 0.38, 0.38, 0.12] as const;
/** Half the thickness of a stained wall, um: endothelium of 0.3 um and its glycocalyx, thickened by the stain. */
const halfWallUm = 0.6;
const drawnBeyondUm = 4;
/** A pixel belongs to a vessel where a quarter of the section is inside one, give or take rounding. */
const leastInside = 0.249;
/** How the probe's signal along one vessel goes with its stain there. */
const fillingByStain = 0.5;

export interface VesselImage {
  /** Stain, weighted by `focus` over the section's thickness; about 1 in a typical wall. */
  readonly stain: Float32Array;
  /** Share of the section's thickness inside a vessel (wall or lumen). */
  readonly inside: Float32Array;
  /** Wall and plasma signal: sum of `inside`, times how full the vessel is here, times the weight of its piece. */
  readonly wallSignal: Float32Array;
  readonly expectedWallSignal: Float32Array;
  /** Id of the vessel that fills most of the section here; 0 where `inside` is below a quarter. */
  readonly label: Uint32Array;
  /** 1 within 3 um of a wall, or inside. */
  readonly near: Uint8Array;
}

/**
 * @param weights signal of each piece's wall and lumen: drawn, and mean given what is seen; two each piece
 */
export function drawVessels(
  grid: Grid,
  pieces: readonly VesselPiece[],
  weights: ArrayLike<number>,
  sectionUm: number,
): VesselImage {
  const n = cellCount(grid);
  const image: VesselImage = {
    stain: new Float32Array(n),
    inside: new Float32Array(n),
    wallSignal: new Float32Array(n),
    expectedWallSignal: new Float32Array(n),
    label: new Uint32Array(n),
    near: new Uint8Array(n),
  };
  // Of each level, to find the vessel that fills most when all are known.
  const owners = new Uint32Array(n * heights.length);
  const shares = new Float32Array(n * heights.length);
  const distance = new Float32Array(n);
  const owner = new Int32Array(n);
  const bulges = new NearNoise();
  const ripples = new NearNoise();
  const grains = new NearNoise();
  for (const [level, height] of heights.entries()) {
    distance.fill(drawnBeyondUm);
    owner.fill(-1);
    for (let p = 0; p < pieces.length; p++) {
      stampPiece(grid, pieces[p], p, height * sectionUm, distance, owner);
    }
    for (let at = 0; at < n; at++) {
      const p = owner[at];
      if (p < 0) continue;
      const piece = pieces[p];
      // Uneven surfaces: cells bulge, fixation shrinks.
      const x = grid.fromX + (at % grid.width) * grid.spacing;
      const y = grid.fromY + Math.floor(at / grid.width) * grid.spacing;
      const seed = piece.vessel.key | 0;
      const bulge = bulges.at(seed, x / 6, y / 6 + height * 4);
      const d = distance[at] + 0.8 * bulge + 0.35 * ripples.at(seed + 1, x / 2.6, y / 2.6 + height * 7);
      if (d < 3) image.near[at] = 1;
      const share = smoothstep(0.6, -0.6, d) / heights.length;
      const radius = 0.5 * (piece.r0 + piece.r1);
      // The inner side of the wall: thin vessels have no room for a lumen.
      const wall = Math.exp(-0.5 * ((d + halfWallUm) / halfWallUm) ** 2);
      const veil = d < 0 ? 0.3 * Math.exp(-0.12 * radius) : 0;
      const grain = Math.max(0.2, 1 + 0.6 * grains.at(seed + 2, x / 2.2, y / 2.2 + height * 5));
      const stain = 0.5 * (piece.s0 + piece.s1);
      image.stain[at] += (wall + veil) * grain * stain * focus[level];
      if (share === 0) continue;
      image.inside[at] += share;
      // Where a vessel's wall is stained more than the rest of it, more probe lies there too.
      const filling = share * (stain / piece.vessel.stain) ** fillingByStain;
      image.wallSignal[at] += filling * weights[2 * p];
      image.expectedWallSignal[at] += filling * weights[2 * p + 1];
      owners[at * heights.length + level] = piece.vessel.id;
      shares[at * heights.length + level] = share;
    }
  }
  for (let at = 0; at < n; at++) {
    if (image.inside[at] < leastInside) continue;
    image.label[at] = fullest(owners, shares, at * heights.length);
  }
  return image;
}

/** The id with the largest sum of shares among those of one pixel's levels. */
function fullest(owners: Uint32Array, shares: Float32Array, from: number): number {
  let [best, most] = [0, 0];
  for (let i = from; i < from + heights.length; i++) {
    let sum = 0;
    for (let k = from; k < from + heights.length; k++) if (owners[k] === owners[i]) sum += shares[k];
    if (sum <= most) continue;
    most = sum;
    best = owners[i];
  }
  return best;
}

/** Signed distance to the surface of one piece, kept where it is the smallest so far. */
function stampPiece(
  grid: Grid,
  piece: VesselPiece,
  index: number,
  z: number,
  distance: Float32Array,
  owner: Int32Array,
): void {
  const { x0, y0, z0, r0, r1, nx, ny, nz } = piece;
  const { flattening, key } = piece.vessel;
  // Cut across, a vessel is no ellipse: three-cornered where it is round, a crescent where it is flat.
  const corners = 0.3 * (((key >>> 3) & 0xff) / 255);
  const crescent = (1 - 1 / flattening) * (((key >>> 11) & 0xff) / 127.5 - 1);
  const dx = piece.x1 - x0;
  const dy = piece.y1 - y0;
  const dz = piece.z1 - z0;
  const stretch = Math.sqrt(flattening);
  const size = Math.max(r0, r1) * stretch + drawnBeyondUm;
  if (Math.min(z0, piece.z1) - size > z || Math.max(z0, piece.z1) + size < z) return;
  const { spacing, width, height } = grid;
  const fromI = Math.max(0, Math.floor((Math.min(x0, piece.x1) - size - grid.fromX) / spacing));
  const toI = Math.min(width - 1, Math.ceil((Math.max(x0, piece.x1) + size - grid.fromX) / spacing));
  const fromJ = Math.max(0, Math.floor((Math.min(y0, piece.y1) - size - grid.fromY) / spacing));
  const toJ = Math.min(height - 1, Math.ceil((Math.max(y0, piece.y1) + size - grid.fromY) / spacing));
  const inverse = 1 / Math.max(1e-9, dx * dx + dy * dy + dz * dz);
  const pz = z - z0;
  for (let j = fromJ; j <= toJ; j++) {
    const py = grid.fromY + (j + 0.5) * spacing - y0;
    for (let i = fromI; i <= toI; i++) {
      const px = grid.fromX + (i + 0.5) * spacing - x0;
      let t = (px * dx + py * dy + pz * dz) * inverse;
      t = t < 0 ? 0 : Math.min(t, 1);
      const ex = px - t * dx;
      const ey = py - t * dy;
      const ez = pz - t * dz;
      const e2 = ex * ex + ey * ey + ez * ez;
      const across = ex * nx + ey * ny + ez * nz;
      const r = r0 + t * (r1 - r0);
      const wide2 = Math.max(0, e2 - across * across);
      const thin = across + (crescent * wide2) / (r * stretch);
      const cosine = across / Math.max(1e-6, Math.sqrt(e2));
      // Ellipse of the same area: half axes r / stretch and r stretch.
      const rho =
        Math.sqrt((thin * thin * flattening + wide2 / flattening) / (r * r)) *
        (1 + (corners / flattening) * cosine * (4 * cosine * cosine - 3));
      const d = rho < 0.05 ? -0.95 * (r / stretch) : Math.sqrt(e2) * (1 - 1 / rho);
      const at = j * width + i;
      if (d < distance[at]) {
        distance[at] = d;
        owner[at] = index;
      }
    }
  }
}
