// One pass over a slide at full resolution that gathers all the low-resolution figures `prepare` and `predict` need.
import { throwIfCancelled } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf, freeRaster, type Region } from '../core/raster.ts';

/** Edge of the box that intensities are averaged over before percentiles are taken, in micrometres (about). */
const boxUm = 2;
/** Boxes along the edge of a cell, the unit of the tissue mask (about 8 um). */
const boxesPerCell = 4;
/** Cells along the edge of an area, over which sharpness is judged (about 32 um: a few nuclei). */
const cellsPerArea = 4;
/** Most box averages kept for percentiles; a larger slide keeps every second, third, ... box along both axes. */
const maxSamples = 4_000_000;
/** Edge of the region read at once, in pixels (about). */
const chunkPx = 2048;

/** What was gathered of one channel. */
export interface ChannelScan {
  readonly name: string;
  /**
   * Per cell [cellsHigh * cellsWide], of its finite pixels: the mean (NaN where there is none), the sum of squared
   * deviations from it, and their number. Kept as deviations, so that single precision is enough.
   */
  readonly cellMean: Float32Array;
  readonly cellSquares: Float32Array;
  readonly cellCount: Float32Array;
  /** Per area [areasHigh * areasWide], over its boxes: sum of their averages, of those squared, and their number. */
  readonly areaSum: Float64Array;
  readonly areaSquares: Float64Array;
  readonly areaCount: Float64Array;
  /** Per area: sum of squared differences between neighbouring boxes, and how many pairs there are. */
  readonly areaStep: Float64Array;
  readonly areaSteps: Float64Array;
  /** Averages over boxes on a regular grid [samplesHigh * samplesWide]; NaN where a box holds no finite pixel. */
  readonly samples: Float32Array;
  /** Of the finite pixels; NaN where there are none. */
  readonly min: number;
  readonly max: number;
  /** Per cell, pixels that have the value `max`: many, where a camera or a conversion has cut off what was brighter. */
  readonly cellAtMax: Float32Array;
  /** Pixels that are NaN or infinite. */
  readonly notFinitePx: number;
}

/** The slide at low resolution. Its figures do not depend on the file's pyramid. */
export interface SlideScan {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly pixelSizeUm: number;
  readonly boxPx: number;
  readonly cellPx: number;
  readonly cellsWide: number;
  readonly cellsHigh: number;
  readonly areaPx: number;
  readonly areasWide: number;
  readonly areasHigh: number;
  /** Every how many boxes a sample was kept. */
  readonly sampleEvery: number;
  readonly samplesWide: number;
  readonly samplesHigh: number;
  /** In the order asked for. */
  readonly channels: readonly ChannelScan[];
  /** 1 where no input holds anything but zeros and non-finite values in the whole cell [cellsHigh * cellsWide]. */
  readonly blank: Uint8Array;
}

export interface ScanChannels {
  /** Channel indices of the inputs; they decide what is blank. */
  readonly inputs: readonly number[];
  /** Further channels to scan, e.g. the target; they come after the inputs in `SlideScan.channels`. */
  readonly others?: readonly number[];
}

/** A chunk of the slide, read at once. */
interface Chunk {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly plane: Float32Array;
}

/** Of the finite pixels of each box of a row of boxes. */
interface BoxRow {
  readonly sum: Float64Array;
  readonly squares: Float64Array;
  readonly count: Float64Array;
}

type Grid = Omit<SlideScan, 'channels' | 'blank'>;

/**
 * Reads the whole slide once, in chunks, with memory bounded by one chunk and the cells.
 * @param pixelSizeUm decides how many pixels a box of about 2 um takes; a pixel larger than that is its own box
 * @throws FormatError for damaged data, CancelledError
 */
export async function scanSlide(
  source: PixelSource,
  { inputs, others = [] }: ScanChannels,
  pixelSizeUm: number,
  work: WorkOptions = {},
): Promise<SlideScan> {
  const wanted = [...inputs, ...others];
  const { width, height } = source;
  const grid = gridOf(width, height, pixelSizeUm);
  const channels = wanted.map((index) => new Gathering(grid, source.channels[index].name));
  const blank = new Uint8Array(grid.cellsWide * grid.cellsHigh).fill(1);
  const step = Math.max(1, Math.round(chunkPx / grid.areaPx)) * grid.areaPx;
  const regions: Region[] = [];
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) {
      regions.push({ x, y, width: Math.min(step, width - x), height: Math.min(step, height - y) });
    }
  }
  const read = (region: Region) => source.read(region, wanted, { signal: work.signal });
  let next = read(regions[0]);
  // Where work was cancelled before, that is said first.
  next.catch(() => {});
  for (const [i, region] of regions.entries()) {
    throwIfCancelled(work.signal, 'reading the slide');
    const raster = await next;
    // Decoded by other threads while this one computes.
    if (i + 1 < regions.length) next = read(regions[i + 1]);
    next.catch(() => {});
    channels.forEach((channel, c) => {
      channel.add({ ...region, plane: channelOf(raster, c) }, c < inputs.length ? blank : undefined);
    });
    freeRaster(raster);
    work.onProgress?.({
      stage: 'reading the slide',
      done: ((i + 1) / regions.length) * height,
      total: height,
    });
  }
  return { ...grid, channels: channels.map((channel) => channel.scan()), blank };
}

function gridOf(widthPx: number, heightPx: number, pixelSizeUm: number): Grid {
  const boxPx = Math.max(1, Math.round(boxUm / pixelSizeUm));
  const cellPx = boxPx * boxesPerCell;
  const areaPx = cellPx * cellsPerArea;
  const boxesWide = Math.ceil(widthPx / boxPx);
  const boxesHigh = Math.ceil(heightPx / boxPx);
  const sampleEvery = Math.max(1, Math.ceil(Math.sqrt((boxesWide * boxesHigh) / maxSamples)));
  return {
    widthPx,
    heightPx,
    pixelSizeUm,
    boxPx,
    cellPx,
    cellsWide: Math.ceil(widthPx / cellPx),
    cellsHigh: Math.ceil(heightPx / cellPx),
    areaPx,
    areasWide: Math.ceil(widthPx / areaPx),
    areasHigh: Math.ceil(heightPx / areaPx),
    sampleEvery,
    samplesWide: Math.ceil(boxesWide / sampleEvery),
    samplesHigh: Math.ceil(boxesHigh / sampleEvery),
  };
}

/** Gathers one channel, chunk by chunk. */
class Gathering {
  readonly #grid: Grid;
  readonly #scan: { -readonly [K in keyof ChannelScan]: ChannelScan[K] };
  /** Those that hold the largest value so far. */
  readonly #cellsAtMax: number[] = [];

  constructor(grid: Grid, name: string) {
    this.#grid = grid;
    const cells = grid.cellsWide * grid.cellsHigh;
    const areas = grid.areasWide * grid.areasHigh;
    this.#scan = {
      name,
      cellMean: new Float32Array(cells).fill(Number.NaN),
      cellSquares: new Float32Array(cells),
      cellCount: new Float32Array(cells),
      areaSum: new Float64Array(areas),
      areaSquares: new Float64Array(areas),
      areaCount: new Float64Array(areas),
      areaStep: new Float64Array(areas),
      areaSteps: new Float64Array(areas),
      samples: new Float32Array(grid.samplesWide * grid.samplesHigh),
      min: Number.POSITIVE_INFINITY,
      max: Number.NEGATIVE_INFINITY,
      cellAtMax: new Float32Array(cells),
      notFinitePx: 0,
    };
  }

  /** @param blank cells that hold anything but zeros are cleared in it */
  add(chunk: Chunk, blank: Uint8Array | undefined): void {
    const { boxPx } = this.#grid;
    const wide = Math.ceil(chunk.width / boxPx);
    const sums: BoxRow = {
      sum: new Float64Array(wide),
      squares: new Float64Array(wide),
      count: new Float64Array(wide),
    };
    let [above, means] = [new Float64Array(wide).fill(Number.NaN), new Float64Array(wide)];
    for (let y = 0; y < chunk.height; y += boxPx) {
      this.#sumBoxes(chunk, y, sums);
      for (let column = 0; column < wide; column++) {
        means[column] = this.#addBox(chunk, column, y, sums, blank);
        this.#addToArea(chunk, column * boxPx, y, means[column], means[column - 1], above[column]);
      }
      [above, means] = [means, above];
    }
  }

  /** Sums of the boxes whose upper edge is row `top` of the chunk. Most of the time goes here. */
  #sumBoxes(chunk: Chunk, top: number, { sum, squares, count }: BoxRow): void {
    const { plane, width, height } = chunk;
    const { boxPx, cellPx, cellsWide } = this.#grid;
    const cellRow = Math.floor((chunk.y + top) / cellPx) * cellsWide;
    const wide = sum.length;
    let { min, max } = this.#scan;
    sum.fill(0);
    squares.fill(0);
    count.fill(0);
    const bottom = Math.min(height, top + boxPx);
    for (let y = top; y < bottom; y++) {
      let at = y * width;
      const rowEnd = at + width;
      for (let column = 0; column < wide; column++) {
        const end = Math.min(rowEnd, at + boxPx);
        let [boxSum, boxSquares, finite] = [sum[column], squares[column], 0];
        for (; at < end; at++) {
          const value = plane[at];
          if (value - value !== 0) continue; // NaN or infinite
          boxSum += value;
          boxSquares += value * value;
          finite++;
          if (value < min) min = value;
          if (value >= max) {
            if (value > max) this.#forgetAtMax();
            max = value;
            this.#countAtMax(cellRow + Math.floor((chunk.x + column * boxPx) / cellPx));
          }
        }
        sum[column] = boxSum;
        squares[column] = boxSquares;
        count[column] += finite;
      }
    }
    const scan = this.#scan;
    scan.min = min;
    scan.max = max;
  }

  #countAtMax(cell: number): void {
    if (this.#scan.cellAtMax[cell]++ === 0) this.#cellsAtMax.push(cell);
  }

  /** A larger value was found. */
  #forgetAtMax(): void {
    for (const cell of this.#cellsAtMax) this.#scan.cellAtMax[cell] = 0;
    this.#cellsAtMax.length = 0;
  }

  /** @returns the box's average; NaN where it holds no finite pixel */
  #addBox(chunk: Chunk, column: number, boxY: number, sums: BoxRow, blank: Uint8Array | undefined): number {
    const scan = this.#scan;
    const { boxPx, cellPx, cellsWide, sampleEvery, samplesWide } = this.#grid;
    const boxX = column * boxPx;
    const [sum, squares, count] = [sums.sum[column], sums.squares[column], sums.count[column]];
    const area = Math.min(boxPx, chunk.width - boxX) * Math.min(boxPx, chunk.height - boxY);
    scan.notFinitePx += area - count;
    const x = chunk.x + boxX;
    const y = chunk.y + boxY;
    const cell = Math.floor(y / cellPx) * cellsWide + Math.floor(x / cellPx);
    if (squares > 0 && blank !== undefined) blank[cell] = 0;
    const mean = count > 0 ? sum / count : Number.NaN;
    if (count > 0) {
      // Chan, Golub and LeVeque 1979: moments of a union from those of its parts.
      const before = scan.cellCount[cell];
      const step = before === 0 ? mean : mean - scan.cellMean[cell];
      const total = before + count;
      scan.cellMean[cell] = before === 0 ? mean : scan.cellMean[cell] + (step * count) / total;
      scan.cellSquares[cell] +=
        Math.max(0, squares - sum * mean) + (before === 0 ? 0 : (step * step * before * count) / total);
      scan.cellCount[cell] = total;
    }
    const every = boxPx * sampleEvery;
    if (x % every === 0 && y % every === 0) scan.samples[(y / every) * samplesWide + x / every] = mean;
    return mean;
  }

  #addToArea(
    chunk: Chunk,
    boxX: number,
    boxY: number,
    mean: number,
    left: number | undefined,
    above: number,
  ): void {
    if (Number.isNaN(mean)) return;
    const { areaPx, areasWide } = this.#grid;
    const scan = this.#scan;
    const area = Math.floor((chunk.y + boxY) / areaPx) * areasWide + Math.floor((chunk.x + boxX) / areaPx);
    scan.areaSum[area] += mean;
    scan.areaSquares[area] += mean * mean;
    scan.areaCount[area]++;
    if (left !== undefined && !Number.isNaN(left)) {
      scan.areaStep[area] += (mean - left) ** 2;
      scan.areaSteps[area]++;
    }
    if (!Number.isNaN(above)) {
      scan.areaStep[area] += (mean - above) ** 2;
      scan.areaSteps[area]++;
    }
  }

  scan(): ChannelScan {
    const scan = this.#scan;
    return scan.max < scan.min ? { ...scan, min: Number.NaN, max: Number.NaN } : scan;
  }
}
