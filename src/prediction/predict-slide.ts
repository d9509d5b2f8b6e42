/** Runs a model over a whole slide, tile by tile; reading, computing and writing go on at the same time. */
import { throwIfCancelled } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf, createRaster, cropRaster, freeRaster, type Raster, type Region } from '../core/raster.ts';
import { createModelSession } from '../engine/graph-session.ts';
import type { Session } from '../engine/session.ts';
import type { ModelFile } from '../model/model-file.ts';
import { planTiles, type Tile } from './tiles.ts';

/** normalised = (stored - offset) / scale. */
export interface InputMap {
  readonly offset: number;
  readonly scale: number;
}

/** What a model reads of a slide. */
export interface ModelInput {
  /** At the model's pixel size. */
  readonly source: PixelSource;
  /** Channel indices in the order of the model's roles. */
  readonly channels: readonly number[];
  /** One a role. */
  readonly maps: readonly InputMap[];
}

export interface PredictSlideOptions extends ModelInput {
  readonly model: ModelFile;
  /** Edge of a tile without its halo; changes time and memory, never the result. */
  readonly tilePx: number;
  readonly threads: number;
  /** Adds the spread below and above to the prediction; off unless given, the heads then cost nothing. */
  readonly spread?: boolean;
  /**
   * Takes a predicted tile [outputs, height, width], one output for most models: target units; NaN where an input pixel
   * is not finite. Its memory is given back once that resolves.
   */
  readonly write: (x: number, y: number, raster: Raster) => Promise<void>;
  /** Whether an earlier, interrupted prediction already wrote a tile. */
  readonly isWritten?: (core: Region) => boolean;
}

export interface PredictSlideResult {
  /** All tiles of the slide, and those computed by this call. */
  readonly tiles: number;
  readonly computed: number;
  /** Time in the network. */
  readonly networkSeconds: number;
  readonly seconds: number;
}

/** @throws CancelledError; FormatError from the source; EngineError; whatever `write` throws */
export async function predictSlide(
  options: PredictSlideOptions,
  work: WorkOptions = {},
): Promise<PredictSlideResult> {
  const started = performance.now();
  const { model, source, write, isWritten = () => false } = options;
  const all = planTiles(source.width, source.height, { ...model.manifest, tilePx: options.tilePx });
  const tiles = all.filter(({ core }) => !isWritten(core));
  const total = source.width * source.height;
  let done = total - tiles.reduce((sum, { core }) => sum + core.width * core.height, 0);
  const report = (): void => work.onProgress?.({ stage: 'predicting', done, total, note: 'pixels' });
  let networkMs = 0;
  report();
  const outputs = options.spread ? ['probe', 'spread'] : ['probe'];
  const session = await createModelSession(model.bytes, { threads: options.threads, outputs });
  let next = tiles.length > 0 ? readWindow(options, tiles[0], work.signal) : undefined;
  let writing: Promise<void> = Promise.resolve();
  try {
    for (const [i, tile] of tiles.entries()) {
      throwIfCancelled(work.signal, 'predicting');
      const pixels = await next!;
      const notFinite = replaceNotFinite(pixels, options.maps, tile);
      const before = performance.now();
      const { core, window } = tile;
      const inner = { ...core, x: core.x - window.x, y: core.y - window.y };
      const running = runNetwork(session, pixels, options.maps, inner);
      next = i + 1 < tiles.length ? readWindow(options, tiles[i + 1], work.signal) : undefined;
      next?.catch(() => {});
      const predicted = await running;
      networkMs += performance.now() - before;
      for (let c = 0; c < predicted.channels; c++) {
        for (const at of notFinite) predicted.data[c * core.width * core.height + at] = Number.NaN;
      }
      await writing;
      done += core.width * core.height;
      writing = write(core.x, core.y, predicted).then(() => {
        freeRaster(predicted);
        report();
      });
      writing.catch(() => {});
    }
    await writing;
  } finally {
    await Promise.allSettled([next, writing]);
    await session.close();
  }
  return {
    tiles: all.length,
    computed: tiles.length,
    networkSeconds: networkMs / 1000,
    seconds: (performance.now() - started) / 1000,
  };
}

/**
 * The window's pixels [roles, height, width]. Beyond the right and lower edge the slide is mirrored: a network takes
 * an edge to a constant for the end of the tissue, and errs along it.
 */
async function readWindow(
  { source, channels }: PredictSlideOptions,
  { window }: Tile,
  signal: AbortSignal | undefined,
): Promise<Raster> {
  const inside: Region = {
    ...window,
    width: Math.min(window.width, source.width - window.x),
    height: Math.min(window.height, source.height - window.y),
  };
  const raster = await source.read(inside, channels, { signal });
  if (inside.width === window.width && inside.height === window.height) return raster;
  const out = createRaster(channels.length, window.height, window.width);
  for (let c = 0; c < channels.length; c++) {
    const [from, to] = [channelOf(raster, c), channelOf(out, c)];
    for (let y = 0; y < window.height; y++) {
      const row = mirrored(y, inside.height) * inside.width;
      const at = y * window.width;
      to.set(from.subarray(row, row + inside.width), at);
      for (let x = inside.width; x < window.width; x++) to[at + x] = from[row + mirrored(x, inside.width)];
    }
  }
  return out;
}

/** The index inside 0 to length - 1 that a mirrored one stands for; the last pixel is not repeated. */
function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  const phase = index % (2 * (length - 1));
  return phase < length ? phase : 2 * (length - 1) - phase;
}

/** Gives pixels that are not finite a normalised 0, as in training; returns where they lie in the core. */
function replaceNotFinite(pixels: Raster, maps: readonly InputMap[], { core, window }: Tile): number[] {
  const found: number[] = [];
  maps.forEach(({ offset }, c) => {
    const plane = channelOf(pixels, c);
    for (let i = 0; i < plane.length; i++) {
      if (Number.isFinite(plane[i])) continue;
      plane[i] = offset;
      const x = (i % window.width) + window.x - core.x;
      const y = Math.floor(i / window.width) + window.y - core.y;
      if (x >= 0 && y >= 0 && x < core.width && y < core.height) found.push(y * core.width + x);
    }
  });
  return found;
}

/** All outputs, one after the other [outputs, height, width], of a part of the window. */
async function runNetwork(
  session: Session,
  pixels: Raster,
  maps: readonly InputMap[],
  part: Region,
): Promise<Raster> {
  const { channels, height, width } = pixels;
  const perRole = (values: number[]) => ({ data: Float32Array.from(values), shape: [channels] });
  const { probe, spread } = await session.run({
    pixels: { data: pixels.data, shape: [1, channels, height, width] },
    offset: perRole(maps.map(({ offset }) => offset)),
    scale: perRole(maps.map(({ scale }) => scale)),
  });
  const parts = [probe, ...(spread === undefined ? [] : [spread])].map(({ data, shape }) => {
    const whole = createRaster(shape[1], height, width, data as Float32Array);
    const cropped = cropRaster(whole, part);
    freeRaster(whole);
    return cropped;
  });
  if (parts.length === 1) return parts[0];
  const all = createRaster(parts[0].channels + parts[1].channels, part.height, part.width);
  all.data.set(parts[0].data);
  all.data.set(parts[1].data, parts[0].data.length);
  for (const raster of parts) freeRaster(raster);
  return all;
}
