// The layers that deck.gl draws: pictures by Viv, outlines over them.
import { COORDINATE_SYSTEM, type Layer } from '@deck.gl/core';
import { PathLayer } from '@deck.gl/layers';
import { AdditiveColormapExtension, ColorPaletteExtension, MultiscaleImageLayer } from '@hms-dbmi/viv';
import { drawnChannels, type ViewLayer } from './layers.ts';
import { type CachedLevel, largestWhole } from './tile-source.ts';
import type { PaneId } from './view-geometry.ts';

export interface Overlay {
  /** Path of its file, or what it is. */
  readonly id: string;
  /** Closed paths in slide pixels. */
  readonly paths: readonly (readonly (readonly [number, number])[])[];
  readonly color: readonly [number, number, number];
  readonly isVisible: boolean;
}

const palette = [new ColorPaletteExtension()];
const colormaps = [new AdditiveColormapExtension()];

/** @param onLoaded called when every tile in view is there */
export function imageLayer(
  layer: ViewLayer,
  levels: readonly CachedLevel[],
  pane: PaneId,
  onLoaded: (() => void) | undefined,
): Layer {
  const channels = drawnChannels(layer.channels);
  const props = {
    id: `${layer.kind}-${pane}-view`,
    viewportId: pane,
    loader: levels,
    // The selection keeps its identity while only colours change, else every tile would be asked for again.
    selections: selectionsOf(channels.map(({ index }) => index)),
    channelsVisible: channels.map(({ isVisible }) => isVisible),
    contrastLimits: channels.map(({ limits }) => limits),
    colors: channels.map(({ color }) => color),
    opacity: layer.opacity,
    colormap: layer.colormap,
    extensions: layer.colormap === undefined ? palette : colormaps,
    // Decoding is the bottleneck; more at once would only delay those in the middle.
    maxRequests: 8,
    pickable: false,
    onViewportLoad: onLoaded,
    // Under the tiles that have not come yet.
    excludeBackground: Math.max(layer.lowest.width, layer.lowest.height) > largestWhole,
  };
  return new (MultiscaleImageLayer as unknown as new (props: unknown) => Layer)(props);
}

const selections = new Map<string, { c: number }[]>();

function selectionsOf(indices: readonly number[]): { c: number }[] {
  const key = indices.join(',');
  const held = selections.get(key) ?? indices.map((c) => ({ c }));
  selections.set(key, held);
  return held;
}

export function outlineLayer({ id, paths, color }: Overlay, pane: PaneId): Layer {
  return new PathLayer({
    id: `outline-${id}-${pane}-view`,
    coordinateSystem: COORDINATE_SYSTEM.CARTESIAN,
    data: paths as never,
    getPath: (path: [number, number][]) => path as never,
    getColor: [...color, 230] as never,
    getWidth: 1.5,
    widthUnits: 'pixels',
    positionFormat: 'XY',
    pickable: false,
  });
}
