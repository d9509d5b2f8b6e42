// What lies over the picture: regions, the one being drawn, scale bars and the names of the panes.
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { formatLength } from '../format.ts';
import { type DrawnRegion, type Point, rectangle, regionColor } from './regions.ts';
import type { Scene } from './slide-canvas.tsx';
import { type Pane, type PaneId, scaleBar, toScreen, toSlide } from './view-geometry.ts';

export type Tool = 'move' | 'rectangle' | 'polygon';

interface Props {
  readonly scene: Scene;
  readonly pixelSizeUm: number | null;
  readonly regions: readonly DrawnRegion[];
  readonly selected: number | undefined;
  readonly tool: Tool;
  readonly captions: Readonly<Record<PaneId, string>>;
  readonly onDrawn: (points: readonly Point[]) => void;
  readonly onCancel: () => void;
}

/** A click this near the first corner closes a polygon, in screen pixels. */
const closeAtPx = 9;

export function SceneOverlay(props: Props): ReactNode {
  const { scene, pixelSizeUm, regions, selected, tool, captions, onDrawn, onCancel } = props;
  const { panes, view, size } = scene;
  const [points, setPoints] = useState<readonly Point[]>([]);
  const [pointer, setPointer] = useState<Point>();
  const svg = useRef<SVGSVGElement>(null);

  // A half-drawn region goes when the tool changes.
  useEffect(() => {
    setPoints([]);
    setPointer(undefined);
    if (tool !== 'move') svg.current?.focus();
  }, [tool]);

  const paneAt = (x: number): Pane => panes.find((pane) => x < pane.x + pane.width) ?? panes[0];
  const screenOf = (event: PointerEvent): Point => {
    const box = (svg.current as SVGSVGElement).getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const slideOf = (event: PointerEvent): Point => {
    const [x, y] = screenOf(event);
    return toSlide(paneAt(x), view.zoom, x, y);
  };
  const finish = (all: readonly Point[]): void => {
    setPoints([]);
    onDrawn(all);
  };

  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const at = slideOf(event);
    if (tool === 'rectangle') {
      setPoints([at]);
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      return;
    }
    const pane = paneAt(screenOf(event)[0]);
    const first = points[0] && toScreen(pane, view.zoom, points[0][0], points[0][1]);
    const [x, y] = screenOf(event);
    const isClosing = points.length > 2 && first && Math.hypot(first[0] - x, first[1] - y) < closeAtPx;
    if (isClosing) finish(points);
    else setPoints([...points, at]);
  };
  const onPointerMove = (event: PointerEvent): void => setPointer(slideOf(event));
  const onPointerUp = (event: PointerEvent): void => {
    if (tool !== 'rectangle' || points.length === 0) return;
    const [x, y] = slideOf(event);
    const [first] = points;
    setPoints([]);
    if (Math.abs(x - first[0]) > 2 && Math.abs(y - first[1]) > 2) onDrawn(rectangle(first, [x, y]));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      if (points.length > 0) setPoints([]);
      else onCancel();
    } else if (event.key === 'Enter' && tool === 'polygon' && points.length > 2) finish(points);
    else if (event.key === 'Enter' && tool === 'rectangle' && points.length === 0) {
      // Without a pointer: the middle half of what is seen.
      const pane = panes[0];
      const corner = (share: number): Point =>
        toSlide(pane, view.zoom, pane.x + pane.width * share, pane.height * share);
      onDrawn(rectangle(corner(0.25), corner(0.75)));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const draft: readonly Point[] =
    points.length === 0 || pointer === undefined
      ? points
      : tool === 'rectangle'
        ? rectangle(points[0], pointer)
        : [...points, pointer];
  const isDrawing = tool !== 'move';

  return (
    <svg
      ref={svg}
      className={`scene-overlay${isDrawing ? ' takes-pointer' : ''}`}
      width={size.width}
      height={size.height}
      role={isDrawing ? 'application' : 'presentation'}
      tabIndex={isDrawing ? 0 : -1}
      aria-label={isDrawing ? 'Draw a region. Enter finishes, Escape leaves.' : undefined}
      onPointerDown={isDrawing ? onPointerDown : undefined}
      onPointerMove={isDrawing ? onPointerMove : undefined}
      onPointerUp={isDrawing ? onPointerUp : undefined}
      onDoubleClick={() => points.length > 2 && finish(points)}
      onKeyDown={onKeyDown}
      data-testid="scene-overlay"
    >
      {panes.map((pane) => (
        <g key={pane.id} clipPath={`inset(0)`}>
          <clipPath id={`pane-${pane.id}`}>
            <rect x={pane.x} y={0} width={pane.width} height={pane.height} />
          </clipPath>
          <g clipPath={`url(#pane-${pane.id})`}>
            {regions.map(({ id, name, points: corners }) => (
              <g key={id} className={selected === id ? 'region is-selected' : 'region'}>
                <path
                  d={pathOf(corners, pane, view.zoom)}
                  stroke={regionColor(id)}
                  fill={`${regionColor(id)}14`}
                />
                <text {...labelAt(corners, pane, view.zoom)} fill={regionColor(id)}>
                  {name}
                </text>
              </g>
            ))}
            {draft.length > 0 && <path className="draft" d={pathOf(draft, pane, view.zoom)} />}
            {pixelSizeUm !== null && pane === panes[0] && (
              <ScaleBar pane={pane} zoom={view.zoom} um={pixelSizeUm} />
            )}
            {captions[pane.id] !== '' && panes.length > 1 && (
              <text
                className="caption"
                x={pane.id === 'left' ? pane.x + 14 : pane.x + pane.width - 14}
                y={26}
                textAnchor={pane.id === 'left' ? 'start' : 'end'}
              >
                {captions[pane.id]}
              </text>
            )}
          </g>
        </g>
      ))}
    </svg>
  );
}

function ScaleBar({ pane, zoom, um }: { pane: Pane; zoom: number; um: number }): ReactNode {
  const bar = scaleBar(Math.min(pane.width, 900), zoom, um);
  const x = pane.x + 18;
  const y = pane.height - 20;
  const label = formatLength(bar.um);
  return (
    <g className="scale-bar" data-testid="scale-bar">
      <rect x={x - 8} y={y - 24} width={Math.max(bar.px, label.length * 7.5) + 16} height={36} rx={5} />
      <path d={`M${x} ${y}h${bar.px}`} />
      <text x={x + bar.px / 2} y={y - 8} textAnchor="middle">
        {label}
      </text>
    </g>
  );
}

function pathOf(points: readonly Point[], pane: Pane, zoom: number): string {
  const corners = points.map(([x, y]) =>
    toScreen(pane, zoom, x, y)
      .map((value) => value.toFixed(1))
      .join(' '),
  );
  return `M${corners.join('L')}Z`;
}

function labelAt(points: readonly Point[], pane: Pane, zoom: number): { x: number; y: number } {
  const top = points.reduce((a, b) => (b[1] < a[1] ? b : a));
  const [x, y] = toScreen(pane, zoom, top[0], top[1]);
  return { x: x + 4, y: y - 6 };
}
