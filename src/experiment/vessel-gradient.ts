// How much brighter an image is beside vessels than far from them, and how sure that is.
import type { TissueMask } from '../dataset/tissue-mask.ts';
import type { PairRow } from './score-slide.ts';

/** Tissue beside the vessels and tissue far from them, in micrometres from the nearest wall. */
const nearUm = [3, 10] as const;
const farUm = 25;
/** Edge of the blocks that are taken for independent of each other. */
const blockUm = 100;

export interface Gradient {
  /** Mean 3 to 10 um from a vessel less the mean beyond 25 um; NaN where there is none of either. */
  readonly value: number;
  /** Its standard error from the differences between blocks; NaN for fewer than two with such tissue. */
  readonly error: number;
}

interface BlockSums {
  near: number;
  nearPixels: number;
  far: number;
  farPixels: number;
}

/** Takes an image row by row; units are the image's. */
export class GradientTally {
  readonly #solid: TissueMask;
  readonly #blockPx: number;
  readonly #blocks = new Map<number, BlockSums>();

  /** @param solid tissue not beside glass (`solidCells`): its dark rim lies far from vessels */
  constructor(solid: TissueMask, pixelSizeUm: number) {
    this.#solid = solid;
    this.#blockPx = Math.max(1, Math.round(blockUm / pixelSizeUm));
  }

  /** Missing pixels (NaN) are left out. */
  add(
    values: Float32Array,
    { y, distanceUm, inTissue }: Pick<PairRow, 'y' | 'distanceUm' | 'inTissue'>,
  ): void {
    const { cells, cellsWide, cellPx } = this.#solid;
    const cellRow = Math.floor(y / cellPx) * cellsWide;
    const blockRow = Math.floor(y / this.#blockPx) * 2 ** 20;
    for (let x = 0; x < values.length; x++) {
      if (inTissue[x] === 0 || !Number.isFinite(values[x])) continue;
      const d = distanceUm[x];
      const isNear = d > nearUm[0] && d <= nearUm[1];
      if (!isNear && !(d > farUm && d < Infinity)) continue;
      if (cells[cellRow + Math.floor(x / cellPx)] === 0) continue;
      const block = this.#block(blockRow + Math.floor(x / this.#blockPx));
      if (isNear) {
        block.near += values[x];
        block.nearPixels++;
      } else {
        block.far += values[x];
        block.farPixels++;
      }
    }
  }

  /** A difference of two ratios of sums over blocks, with the error of its linear approximation (Cochran 1977, 6.3). */
  gradient(): Gradient {
    const blocks = [...this.#blocks.values()];
    const total = (of: (block: BlockSums) => number): number =>
      blocks.reduce((sum, block) => sum + of(block), 0);
    const [nearPixels, farPixels] = [total((b) => b.nearPixels), total((b) => b.farPixels)];
    const [near, far] = [total((b) => b.near) / nearPixels, total((b) => b.far) / farPixels];
    const squares = total(
      (b) => ((b.near - near * b.nearPixels) / nearPixels - (b.far - far * b.farPixels) / farPixels) ** 2,
    );
    const n = blocks.length;
    return { value: near - far, error: n < 2 ? Number.NaN : Math.sqrt((squares * n) / (n - 1)) };
  }

  #block(key: number): BlockSums {
    let block = this.#blocks.get(key);
    if (block === undefined) {
      block = { near: 0, nearPixels: 0, far: 0, farPixels: 0 };
      this.#blocks.set(key, block);
    }
    return block;
  }
}

/** The mean over images of other tissue. */
export function meanGradient(gradients: readonly Gradient[]): Gradient {
  const n = gradients.length;
  return {
    value: gradients.reduce((sum, { value }) => sum + value, 0) / n,
    error: Math.sqrt(gradients.reduce((sum, { error }) => sum + error ** 2, 0)) / n,
  };
}
