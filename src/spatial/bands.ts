// Reads a slide once from top to bottom as bands of full-width rows, each with a halo of rows above and below.
import { throwIfCancelled } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { createRaster, type Raster } from '../core/raster.ts';

/** Rows `y` to `y + height` of a slide, with `above` further rows before and some after in `raster`. */
export interface Band {
  /** First row that belongs to this band. */
  readonly y: number;
  /** Rows that belong to this band; the bands of a slide cover it once. */
  readonly height: number;
  /** Halo rows in `raster` before row `y`; fewer than asked for at the upper edge. */
  readonly above: number;
  /** [channels, above + height + below, width]; reused memory: do not keep it after the next band. */
  readonly raster: Raster;
}

export interface BandOptions {
  /** Rows a band; chosen so that a band takes about 32 MiB unless given. Results must not depend on it. */
  readonly rows?: number;
  /** Rows wanted above and below; cut off at the slide's edges. */
  readonly halo?: number;
  readonly signal?: AbortSignal;
  /** Called after each band with the rows done. */
  readonly onRows?: (done: number, total: number) => void;
}

const bandBytes = 32 * 2 ** 20;

/** Rows of a band that keep `channels` float32 rows of `width` pixels near 32 MiB; 16 to 1024. */
export function rowsPerBand(width: number, channels: number): number {
  return Math.max(16, Math.min(1024, Math.floor(bandBytes / (4 * width * Math.max(1, channels)))));
}

/** Every row is read from the source once; halo rows are carried over from band to band. */
export async function* bandsOf(
  source: PixelSource,
  channels: readonly number[],
  options: BandOptions = {},
): AsyncGenerator<Band> {
  const { width, height } = source;
  const halo = options.halo ?? 0;
  const rows = options.rows ?? rowsPerBand(width, channels.length);
  let held: Raster | undefined;
  let heldFrom = 0;
  for (let y = 0; y < height; y += rows) {
    throwIfCancelled(options.signal);
    const bandHeight = Math.min(rows, height - y);
    const from = Math.max(0, y - halo);
    const to = Math.min(height, y + bandHeight + halo);
    const raster = createRaster(channels.length, to - from, width);
    const heldTo = held ? heldFrom + held.height : from;
    if (held) copyRows(held, from - heldFrom, raster, 0, heldTo - from);
    if (heldTo < to) {
      const region = { x: 0, y: heldTo, width, height: to - heldTo };
      const fresh = await source.read(region, channels, { signal: options.signal });
      copyRows(fresh, 0, raster, heldTo - from, to - heldTo);
    }
    held = raster;
    heldFrom = from;
    yield { y, height: bandHeight, above: y - from, raster };
    options.onRows?.(y + bandHeight, height);
  }
}

function copyRows(source: Raster, fromRow: number, target: Raster, toRow: number, rows: number): void {
  for (let c = 0; c < source.channels; c++) {
    const from = (c * source.height + fromRow) * source.width;
    target.data.set(
      source.data.subarray(from, from + rows * source.width),
      (c * target.height + toRow) * target.width,
    );
  }
}
