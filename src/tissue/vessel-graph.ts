// The vessel network as a graph in space: hashed points joined by the relative neighbourhood graph (Toussaint
// 1980): two points are joined when no third is nearer to both. It branches mostly by threes, as vessels do, and
// every edge depends on its surroundings only, so that any block of any network can be made alone.
import { assert } from '../core/errors.ts';
import { hash, LocalRng } from './hash.ts';
import type { SlideModel } from './slide-model.ts';
import { smoothstep, type TissueMap } from './tissue-map.ts';

/** Edge of a lattice cell, each with at most one point; and the layers of cells around the section at z = 0. */
export const cellUm = 22;
const blockCells = 8;
export const blockUm = cellUm * blockCells;
const lowestLayer = -2;
const layers = 5;
const reach = 3;
/** Length of vessel per volume is twice the profiles per area; a full lattice of this cell has about this many. */
const fullDensity = (0.75 * 1e6) / cellUm ** 2;
const maxEdgesOfNode = 4;

interface VesselNode {
  readonly i: number;
  readonly j: number;
  readonly k: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly key: number;
}

export interface VesselEdge {
  /** Positive, unique in the slide, below 2^24 for slides up to 38,000 px. */
  readonly id: number;
  readonly key: number;
  readonly a: VesselNode;
  readonly b: VesselNode;
  /** Unit vectors along the vessel where it leaves `a` and where it reaches `b`: so that it runs on into another. */
  readonly fromA: readonly [number, number, number];
  readonly toB: readonly [number, number, number];
}

/** Edges whose first point lies in a block of `blockCells` x `blockCells` columns of the lattice. */
export function edgesOfBlock(
  model: SlideModel,
  map: TissueMap,
  blockX: number,
  blockY: number,
): VesselEdge[] {
  const fromI = blockX * blockCells - 2 * reach;
  const fromJ = blockY * blockCells - 2 * reach;
  const across = blockCells + 4 * reach;
  const nodes = drawNodes(model, map, fromI, fromJ, across);
  const columns = Math.ceil((model.widthPx * model.pixelSizeUm) / cellUm) + 40;
  const edges: VesselEdge[] = [];
  const tangents = new Map<VesselNode, readonly number[] | undefined>();
  const leaving = (from: VesselNode, to: VesselNode): [number, number, number] => {
    if (!tangents.has(from)) {
      const { i, j, k } = from;
      tangents.set(from, tangentAt(from, neighbours(nodes, across, i - fromI, j - fromJ, k - lowestLayer)));
    }
    return alongTangent(direction(from, to), tangents.get(from));
  };
  for (let v = 2 * reach; v < 2 * reach + blockCells; v++) {
    for (let u = 2 * reach; u < 2 * reach + blockCells; u++) {
      for (let w = 0; w < layers; w++) {
        const a = nodes[(w * across + v) * across + u];
        if (a === undefined) continue;
        const near = neighbours(nodes, across, u, v, w);
        let rank = 0;
        for (const b of near) {
          if (!isBefore(a, b)) continue;
          if (!isJoined(a, b, near) || rank === maxEdgesOfNode) continue;
          const index = ((a.j + 20) * columns + (a.i + 20)) * layers + w;
          const id = 1 + index * maxEdgesOfNode + rank++;
          // Beyond that two vessels would share one value of the float32 image.
          assert(id < 2 ** 24, 'the slide is too large for the ids of its vessels');
          const key = hash(a.key, b.key, 3);
          // A few blind ends, as in tumours.
          if (key % 100 < 6) continue;
          const [x, y, z] = leaving(b, a);
          edges.push({ id, key, a, b, fromA: leaving(a, b), toB: [-x, -y, -z] });
        }
      }
    }
  }
  return edges;
}

function drawNodes(
  model: SlideModel,
  map: TissueMap,
  fromI: number,
  fromJ: number,
  across: number,
): (VesselNode | undefined)[] {
  const seed = hash(model.seed, 202);
  const nodes: (VesselNode | undefined)[] = new Array(across * across * layers);
  for (let w = 0; w < layers; w++) {
    for (let v = 0; v < across; v++) {
      for (let u = 0; u < across; u++) {
        const i = fromI + u;
        const j = fromJ + v;
        const k = lowestLayer + w;
        const key = hash(seed, i, j, k);
        const rng = new LocalRng(key);
        const x = (i + rng.uniform()) * cellUm;
        const y = (j + rng.uniform()) * cellUm;
        const z = (k - 0.5 + rng.uniform()) * cellUm;
        // Edge length grows as points thin out, so that vessel length goes as points to the power 2/3.
        const keep = (map.at(x, y).density / fullDensity) ** 1.5;
        if (rng.uniform() < keep) nodes[(w * across + v) * across + u] = { i, j, k, x, y, z, key };
      }
    }
  }
  return nodes;
}

function neighbours(
  nodes: readonly (VesselNode | undefined)[],
  across: number,
  u: number,
  v: number,
  w: number,
): VesselNode[] {
  const near: VesselNode[] = [];
  for (let dw = Math.max(0, w - reach); dw <= Math.min(layers - 1, w + reach); dw++) {
    for (let dv = v - reach; dv <= v + reach; dv++) {
      for (let du = u - reach; du <= u + reach; du++) {
        if (du === u && dv === v && dw === w) continue;
        const node = nodes[(dw * across + dv) * across + du];
        if (node !== undefined) near.push(node);
      }
    }
  }
  return near;
}

/**
 * What the two vessels of a junction that go most nearly straight on share there: their directions' difference, at
 * least sqrt(2) long. None where fewer than two meet.
 */
function tangentAt(node: VesselNode, near: readonly VesselNode[]): readonly number[] | undefined {
  const ways = near.filter((c) => isJoined(node, c, near)).map((c) => direction(node, c));
  let straightest = 0;
  let tangent: readonly number[] | undefined;
  for (let m = 1; m < ways.length; m++) {
    for (let n = 0; n < m; n++) {
      const turn = dot(ways[m], ways[n]);
      if (turn >= straightest) continue;
      straightest = turn;
      tangent = ways[m].map((value, axis) => value - ways[n][axis]);
    }
  }
  return tangent;
}

/** Direction of a vessel at its end: along the junction's tangent if it made it, else at a slant, as side branches join. */
function alongTangent(
  own: [number, number, number],
  tangent: readonly number[] | undefined,
): [number, number, number] {
  if (tangent === undefined) return own;
  const along = dot(own, tangent);
  const size = Math.sqrt(dot(tangent, tangent));
  // For the two that made it |along| / size is the cosine of half the turn.
  const share = smoothstep(0.3, 0.8, Math.abs(along) / size);
  const [x, y, z] = own.map(
    (value, axis) => (1 - share) * value + (share * Math.sign(along) * tangent[axis]) / size,
  );
  const norm = Math.hypot(x, y, z);
  return [x / norm, y / norm, z / norm];
}

function direction(from: VesselNode, to: VesselNode): [number, number, number] {
  const length = Math.sqrt(squared(from, to));
  return [(to.x - from.x) / length, (to.y - from.y) / length, (to.z - from.z) / length];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function isBefore(a: VesselNode, b: VesselNode): boolean {
  if (a.k !== b.k) return a.k < b.k;
  return a.j !== b.j ? a.j < b.j : a.i < b.i;
}

function isJoined(a: VesselNode, b: VesselNode, near: readonly VesselNode[]): boolean {
  const length = squared(a, b);
  if (length > ((reach - 0.2) * cellUm) ** 2) return false;
  for (const c of near) {
    if (c !== b && squared(a, c) < length && squared(b, c) < length) return false;
  }
  return true;
}

function squared(a: VesselNode, b: VesselNode): number {
  return (a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2;
}
