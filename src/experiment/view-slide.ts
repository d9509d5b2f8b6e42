// Use cases of the studio's viewer: what a slide is, and its pixels tile by tile.
import type { PixelAccess, SlideView } from '../contract/studio.ts';
import { UsageError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { openSlide } from '../slide/open-slide.ts';
import { inspect } from './inspect.ts';

/** A part of one channel of one pyramid level, in that level's pixels. */
export interface TileRegion {
  readonly slide: string;
  readonly level: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly channel: number;
}

const largestTilePx = 2048;
/** Slides kept open, so that neighbouring tiles need no new start; the longest unused goes first. */
const mostOpen = 8;
const open = new Map<string, Promise<PixelSource>>();

/** What `inspect` says, and how a browser can read it. */
export async function viewSlide(path: string): Promise<SlideView> {
  const slide = await inspect({ slide: path });
  // It may have been written anew since it was last open.
  await forget(path);
  return { ...slide, access: accessOf(slide.format) };
}

/**
 * @returns float32 [height, width] in stored units; beyond the slide's edge the tile is cut off
 * @throws UsageError for a tile that lies outside
 */
export async function readTile(region: TileRegion): Promise<Float32Array> {
  const source = await openedSlide(region.slide);
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
}

async function openedSlide(path: string): Promise<PixelSource> {
  const held = open.get(path);
  const source = held ?? openSlide(path, {});
  open.delete(path);
  open.set(path, source);
  source.catch(() => open.delete(path));
  if (open.size > mostOpen) await forget(open.keys().next().value as string);
  return source;
}

async function forget(path: string): Promise<void> {
  const source = open.get(path);
  open.delete(path);
  await source?.then((held) => held.close()).catch(() => {});
}

function accessOf(format: string): PixelAccess {
  // The browser's readers do not know of the scale; they would show the integers instead of the values.
  if (format.endsWith('with a recorded scale)')) return 'tiles';
  if (format.startsWith('OME-TIFF')) return 'ome-tiff';
  return format.startsWith('OME-Zarr') ? 'ome-zarr' : 'tiles';
}
