// Where the pointer is and what the pixel there holds, at full resolution and in stored units.
import { type ReactNode, useEffect, useState } from 'react';
import { formatFigure, formatLength } from '../format.ts';
import type { ViewLayer } from './layers.ts';
import type { Point } from './regions.ts';

interface Props {
  readonly point: Point | undefined;
  readonly layers: readonly ViewLayer[];
  readonly slide: { readonly width: number; readonly height: number; readonly pixelSizeUm: number | null };
}

/** Pixels of a moving pointer are not asked for. */
const restMs = 60;

export function ReadOut({ point, layers, slide }: Props): ReactNode {
  const [values, setValues] = useState<readonly string[]>([]);
  const x = point && Math.floor(point[0]);
  const y = point && Math.floor(point[1]);
  const isInside =
    x !== undefined && y !== undefined && x >= 0 && y >= 0 && x < slide.width && y < slide.height;

  useEffect(() => {
    if (!isInside) return setValues([]);
    let isCurrent = true;
    const timer = setTimeout(async () => {
      const read = layers.flatMap(({ levels, channels }) =>
        channels
          .filter(({ isVisible }) => isVisible)
          .map(async ({ name, index }) => {
            const [full] = await levels;
            return `${name} ${formatFigure(await full.valueAt(x, y, index))}`;
          }),
      );
      const all = await Promise.all(read).catch(() => []);
      if (isCurrent) setValues([...new Set(all)]);
    }, restMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [x, y, isInside, layers]);

  const um = slide.pixelSizeUm;
  return (
    <output className="read-out" data-testid="read-out">
      {isInside ? (
        <>
          <span>
            {um === null ? `${x}, ${y} px` : `${formatLength(x * um)}, ${formatLength(y * um)}`}
            {um !== null && <small> ({`${x}, ${y}`} px)</small>}
          </span>
          {values.map((value) => (
            <span key={value} className="value">
              {value}
            </span>
          ))}
        </>
      ) : (
        <span>
          {slide.width} × {slide.height} px
          {um !== null &&
            ` · ${formatLength(slide.width * um)} × ${formatLength(slide.height * um)} · ${formatFigure(um)} µm/px`}
          {um === null && ' · pixel size unknown'}
        </span>
      )}
    </output>
  );
}
