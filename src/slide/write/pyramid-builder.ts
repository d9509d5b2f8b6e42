// Collects regions into tiles, and tiles into the tiles of all smaller levels, holding no more than what is unfinished.
import { assert } from '../../core/errors.ts';
import type { Raster } from '../../core/raster.ts';
import { encodeValues, type ValueScale } from '../value-scale.ts';
import { halve } from './halve.ts';
import { levelSizes, tilePx, type WrittenType } from './slide-description.ts';
import { toStoredValues } from './stored-values.ts';

/** A tile of one level, as it is stored: values that the sample type can hold. */
export interface FinishedTile {
  readonly level: number;
  readonly column: number;
  readonly row: number;
  /** [channels, height, width]; smaller than a full tile at the right and lower edge. */
  readonly raster: Raster;
}

interface OpenTile {
  readonly raster: Raster;
  missingPx: number;
}

export interface PyramidOptions {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly sampleType: WrittenType;
  readonly valueScale?: ValueScale;
  /** Tiles that are stored already; what is written to them is ignored. */
  readonly isStored: (level: number, column: number, row: number) => boolean;
  /** Called once for every tile that becomes complete. */
  readonly onTile: (tile: FinishedTile) => void;
}

/**
 * Levels are averages of 2 x 2 pixels of the stored values of the level before, so a level can be made again from
 * what is in the file. NaN pixels do not count; the average of NaN alone is NaN.
 */
export class PyramidBuilder {
  readonly #options: PyramidOptions;
  readonly #sizes: readonly { width: number; height: number }[];
  readonly #open: Map<number, OpenTile>[];

  constructor(options: PyramidOptions) {
    this.#options = options;
    this.#sizes = levelSizes(options.width, options.height);
    this.#open = this.#sizes.map(() => new Map());
  }

  get levels(): number {
    return this.#sizes.length;
  }

  /** Bytes held in unfinished tiles. */
  get heldBytes(): number {
    let bytes = 0;
    for (const tiles of this.#open) for (const { raster } of tiles.values()) bytes += raster.data.byteLength;
    return bytes;
  }

  /** Takes a region of level 0 with its upper left corner at (x, y). The raster is copied. */
  write(x: number, y: number, raster: Raster): void {
    assert(
      raster.channels === this.#options.channels,
      `${raster.channels} channels for a slide of ${this.#options.channels}`,
    );
    this.#add(0, x, y, raster);
  }

  /** Takes a tile that is stored, to make those above it that are not. */
  restore(tile: FinishedTile): void {
    if (tile.level + 1 < this.levels) this.#lift(tile);
  }

  /** True when the level above a tile still lacks what the tile contributes. */
  isNeeded(level: number, column: number, row: number): boolean {
    return (
      level + 1 < this.levels &&
      !this.#options.isStored(level + 1, Math.floor(column / 2), Math.floor(row / 2))
    );
  }

  #add(level: number, x: number, y: number, raster: Raster): void {
    const { width, height } = this.#sizes[level];
    assert(
      x >= 0 && y >= 0 && x + raster.width <= width && y + raster.height <= height,
      `region ${x},${y} ${raster.width} x ${raster.height} lies outside ${width} x ${height}`,
    );
    if (raster.width === 0 || raster.height === 0) return;
    const lastColumn = Math.floor((x + raster.width - 1) / tilePx);
    const lastRow = Math.floor((y + raster.height - 1) / tilePx);
    for (let row = Math.floor(y / tilePx); row <= lastRow; row++) {
      for (let column = Math.floor(x / tilePx); column <= lastColumn; column++) {
        if (!this.#options.isStored(level, column, row)) this.#addToTile(level, column, row, x, y, raster);
      }
    }
  }

  #addToTile(level: number, column: number, row: number, x: number, y: number, from: Raster): void {
    const { width, height } = this.#sizes[level];
    const left = column * tilePx;
    const top = row * tilePx;
    const tileWidth = Math.min(tilePx, width - left);
    const tileHeight = Math.min(tilePx, height - top);
    const key = row * Math.ceil(width / tilePx) + column;
    let tile = this.#open[level].get(key);
    if (tile === undefined) {
      const { channels } = this.#options;
      const data = new Float32Array(channels * tileWidth * tileHeight);
      tile = {
        raster: { channels, width: tileWidth, height: tileHeight, data },
        missingPx: tileWidth * tileHeight,
      };
      this.#open[level].set(key, tile);
    }
    const fromX = Math.max(left, x);
    const toX = Math.min(left + tileWidth, x + from.width);
    const fromY = Math.max(top, y);
    const toY = Math.min(top + tileHeight, y + from.height);
    const { raster } = tile;
    for (let c = 0; c < raster.channels; c++) {
      for (let line = fromY; line < toY; line++) {
        const at = (c * from.height + line - y) * from.width + fromX - x;
        raster.data.set(
          from.data.subarray(at, at + toX - fromX),
          (c * tileHeight + line - top) * tileWidth + fromX - left,
        );
      }
    }
    tile.missingPx -= (toX - fromX) * (toY - fromY);
    assert(tile.missingPx >= 0, `regions overlap in tile ${column}, ${row} of level ${level}`);
    if (tile.missingPx > 0) return;
    this.#open[level].delete(key);
    const { sampleType, valueScale } = this.#options;
    if (level === 0 && valueScale !== undefined) encodeValues(raster.data, valueScale, sampleType);
    else toStoredValues(raster.data, sampleType);
    const finished = { level, column, row, raster };
    if (level + 1 < this.levels) this.#lift(finished);
    this.#options.onTile(finished);
  }

  #lift({ level, column, row, raster }: FinishedTile): void {
    this.#add(level + 1, (column * tilePx) / 2, (row * tilePx) / 2, halve(this.#numbers(raster)));
  }

  /** With a scale, a stored 0 is no value and must not count. */
  #numbers(raster: Raster): Raster {
    if (this.#options.valueScale === undefined) return raster;
    return { ...raster, data: raster.data.map((stored) => (stored === 0 ? Number.NaN : stored)) };
  }
}
