// From the screen to the slide and back; both panes look at the same place.

export interface ViewState {
  /** Slide pixels at the centre of a pane (of the whole picture when swiping). */
  readonly target: readonly [number, number];
  /** log2 of screen pixels a slide pixel. */
  readonly zoom: number;
}

export type PaneMode = 'single' | 'side' | 'swipe';
export type PaneId = 'left' | 'right';

/** Where a pane lies in the picture, in screen pixels, and the slide pixel at its centre. */
export interface Pane {
  readonly id: PaneId;
  readonly x: number;
  readonly width: number;
  readonly height: number;
  readonly target: readonly [number, number];
}

/** Gap between two panes side by side. */
const gap = 2;

/** @param swipe share of the width left of the divider */
export function panesOf(
  mode: PaneMode,
  view: ViewState,
  size: { width: number; height: number },
  swipe: number,
): Pane[] {
  const { width, height } = size;
  if (mode === 'single') return [{ id: 'left', x: 0, width, height, target: view.target }];
  if (mode === 'side') {
    const half = Math.max(1, Math.floor((width - gap) / 2));
    return [
      { id: 'left', x: 0, width: half, height, target: view.target },
      { id: 'right', x: width - half, width: half, height, target: view.target },
    ];
  }
  const scale = 2 ** view.zoom;
  const at = Math.min(width - 1, Math.max(1, Math.round(width * swipe)));
  const shifted = (centre: number): [number, number] => [
    view.target[0] + (centre - width / 2) / scale,
    view.target[1],
  ];
  return [
    { id: 'left', x: 0, width: at, height, target: shifted(at / 2) },
    { id: 'right', x: at, width: width - at, height, target: shifted((at + width) / 2) },
  ];
}

export function toSlide(pane: Pane, zoom: number, x: number, y: number): [number, number] {
  const scale = 2 ** zoom;
  return [
    pane.target[0] + (x - pane.x - pane.width / 2) / scale,
    pane.target[1] + (y - pane.height / 2) / scale,
  ];
}

export function toScreen(pane: Pane, zoom: number, x: number, y: number): [number, number] {
  const scale = 2 ** zoom;
  return [
    pane.x + pane.width / 2 + (x - pane.target[0]) * scale,
    pane.height / 2 + (y - pane.target[1]) * scale,
  ];
}

/** The whole slide, with a little room around. */
export function fitView(
  slide: { width: number; height: number },
  size: { width: number; height: number },
  mode: PaneMode,
): ViewState {
  const width = mode === 'side' ? size.width / 2 : size.width;
  const zoom = Math.log2(Math.min(width / slide.width, size.height / slide.height) * 0.94);
  return { target: [slide.width / 2, slide.height / 2], zoom: Number.isFinite(zoom) ? zoom : 0 };
}

export function clampZoom(zoom: number): number {
  return Math.min(6, Math.max(-12, zoom));
}

/** Zooms so that the slide pixel under the pointer stays there. */
export function zoomAt(view: ViewState, pane: Pane, x: number, y: number, change: number): ViewState {
  const zoom = clampZoom(view.zoom + change);
  const [sx, sy] = toSlide(pane, view.zoom, x, y);
  const ratio = 2 ** (view.zoom - zoom);
  // The pane's own centre moves relative to the view's when swiping, by the same ratio.
  return {
    target: [sx + (view.target[0] - sx) * ratio, sy + (view.target[1] - sy) * ratio],
    zoom,
  };
}

/** A bar of a round length, near a fifth of the width. */
export function scaleBar(widthPx: number, zoom: number, pixelSizeUm: number): { um: number; px: number } {
  const umPerScreenPx = pixelSizeUm / 2 ** zoom;
  const wanted = widthPx * 0.2 * umPerScreenPx;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const um = [5, 2, 1].map((step) => step * power).find((step) => step <= wanted) ?? power;
  return { um, px: um / umPerScreenPx };
}

/** Share of the window that an arrow key moves. */
const keyStep = 0.15;

/** Where a key leads: arrows move, plus and minus zoom, 0 shows all, 1 is full resolution; undefined for others. */
export function viewAfterKey(
  key: string,
  view: ViewState,
  slide: { width: number; height: number },
  size: { width: number; height: number },
  mode: PaneMode,
): ViewState | undefined {
  const scale = 2 ** view.zoom;
  const step = (dx: number, dy: number): ViewState => ({
    ...view,
    target: [
      view.target[0] + (dx * keyStep * size.width) / scale,
      view.target[1] + (dy * keyStep * size.height) / scale,
    ],
  });
  switch (key) {
    case 'ArrowLeft':
      return step(-1, 0);
    case 'ArrowRight':
      return step(1, 0);
    case 'ArrowUp':
      return step(0, -1);
    case 'ArrowDown':
      return step(0, 1);
    case '+':
    case '=':
      return { ...view, zoom: clampZoom(view.zoom + 0.5) };
    case '-':
      return { ...view, zoom: clampZoom(view.zoom - 0.5) };
    case '0':
      return fitView(slide, size, mode);
    case '1':
      return { ...view, zoom: 0 };
    default:
      return undefined;
  }
}
