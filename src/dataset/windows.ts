// The grid of patch windows over a slide.
import type { TissueMask } from './tissue-mask.ts';

/** A patch window; (x, y) is its upper left corner in pixels of the dataset's pixel size. */
export interface Window {
  readonly x: number;
  readonly y: number;
  /** Share of the patch that is tissue, 0 to 1; what lies outside the slide counts as none. */
  readonly tissue: number;
}

export interface WindowGrid {
  /** Windows with enough tissue, row by row. */
  readonly windows: Window[];
  /** Windows left out for too little tissue. */
  readonly dropped: number;
}

/**
 * Windows that cover the slide, as few as the overlap allows and evenly spread, the first flush with the left and
 * upper edge, the last with the right and lower one; kept when their tissue share reaches `minTissue`. A slide
 * smaller than the patch has one window along that axis, at 0.
 * @param overlap smallest share of a patch's edge shared with its neighbour, 0 to below 1
 */
export function gridWindows(
  width: number,
  height: number,
  patch: number,
  mask: TissueMask,
  { minTissue, overlap = 0 }: { minTissue: number; overlap?: number },
): WindowGrid {
  const windows: Window[] = [];
  let dropped = 0;
  for (const y of origins(height, patch, overlap)) {
    for (const x of origins(width, patch, overlap)) {
      const tissue = tissueShare(mask, x, y, patch, width, height);
      if (tissue > 0 && tissue >= minTissue) windows.push({ x, y, tissue });
      else dropped++;
    }
  }
  return { windows, dropped };
}

function origins(length: number, patch: number, overlap: number): number[] {
  if (length <= patch) return [0];
  const count = Math.ceil((length - patch) / (patch * (1 - overlap))) + 1;
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - patch)) / (count - 1)));
}

/** Share of the square patch at (x, y) that is tissue, by area of the mask's cells. */
function tissueShare(
  mask: TissueMask,
  x: number,
  y: number,
  patch: number,
  width: number,
  height: number,
): number {
  const endX = Math.min(x + patch, width);
  const endY = Math.min(y + patch, height);
  const { cellPx, cellsWide, cells } = mask;
  let area = 0;
  for (let row = Math.floor(y / cellPx); row * cellPx < endY; row++) {
    const high = Math.min(endY, (row + 1) * cellPx) - Math.max(y, row * cellPx);
    for (let column = Math.floor(x / cellPx); column * cellPx < endX; column++) {
      if (cells[row * cellsWide + column] === 0) continue;
      area += high * (Math.min(endX, (column + 1) * cellPx) - Math.max(x, column * cellPx));
    }
  }
  return area / (patch * patch);
}
