/** Cuts a slide into tiles such that a network's result on them does not depend on where the cuts are. */
import type { Region } from '../core/raster.ts';

export interface Tile {
  /** What the tile adds to the result. */
  readonly core: Region;
  /** What the network must see for it; sides are multiples of the stride and may reach over the right and lower edge of the slide. */
  readonly window: Region;
}

export interface TilePlan {
  readonly stride: number;
  /** Pixels to see around a core, a multiple of the stride; 0 with a fixed tile. */
  readonly halo: number;
  /** Wanted edge of a core. */
  readonly tilePx: number;
  /** Edge of every window, for a network whose result depends on it. */
  readonly fixedTile?: number;
}

/**
 * Tiles row by row. Windows begin at multiples of the stride, hold at least the halo around their core, and end
 * at the slide's edge (rounded up to the stride), where the network pads by itself as it would on the whole slide.
 */
export function planTiles(width: number, height: number, plan: TilePlan): Tile[] {
  const { stride, fixedTile } = plan;
  const step = fixedTile ?? Math.max(stride, Math.floor(plan.tilePx / stride) * stride);
  const tiles: Tile[] = [];
  for (let y = 0; y < height; y += step) {
    const rows = span(y, step, height, plan);
    for (let x = 0; x < width; x += step) {
      const columns = span(x, step, width, plan);
      tiles.push({
        core: { x, y, width: Math.min(step, width - x), height: Math.min(step, height - y) },
        window: {
          x: columns.from,
          y: rows.from,
          width: columns.to - columns.from,
          height: rows.to - rows.from,
        },
      });
    }
  }
  return tiles;
}

function span(from: number, step: number, extent: number, plan: TilePlan): { from: number; to: number } {
  if (plan.fixedTile !== undefined) return { from, to: from + plan.fixedTile };
  const end = Math.ceil(extent / plan.stride) * plan.stride;
  return { from: Math.max(0, from - plan.halo), to: Math.min(end, from + step + plan.halo) };
}

/** What the program needs apart from tiles: itself, the network, decoded and waiting pixels of the files. */
const baseBytes = 300e6;
/** The runtime's working space, measured on `hrpn`: it needs this many times what is alive at once. */
const workingFactor = 1.75;
/** Copies of a window on its way in and out, apart from its input roles. */
const copiesBytesPerPixel = 24;
/** The planes of an interval on their way out. */
const intervalBytesPerPixel = 24;
/** Tiles of the files are 512 px; half of that wastes little. */
const tileMultiple = 256;

/**
 * Edge of the largest tile that keeps prediction within a memory budget, 256 px at least, and the memory that it takes:
 * more than the budget where that is too small even for these.
 * @param model its activation memory, halo in pixels and fixed tile, whose edge is given whatever the budget
 * @param hasInterval whether both ends of an interval are written beside the prediction
 * @param rowBytes of every row of the slide, kept for as many rows as a tile sees
 */
export function tileWithin(
  budgetBytes: number,
  model: {
    readonly activationBytesPerPixel: number;
    readonly halo: number;
    readonly fixedTile?: number;
    readonly roles: readonly string[];
  },
  hasInterval: boolean,
  rowBytes = 0,
): { tilePx: number; bytes: number } {
  const { halo, fixedTile } = model;
  const perPixel =
    workingFactor * model.activationBytesPerPixel +
    copiesBytesPerPixel +
    8 * model.roles.length +
    (hasInterval ? intervalBytesPerPixel : 0);
  // perPixel window^2 + rowBytes window = what is left of the budget
  const half = rowBytes / (2 * perPixel);
  const window = Math.sqrt(half ** 2 + Math.max(0, budgetBytes - baseBytes) / perPixel) - half;
  const tilePx = fixedTile ?? Math.max(1, Math.floor((window - 2 * halo) / tileMultiple)) * tileMultiple;
  const edge = tilePx + 2 * halo;
  return { tilePx, bytes: baseBytes + perPixel * edge ** 2 + rowBytes * edge };
}
