// Use cases of the studio's viewer: what a slide is, and its pixels tile by tile.
import type { PixelAccess, SlideView } from '../contract/studio.ts';
import { UsageError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { openSlide } from '../slide/open-slide.ts';
import { inspect } from './inspect.ts';

/** A part of one channel of one pyramid level, in that level's pixels. */
export interface TileRegion {
  readonly slide: string;
  /** Another one when the slide has been written anew. */
  readonly stamp: string;
  readonly level: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly channel: number;
}

interface HeldSlide {
  readonly source: Promise<PixelSource>;
  readonly stamp: string;
  /** Tiles being read. */
  readers: number;
  /** Closed as soon as nobody reads it. */
  isForgotten: boolean;
}

const largestTilePx = 2048;
/** Slides kept open, so that neighbouring tiles need no new start; the longest unused goes first. */
const mostOpen = 8;
const open = new Map<string, HeldSlide>();

/** What `inspect` says, and how a browser can read it. */
export async function viewSlide(path: string): Promise<SlideView> {
  const slide = await inspect({ slide: path });
  return { ...slide, access: accessOf(slide.format) };
}

/**
 * @returns float32 [height, width] in stored units; beyond the slide's edge the tile is cut off
 * @throws UsageError for a tile that lies outside
 */
export function readTile(region: TileRegion): Promise<Float32Array> {
  return withSlide(region, async (source) => {
    const level = source.levels[region.level];
    const width = Math.min(region.width, (level?.width ?? 0) - region.x);
    const height = Math.min(region.height, (level?.height ?? 0) - region.y);
    const isInside = width > 0 && height > 0 && Math.max(width, height) <= largestTilePx;
    if (!isInside || region.channel >= source.channels.length) {
      throw new UsageError(`there is no such tile in ${region.slide}.`);
    }
    const raster = await source.read({ x: region.x, y: region.y, width, height }, [region.channel], {
      level: region.level,
    });
    return raster.data;
  });
}

/** Lends an open slide, which stays open until `use` has ended. */
async function withSlide<T>(
  { slide: path, stamp }: TileRegion,
  use: (source: PixelSource) => Promise<T>,
): Promise<T> {
  if (open.get(path)?.stamp !== stamp) forget(path);
  const held = open.get(path) ?? { source: openSlide(path, {}), stamp, readers: 0, isForgotten: false };
  open.delete(path);
  open.set(path, held);
  if (open.size > mostOpen) forget(open.keys().next().value as string);
  held.readers++;
  try {
    const source = await held.source.catch((error) => {
      // The next one to ask tries again.
      if (open.get(path) === held) open.delete(path);
      throw error;
    });
    return await use(source);
  } finally {
    held.readers--;
    if (held.isForgotten) closeUnread(held);
  }
}

function forget(path: string): void {
  const held = open.get(path);
  if (held === undefined) return;
  open.delete(path);
  held.isForgotten = true;
  closeUnread(held);
}

/** A file that is closed under its readers fails them. */
function closeUnread({ source, readers }: HeldSlide): void {
  if (readers > 0) return;
  // Whoever asked for it was told where it could not be opened, and a file that was only read loses nothing.
  void source.then((slide) => slide.close()).catch(() => {});
}

function accessOf(format: string): PixelAccess {
  // The browser's readers do not know of the scale; they would show the integers instead of the values.
  if (format.endsWith('with a recorded scale)')) return 'tiles';
  if (format.startsWith('OME-TIFF')) return 'ome-tiff';
  return format.startsWith('OME-Zarr') ? 'ome-zarr' : 'tiles';
}
