// What is seen before the graphics have started and the tiles have come: the lowest level of a pane's layers, in place.
import { type ReactNode, useLayoutEffect, useRef } from 'react';
import type { ViewLayer } from './layers.ts';
import { paint } from './paint.ts';
import { type Pane, toScreen } from './view-geometry.ts';

interface Props {
  readonly layers: readonly ViewLayer[];
  readonly pane: Pane;
  readonly zoom: number;
  readonly slide: { readonly width: number; readonly height: number };
  /** There is something to see, or nothing to wait for. */
  readonly onPainted: () => void;
}

export function Backdrop({ layers, pane, zoom, slide, onPainted }: Props): ReactNode {
  const [left, top] = toScreen(pane, zoom, 0, 0);
  const [right, bottom] = toScreen(pane, zoom, slide.width, slide.height);
  const place = { left: left - pane.x, top, width: right - left, height: bottom - top };
  return (
    <div className="backdrop" style={{ left: pane.x, width: pane.width }} aria-hidden="true">
      {layers.map((layer) => (
        <Painted
          key={layer.kind}
          layer={layer}
          style={{ ...place, opacity: layer.opacity }}
          onPainted={onPainted}
        />
      ))}
    </div>
  );
}

interface PaintedProps {
  readonly layer: ViewLayer;
  readonly style: Readonly<Record<string, number>>;
  readonly onPainted: () => void;
}

function Painted({ layer, style, onPainted }: PaintedProps): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = layer.lowest;
  useLayoutEffect(() => {
    let isCurrent = true;
    paint(layer, width, height)
      .then((image) => {
        if (!isCurrent) return;
        if (image !== undefined) canvas.current?.getContext('2d')?.putImageData(image, 0, 0);
        onPainted();
      })
      // The page says what went wrong.
      .catch(() => {});
    return () => {
      isCurrent = false;
    };
  }, [layer, width, height, onPainted]);
  return <canvas ref={canvas} width={width} height={height} style={style} />;
}
