// The course of every vessel: curved from junction to junction, bent, tapering, flattened; cut into short pieces near the section.
import { hash, LocalRng } from './hash.ts';
import { noise3 } from './noise.ts';
import type { SlideModel } from './slide-model.ts';
import { smoothstep, type TissueMap } from './tissue-map.ts';
import { blockUm, cellUm, edgesOfBlock, type VesselEdge } from './vessel-graph.ts';

/** A short straight piece of a vessel, um; z is the height above the middle of the section. */
export interface VesselPiece {
  readonly vessel: Vessel;
  readonly x0: number;
  readonly y0: number;
  readonly z0: number;
  readonly x1: number;
  readonly y1: number;
  readonly z1: number;
  readonly r0: number;
  readonly r1: number;
  /** Unit vector across the piece along which a flattened vessel is thin. */
  readonly nx: number;
  readonly ny: number;
  readonly nz: number;
  /** Stain at both ends. */
  readonly s0: number;
  readonly s1: number;
}

export interface Vessel {
  readonly id: number;
  readonly key: number;
  /** Mean radius, um, of a circle of the same area. */
  readonly radiusUm: number;
  /** Wide over narrow diameter, 1 when round. */
  readonly flattening: number;
  /** Relative stain of this vessel, median 1. */
  readonly stain: number;
}

const pieceUm = 4;
/** Pieces whose middle is farther from the section than this neither show nor feed it directly. */
const nearUm = 26;
const margin = 3 * cellUm + 30;
const keptBlocks = 256;

export class VesselNetwork {
  readonly #model: SlideModel;
  readonly #map: TissueMap;
  readonly #blocks = new Map<string, VesselPiece[]>();
  readonly #seed: number;

  constructor(model: SlideModel, map: TissueMap) {
    this.#model = model;
    this.#map = map;
    this.#seed = hash(model.seed, 303);
  }

  /** Pieces that may touch a rectangle of the plane (um); always in the same order. */
  piecesIn(fromX: number, fromY: number, toX: number, toY: number): VesselPiece[] {
    const found: VesselPiece[] = [];
    const reach = 40;
    for (let by = Math.floor((fromY - margin) / blockUm); by * blockUm < toY + margin; by++) {
      for (let bx = Math.floor((fromX - margin) / blockUm); bx * blockUm < toX + margin; bx++) {
        for (const piece of this.#block(bx, by)) {
          const inX =
            Math.max(piece.x0, piece.x1) > fromX - reach && Math.min(piece.x0, piece.x1) < toX + reach;
          const inY =
            Math.max(piece.y0, piece.y1) > fromY - reach && Math.min(piece.y0, piece.y1) < toY + reach;
          if (inX && inY) found.push(piece);
        }
      }
    }
    return found;
  }

  #block(bx: number, by: number): VesselPiece[] {
    const name = `${bx},${by}`;
    let pieces = this.#blocks.get(name);
    if (pieces === undefined) {
      pieces = edgesOfBlock(this.#model, this.#map, bx, by).flatMap((edge) => this.#pieces(edge));
      // The blocks used last stay, about a row of tiles of `standard`; others can be made again.
      if (this.#blocks.size >= keptBlocks) this.#blocks.delete(this.#blocks.keys().next().value!);
    }
    this.#blocks.delete(name);
    this.#blocks.set(name, pieces);
    return pieces;
  }

  #pieces(edge: VesselEdge): VesselPiece[] {
    const { a, b } = edge;
    if (Math.min(a.z, b.z) > nearUm + 25 || Math.max(a.z, b.z) < -nearUm - 25) return [];
    const { vessels } = this.#model;
    const rng = new LocalRng(edge.key);
    const caliber = rng.logNormal(vessels.radiusSigma);
    const radiusA = this.#nodeRadius(a);
    const radiusB = this.#nodeRadius(b);
    const isFlat = rng.uniform() < 0.5;
    const flattening = isFlat ? 1.7 + 3 * rng.uniform() : 1 + 0.35 * rng.uniform();
    const stain = rng.logNormal(vessels.stainSigma);
    const narrowing = 0.55 + 0.4 * rng.uniform();
    const angle = 2 * Math.PI * rng.uniform();
    const height = 2 * rng.uniform() - 1;
    const across = [
      Math.sqrt(1 - height * height) * Math.cos(angle),
      Math.sqrt(1 - height * height) * Math.sin(angle),
      height,
    ];
    const length = Math.hypot(b.x - a.x, b.y - a.y, b.z - a.z);
    const steps = Math.max(2, Math.round((1.2 * length) / pieceUm));
    const course = hermite(edge, length);
    const radiusUm = caliber * Math.sqrt(radiusA * radiusB) * (narrowing + (1 - narrowing) / 3);
    const vessel: Vessel = { id: edge.id, key: edge.key, radiusUm, flattening, stain };
    const pieces: VesselPiece[] = [];
    let from: Station | undefined;
    for (let n = 0; n <= steps; n++) {
      const t = n / steps;
      const [x, y, z] = course(t);
      // Cheap test before the noise: no bend is larger than 25 um.
      if (Math.abs(z) > nearUm + 25) {
        from = undefined;
        continue;
      }
      const to = this.#station(x, y, z);
      // Wider where vessels meet, narrow between; beaded.
      const waist = narrowing + (1 - narrowing) * (2 * t - 1) ** 2;
      const own = caliber ** (4 * t * (1 - t));
      to.r = own * radiusA ** (1 - t) * radiusB ** t * waist * (1 + 0.35 * to.bead);
      to.s =
        stain ** smoothstep(0, 0.15, Math.min(t, 1 - t)) * Math.exp(2.6 * vessels.stainAlongSigma * to.tone);
      if (from !== undefined && Math.abs(from.z + to.z) < 2 * nearUm) {
        pieces.push(makePiece(vessel, from, to, across));
      }
      from = to;
    }
    return pieces;
  }

  /** Bends everything that is near together, so that vessels still meet after bending. */
  #station(x: number, y: number, z: number): Station {
    const seed = this.#seed;
    const slow = (c: number): number => noise3(seed + c, x / 45, y / 45, z / 45);
    const quick = (c: number): number => noise3(seed + 3 + c, x / 16, y / 16, z / 16);
    return {
      x: x + 26 * slow(0) + 11 * quick(0),
      y: y + 26 * slow(1) + 11 * quick(1),
      z: z + 9 * slow(2) + 3.5 * quick(2),
      r: 0,
      s: 0,
      bead: noise3(seed + 9, x / 10, y / 10, z / 10),
      tone: noise3(seed + 10, x / 14, y / 14, z / 14) + 0.6 * noise3(seed + 11, x / 120, y / 120, z / 120),
    };
  }

  #nodeRadius({ key, x, y, z }: VesselEdge['a']): number {
    const { radiusUm, radiusSigma } = this.#model.vessels;
    const rng = new LocalRng(hash(key, 7));
    // Venules: neighbouring points where a slow field is high are wide together.
    const wide = smoothstep(0.3, 0.6, noise3(this.#seed + 20, x / 150, y / 150, z / 150));
    return radiusUm * rng.logNormal(radiusSigma) * (1 + 1.6 * wide);
  }
}

/** Cubic curve (Hermite) between the ends of an edge along its tangents there; 0 <= t <= 1. */
function hermite({ a, b, fromA, toB }: VesselEdge, length: number): (t: number) => [number, number, number] {
  return (t) => {
    const s = 1 - t;
    const [atA, atB] = [(1 + 2 * t) * s * s, t * t * (3 - 2 * t)];
    const [outA, intoB] = [t * s * s * length, -t * t * s * length];
    return [
      atA * a.x + atB * b.x + outA * fromA[0] + intoB * toB[0],
      atA * a.y + atB * b.y + outA * fromA[1] + intoB * toB[1],
      atA * a.z + atB * b.z + outA * fromA[2] + intoB * toB[2],
    ];
  };
}

interface Station {
  x: number;
  y: number;
  z: number;
  r: number;
  s: number;
  bead: number;
  tone: number;
}

function makePiece(vessel: Vessel, from: Station, to: Station, across: readonly number[]): VesselPiece {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const dz = to.z - from.z;
  const length2 = Math.max(1e-9, dx * dx + dy * dy + dz * dz);
  const along = (across[0] * dx + across[1] * dy + across[2] * dz) / length2;
  const nx = across[0] - along * dx;
  const ny = across[1] - along * dy;
  const nz = across[2] - along * dz;
  const norm = 1 / Math.max(1e-6, Math.hypot(nx, ny, nz));
  return {
    vessel,
    x0: from.x,
    y0: from.y,
    z0: from.z,
    x1: to.x,
    y1: to.y,
    z1: to.z,
    r0: from.r,
    r1: to.r,
    nx: nx * norm,
    ny: ny * norm,
    nz: nz * norm,
    s0: from.s,
    s1: to.s,
  };
}
