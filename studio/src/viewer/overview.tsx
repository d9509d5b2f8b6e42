// The whole slide in a corner, with the part in view; a click goes there.
import { type PointerEvent, type ReactNode, useEffect, useRef } from 'react';
import type { ViewLayer } from './layers.ts';
import { paint } from './paint.ts';
import type { Scene } from './slide-canvas.tsx';
import { toSlide } from './view-geometry.ts';

const longestSide = 168;

interface Props {
  readonly layer: ViewLayer;
  readonly slide: { readonly width: number; readonly height: number };
  readonly scene: Scene;
  readonly onMove: (target: readonly [number, number]) => void;
}

export function Overview({ layer, slide, scene, onMove }: Props): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = longestSide / Math.max(slide.width, slide.height);
  const width = Math.max(24, Math.round(slide.width * scale));
  const height = Math.max(24, Math.round(slide.height * scale));

  useEffect(() => {
    let isCurrent = true;
    void paint(layer, width, height).then((image) => {
      if (isCurrent && image !== undefined) canvas.current?.getContext('2d')?.putImageData(image, 0, 0);
    });
    return () => {
      isCurrent = false;
    };
  }, [layer, width, height]);

  const { panes, view, size } = scene;
  const last = panes[panes.length - 1];
  const [x1, y1] = toSlide(panes[0], view.zoom, panes[0].x, 0);
  const [x2, y2] = toSlide(panes[0], view.zoom, panes[0].x + panes[0].width, size.height);
  const right =
    panes.length > 1 && last.target[0] !== panes[0].target[0]
      ? toSlide(last, view.zoom, size.width, 0)[0]
      : x2;
  const move = (event: PointerEvent): void => {
    if (event.buttons === 0) return;
    event.stopPropagation();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    onMove([
      ((event.clientX - box.left) / box.width) * slide.width,
      ((event.clientY - box.top) / box.height) * slide.height,
    ]);
  };
  const share = (value: number, whole: number): string =>
    `${Math.min(100, Math.max(0, (value / whole) * 100))}%`;
  return (
    <div
      className="overview"
      style={{ width, height }}
      onPointerDown={move}
      onPointerMove={move}
      data-testid="overview"
    >
      <canvas ref={canvas} width={width} height={height} aria-label="Overview of the slide" />
      <div
        className="overview-box"
        style={{
          left: share(x1, slide.width),
          top: share(y1, slide.height),
          right: share(slide.width - right, slide.width),
          bottom: share(slide.height - y2, slide.height),
        }}
      />
    </div>
  );
}
