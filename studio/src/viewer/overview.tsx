// The whole slide in a corner, with the part in view; a click goes there.
import { type PointerEvent, type ReactNode, useEffect, useRef } from 'react';
import { mapColor } from './colormaps.ts';
import type { ViewLayer } from './layers.ts';
import { largestOverview } from './load-slide.ts';
import type { Scene } from './slide-canvas.tsx';
import { toSlide } from './view-geometry.ts';

const longestSide = 168;
const shades = 256;

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

/** The lowest level in the layer's colours; undefined where it is too large to be read whole. */
async function paint(layer: ViewLayer, width: number, height: number): Promise<ImageData | undefined> {
  const level = layer.levels[layer.levels.length - 1];
  if (Math.max(level.width, level.height) > largestOverview) return undefined;
  const visible = layer.channels.filter(({ isVisible }) => isVisible);
  const rasters = await Promise.all(visible.map(({ index }) => level.getRaster({ selection: { c: index } })));
  const tables = visible.map(({ color }) =>
    Array.from({ length: shades }, (_, i): readonly number[] => {
      const share = i / (shades - 1);
      return layer.colormap ? mapColor(layer.colormap, share) : color.map((part) => part * share);
    }),
  );
  const image = new ImageData(width, height);
  for (let y = 0; y < height; y++) {
    const sy = Math.min(level.height - 1, Math.floor(((y + 0.5) / height) * level.height));
    for (let x = 0; x < width; x++) {
      const sx = Math.min(level.width - 1, Math.floor(((x + 0.5) / width) * level.width));
      const at = 4 * (y * width + x);
      for (let i = 0; i < visible.length; i++) {
        const [black, full] = visible[i].limits;
        const share = (rasters[i].data[sy * level.width + sx] - black) / (full - black);
        const rgb = tables[i][Math.round(Math.min(1, Math.max(0, share || 0)) * (shades - 1))];
        for (let k = 0; k < 3; k++) image.data[at + k] += rgb[k];
      }
      image.data[at + 3] = 255;
    }
  }
  return image;
}
