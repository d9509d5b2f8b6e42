// One pass over a slide at full resolution that gathers all the low-resolution figures `prepare` and `predict` need.
import { throwIfCancelled } from '../core/errors.ts';
import { type PixelSource, sampleRange } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf } from '../core/raster.ts';

/** Edge of the box that intensities are averaged over before percentiles are taken, in micrometres (about). */
const boxUm = 2;
/** Boxes along the edge of a cell, the unit of the tissue mask (about 8 um). */
const boxesPerCell = 4;
/** Most box averages kept for percentiles; a larger slide keeps every second, third, ... box along both axes. */
const maxSamples = 4_000_000;
/** Edge of the region read at once, in pixels (about). */
const chunkPx = 2048;

/** What was gathered of one channel. */
export interface ChannelScan {
  readonly name: string;
  /** Per cell [cellsHigh * cellsWide]: sum and sum of squares of the finite pixels, and how many there are. */
  readonly cellSum: Float64Array;
  readonly cellSquares: Float64Array;
  readonly cellCount: Float32Array;
  /** Per cell, over its boxes: sum of their averages, of those squared, and how many there are. */
  readonly boxSquares: Float64Array;
  readonly boxSum: Float64Array;
  readonly boxCount: Float32Array;
  /** Averages over boxes on a regular grid [samplesHigh * samplesWide]; NaN where a box holds no finite pixel. */
  readonly samples: Float32Array;
  /** Of the finite pixels; NaN where there are none. */
  readonly min: number;
  readonly max: number;
  /** Pixels at the largest value that the sample type can hold; 0 for floating point. */
  readonly saturatedPx: number;
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

type Gathering = { -readonly [K in keyof ChannelScan]: ChannelScan[K] };

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
  const boxPx = Math.max(1, Math.round(boxUm / pixelSizeUm));
  const cellPx = boxPx * boxesPerCell;
  const cellsWide = Math.ceil(width / cellPx);
  const cellsHigh = Math.ceil(height / cellPx);
  const boxesWide = Math.ceil(width / boxPx);
  const boxesHigh = Math.ceil(height / boxPx);
  const sampleEvery = Math.max(1, Math.ceil(Math.sqrt((boxesWide * boxesHigh) / maxSamples)));
  const samplesWide = Math.ceil(boxesWide / sampleEvery);
  const samplesHigh = Math.ceil(boxesHigh / sampleEvery);
  const cells = cellsWide * cellsHigh;
  const channels: Gathering[] = wanted.map((index) => ({
    name: source.channels[index].name,
    cellSum: new Float64Array(cells),
    cellSquares: new Float64Array(cells),
    cellCount: new Float32Array(cells),
    boxSquares: new Float64Array(cells),
    boxSum: new Float64Array(cells),
    boxCount: new Float32Array(cells),
    samples: new Float32Array(samplesWide * samplesHigh),
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    saturatedPx: 0,
  }));
  const ceilings = wanted.map((index) => sampleRange(source.channels[index].sampleType)?.max);
  const blank = new Uint8Array(cells).fill(1);
  const step = Math.max(1, Math.round(chunkPx / cellPx)) * cellPx;

  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) {
      throwIfCancelled(work.signal, 'reading the slide');
      const region = { x, y, width: Math.min(step, width - x), height: Math.min(step, height - y) };
      const raster = await source.read(region, wanted, { signal: work.signal });
      for (let c = 0; c < wanted.length; c++) {
        const plane = channelOf(raster, c);
        const channel = channels[c];
        const ceiling = ceilings[c] ?? Number.POSITIVE_INFINITY;
        let { min, max, saturatedPx } = channel;
        for (let boxY = 0; boxY < region.height; boxY += boxPx) {
          const endY = Math.min(region.height, boxY + boxPx);
          const row = Math.floor((y + boxY) / cellPx) * cellsWide;
          const sampleRow = (y + boxY) / boxPx;
          const keepRow = sampleRow % sampleEvery === 0;
          for (let boxX = 0; boxX < region.width; boxX += boxPx) {
            const endX = Math.min(region.width, boxX + boxPx);
            let sum = 0;
            let squares = 0;
            let count = 0;
            let anything = false;
            for (let py = boxY; py < endY; py++) {
              for (let at = py * region.width + boxX, end = py * region.width + endX; at < end; at++) {
                const value = plane[at];
                if (!Number.isFinite(value)) continue;
                sum += value;
                squares += value * value;
                count++;
                if (value !== 0) anything = true;
                if (value < min) min = value;
                if (value > max) max = value;
                if (value >= ceiling) saturatedPx++;
              }
            }
            const cell = row + Math.floor((x + boxX) / cellPx);
            channel.cellSum[cell] += sum;
            channel.cellSquares[cell] += squares;
            channel.cellCount[cell] += count;
            if (count > 0) {
              channel.boxSum[cell] += sum / count;
              channel.boxSquares[cell] += (sum / count) ** 2;
              channel.boxCount[cell]++;
            }
            if (anything && c < inputs.length) blank[cell] = 0;
            const sampleColumn = (x + boxX) / boxPx;
            if (keepRow && sampleColumn % sampleEvery === 0) {
              channel.samples[(sampleRow / sampleEvery) * samplesWide + sampleColumn / sampleEvery] =
                count > 0 ? sum / count : Number.NaN;
            }
          }
        }
        Object.assign(channel, { min, max, saturatedPx });
      }
      work.onProgress?.({
        stage: 'reading the slide',
        done: Math.min(height, y + (x + step >= width ? step : 0)),
        total: height,
      });
    }
  }
  for (const channel of channels) {
    if (channel.max < channel.min) Object.assign(channel, { min: Number.NaN, max: Number.NaN });
  }
  return {
    widthPx: width,
    heightPx: height,
    pixelSizeUm,
    boxPx,
    cellPx,
    cellsWide,
    cellsHigh,
    sampleEvery,
    samplesWide,
    samplesHigh,
    channels,
    blank,
  };
}

/** Averages of one channel over cells [cellsHigh * cellsWide]; NaN where a cell holds no finite pixel. */
export function cellMeans(channel: ChannelScan): Float64Array {
  return channel.cellSum.map((sum, i) =>
    channel.cellCount[i] > 0 ? sum / channel.cellCount[i] : Number.NaN,
  );
}
