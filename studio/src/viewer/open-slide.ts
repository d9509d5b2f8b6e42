// Opens a slide for the viewer. What it is and its lowest level come from the server at once; its other levels come when
// the graphics, which are by far the largest part of the app, are there.
import type { SlideView } from '../../../src/contract/studio.ts';
import { api } from '../api.ts';
import { firstPicture } from './first-picture.ts';
import { serverReader } from './server-reader.ts';
import type { SlideLevels } from './slide-levels.ts';
import { CachedLevel } from './tile-source.ts';

export interface OpenSlide extends SlideView {
  /** Contrast, overview and the first picture come from it. */
  readonly lowest: CachedLevel;
  /** One for every power of two, largest first. */
  readonly levelsOf: Promise<SlideLevels['levels']>;
  readonly reads: Promise<SlideLevels['reads']>;
}

/** So that most lowest levels come in one piece a channel. */
const lowestTile = 1024;

let ahead: { readonly path: string; readonly opened: Promise<OpenSlide> } | undefined;

/** Begins before anyone asks; the first `openSlide` of the path gets what came of it. */
export function openAhead(path: string): void {
  const opened = open(path);
  ahead = { path, opened };
  opened
    .then(({ lowest, channels }) => Promise.all(channels.map((_, c) => lowest.sample(c))))
    // Whoever asks for it is told.
    .catch(() => {});
}

/** @throws StudioError with the server's sentence */
export function openSlide(path: string): Promise<OpenSlide> {
  const held = ahead;
  ahead = undefined;
  return held?.path === path ? held.opened : open(path);
}

async function open(path: string): Promise<OpenSlide> {
  const view = await api.slide(path);
  const lowest = new CachedLevel(
    serverReader(view, view.levels.length - 1, lowestTile),
    view.channels.length,
  );
  const tiled = firstPicture
    .then(() => import('./slide-levels.ts'))
    .then(({ slideLevels }) => slideLevels(view));
  return {
    ...view,
    lowest,
    levelsOf: tiled.then(({ levels }) => levels),
    reads: tiled.then(({ reads }) => reads),
  };
}
