// The picture as the graphics draw it, in one or two panes. Loaded beside the page: it brings all of Viv and deck.gl.
import { OrthographicView } from '@deck.gl/core';
import DeckGL, { type DeckGLRef } from '@deck.gl/react';
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import { imageLayer, type Overlay, outlineLayer } from './deck-layers.ts';
import type { ViewLayer } from './layers.ts';
import type { CachedLevel } from './tile-source.ts';
import type { Pane, PaneId } from './view-geometry.ts';

export interface DeckHandle {
  /** The canvas, drawn this very moment. */
  snapshot(): HTMLCanvasElement | undefined;
}

interface Props {
  readonly handle: Ref<DeckHandle>;
  readonly panes: readonly Pane[];
  readonly zoom: number;
  /** Bottom first. */
  readonly layers: Readonly<Record<PaneId, readonly ViewLayer[]>>;
  readonly overlays: readonly Overlay[];
  /** Every tile in view is there. */
  readonly onLoaded: () => void;
}

export function DeckPicture({ handle, panes, zoom, layers, overlays, onLoaded }: Props): ReactNode {
  const deck = useRef<DeckGLRef>(null);
  const levels = useLevels(layers);
  useImperativeHandle(handle, () => ({
    snapshot: () => {
      deck.current?.deck?.redraw('picture file');
      return deck.current?.deck?.getCanvas() ?? undefined;
    },
  }));

  // biome-ignore lint/correctness/useExhaustiveDependencies: panes move at every frame; only which there are matters.
  const drawn = useMemo(
    () =>
      panes.flatMap(({ id }, i) => [
        ...layers[id].flatMap((layer, k) => {
          const loader = levels.get(layer.levels);
          const isLast = i === 0 && k === layers[id].length - 1;
          return loader === undefined ? [] : [imageLayer(layer, loader, id, isLast ? onLoaded : undefined)];
        }),
        ...overlays.filter(({ isVisible }) => isVisible).map((overlay) => outlineLayer(overlay, id)),
      ]),
    [layers, levels, overlays, onLoaded, panes.length],
  );
  const views = panes.map(
    ({ id, x, width, height }) =>
      new OrthographicView({ id, x, y: 0, width, height, flipY: true, controller: false }),
  );
  const viewState = Object.fromEntries(
    panes.map(({ id, target }) => [id, { target: [target[0], target[1], 0], zoom }]),
  );
  return (
    <DeckGL
      ref={deck}
      views={views}
      viewState={viewState as never}
      layers={drawn}
      controller={false}
      layerFilter={({ layer, viewport }) => layer.id.includes(`-${viewport.id}-view`)}
      useDevicePixels
    />
  );
}

type Levels = readonly CachedLevel[];

/** Those that have been read by now. */
function useLevels(layers: Props['layers']): ReadonlyMap<ViewLayer['levels'], Levels> {
  const [held, setHeld] = useState<ReadonlyMap<ViewLayer['levels'], Levels>>(new Map());
  useEffect(() => {
    let isCurrent = true;
    for (const { levels } of [...layers.left, ...layers.right]) {
      // Where it fails, the page says so.
      levels
        .then(
          (read) => isCurrent && setHeld((all) => (all.has(levels) ? all : new Map(all).set(levels, read))),
        )
        .catch(() => {});
    }
    return () => {
      isCurrent = false;
    };
  }, [layers]);
  return held;
}
