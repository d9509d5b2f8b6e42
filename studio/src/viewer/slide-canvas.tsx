// The picture itself: one or two linked panes, moved by pointer, wheel and keys, with whatever is drawn on them.
import {
  type KeyboardEvent,
  lazy,
  type PointerEvent,
  type ReactNode,
  type Ref,
  Suspense,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { Backdrop } from './backdrop.tsx';
import type { Overlay } from './deck-layers.ts';
import type { DeckHandle } from './deck-picture.tsx';
import { pictureIsThere } from './first-picture.ts';
import type { ViewLayer } from './layers.ts';
import {
  clampZoom,
  fitView,
  type Pane,
  type PaneId,
  type PaneMode,
  panesOf,
  toSlide,
  type ViewState,
  viewAfterKey,
  zoomAt,
} from './view-geometry.ts';

const DeckPicture = lazy(async () => ({ default: (await import('./deck-picture.tsx')).DeckPicture }));

export interface CanvasHandle {
  fit(): void;
  /** One screen pixel a slide pixel. */
  actualSize(): void;
  zoomBy(change: number): void;
  moveTo(target: readonly [number, number]): void;
  /** The canvas, drawn this very moment, for a picture file. */
  snapshot(): HTMLCanvasElement | undefined;
}

/** What is drawn over the picture needs to know where things are. */
export interface Scene {
  readonly panes: readonly Pane[];
  readonly view: ViewState;
  readonly size: { readonly width: number; readonly height: number };
}

interface Props {
  readonly handle: Ref<CanvasHandle>;
  readonly slide: { readonly width: number; readonly height: number; readonly path: string };
  readonly mode: PaneMode;
  /** Bottom first. */
  readonly layers: Readonly<Record<PaneId, readonly ViewLayer[]>>;
  readonly overlays: readonly Overlay[];
  /** While drawing, the pointer belongs to the drawing. */
  readonly isDrawing: boolean;
  /** Every tile in view has come once. */
  readonly isLoaded: boolean;
  readonly onPoint: (point: readonly [number, number] | undefined, pane: PaneId) => void;
  readonly onLoaded: () => void;
  readonly children: (scene: Scene) => ReactNode;
}

export function SlideCanvas(props: Props): ReactNode {
  const { handle, slide, mode, layers, overlays, isDrawing, isLoaded, onPoint, onLoaded, children } = props;
  const frame = useRef<HTMLDivElement>(null);
  const deck = useRef<DeckHandle>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [view, setView] = useState<ViewState>();
  const [swipe, setSwipe] = useState(0.5);
  const drag = useRef<{ x: number; y: number; isSwipe: boolean } | undefined>(undefined);

  useLayoutEffect(() => {
    const element = frame.current as HTMLDivElement;
    const measure = (): void =>
      setSize((held) => {
        const now = { width: element.clientWidth, height: element.clientHeight };
        return now.width === held.width && now.height === held.height ? held : now;
      });
    // The observer waits for a frame to be drawn.
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const isReady = size.width > 0;
  // A new slide is shown whole, and stays so in other modes and window sizes until it is moved.
  const fitted = useRef<{ path: string; view: ViewState }>(undefined);
  useLayoutEffect(() => {
    if (!isReady) return;
    setView((held) => {
      if (held !== undefined && fitted.current?.path === slide.path && fitted.current.view !== held)
        return held;
      const view = fitView(slide, size, mode);
      fitted.current = { path: slide.path, view };
      return view;
    });
  }, [slide, size, mode, isReady]);

  const panes = useMemo(
    () => (view === undefined ? [] : panesOf(mode, view, size, swipe)),
    [mode, view, size, swipe],
  );

  useImperativeHandle(handle, () => ({
    fit: () => setView(fitView(slide, size, mode)),
    actualSize: () => setView((held) => held && { ...held, zoom: 0 }),
    zoomBy: (change) => setView((held) => held && { ...held, zoom: clampZoom(held.zoom + change) }),
    moveTo: (target) => setView((held) => held && { ...held, target }),
    snapshot: () => deck.current?.snapshot(),
  }));

  const paneAt = useCallback(
    (x: number): Pane => panes.find((pane) => x < pane.x + pane.width) ?? panes[0],
    [panes],
  );

  // React listens for the wheel passively, and then the page would scroll as well.
  useEffect(() => {
    const element = frame.current as HTMLDivElement;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const x = event.clientX - box.left;
      const y = event.clientY - box.top;
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 24 : 1;
      const change = -Math.max(-120, Math.min(120, event.deltaY * lines)) / (event.ctrlKey ? 60 : 220);
      setView((held) => held && zoomAt(held, paneAt(x), x, y, change));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [paneAt]);

  const position = (event: PointerEvent): [number, number] => {
    const box = (frame.current as HTMLDivElement).getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  const onPointerDown = (event: PointerEvent): void => {
    if (isDrawing || event.button !== 0 || view === undefined) return;
    const [x, y] = position(event);
    const isSwipe = mode === 'swipe' && Math.abs(x - size.width * swipe) < 14;
    drag.current = { x, y, isSwipe };
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (view === undefined) return;
    const [x, y] = position(event);
    const pane = paneAt(x);
    onPoint(toSlide(pane, view.zoom, x, y), pane.id);
    const held = drag.current;
    if (held === undefined) return;
    if (held.isSwipe) setSwipe(Math.min(0.98, Math.max(0.02, x / size.width)));
    else {
      const scale = 2 ** view.zoom;
      const target: [number, number] = [
        view.target[0] - (x - held.x) / scale,
        view.target[1] - (y - held.y) / scale,
      ];
      setView({ ...view, target });
    }
    drag.current = { ...held, x, y };
  };
  const onPointerUp = (): void => {
    drag.current = undefined;
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (view === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const moved = viewAfterKey(event.key, view, slide, size, mode);
    if (moved !== undefined) setView(moved);
    else if (event.key === '[' || event.key === ']') {
      const change = event.key === '[' ? -0.05 : 0.05;
      setSwipe((held) => Math.min(0.98, Math.max(0.02, held + change)));
    } else return;
    event.preventDefault();
  };

  // The graphics take the processor for a while as they start; what can be seen before comes first.
  const [isPainted, setPainted] = useState(false);
  const onPainted = useCallback(() => {
    pictureIsThere();
    requestAnimationFrame(() => setPainted(true));
  }, []);

  return (
    <div
      ref={frame}
      className={`slide-canvas${isDrawing ? ' is-drawing' : ''}`}
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the picture is moved by keys.
      tabIndex={0}
      aria-label="Slide. Arrow keys move, plus and minus zoom, 0 shows all, 1 is full resolution."
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onPointerLeave={() => onPoint(undefined, 'left')}
      onKeyDown={onKeyDown}
      data-testid="slide-canvas"
      data-zoom={view?.zoom.toFixed(2)}
    >
      {view !== undefined && (
        <>
          {!isLoaded &&
            panes.map((pane) => (
              <Backdrop
                key={pane.id}
                layers={layers[pane.id]}
                pane={pane}
                zoom={view.zoom}
                slide={slide}
                onPainted={onPainted}
              />
            ))}
          {isPainted && (
            <Suspense fallback={null}>
              <DeckPicture
                handle={deck}
                panes={panes}
                zoom={view.zoom}
                layers={layers}
                overlays={overlays}
                onLoaded={onLoaded}
              />
            </Suspense>
          )}
          {mode === 'swipe' && (
            <div className="swipe-divider" style={{ left: panes[0].width }} aria-hidden="true">
              <span />
            </div>
          )}
          {children({ panes, view, size })}
        </>
      )}
    </div>
  );
}
