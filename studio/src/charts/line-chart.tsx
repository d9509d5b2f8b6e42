// Curves with axes, a legend and a read-out; hand-made so that the page needs no charting library.
import { type PointerEvent, type ReactNode, useState } from 'react';
import { formatFigure } from '../format.ts';
import { linearScale, roundTicks } from './scale.ts';

export interface Series {
  readonly name: string;
  readonly color: string;
  /** Gaps where y is null or not finite. */
  readonly points: readonly { readonly x: number; readonly y: number | null }[];
  readonly isDashed?: boolean;
  /** Steps instead of slopes, for histograms: each y holds from its x to the next. */
  readonly isStepped?: boolean;
}

interface Props {
  readonly series: readonly Series[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly height?: number;
  readonly width?: number;
  readonly fromZero?: boolean;
  /** Only whole numbers on the x axis. */
  readonly isWhole?: boolean;
  readonly label: string;
}

const margin = { top: 10, right: 14, bottom: 38, left: 66 };

export function LineChart(props: Props): ReactNode {
  const {
    series,
    xLabel,
    yLabel,
    height = 240,
    width = 640,
    fromZero = false,
    isWhole = false,
    label,
  } = props;
  const [pointed, setPointed] = useState<number>();
  const points = series.flatMap((each) => each.points).filter(({ y }) => y !== null && Number.isFinite(y));
  if (points.length === 0) return <p className="empty-chart">Nothing to draw yet.</p>;
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y as number);
  const xDomain = extent(xs, false);
  const yDomain = extent(ys, fromZero);
  const x = linearScale(xDomain, [margin.left, width - margin.right]);
  const y = linearScale(yDomain, [height - margin.bottom, margin.top]);
  const nearest =
    pointed === undefined
      ? undefined
      : xs.reduce((a, b) => (Math.abs(b - pointed) < Math.abs(a - pointed) ? b : a));
  const onPointerMove = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width) * width;
    setPointed(
      xDomain[0] + ((share - margin.left) / (width - margin.left - margin.right)) * (xDomain[1] - xDomain[0]),
    );
  };
  return (
    <figure className="chart" data-points={points.length}>
      <figcaption className="legend">
        {series.map(({ name, color, isDashed, points: own }) => (
          <span key={name}>
            <svg width="18" height="8" aria-hidden="true">
              <path
                d="M0 4h18"
                stroke={color}
                strokeWidth="2.5"
                strokeDasharray={isDashed ? '4 3' : undefined}
              />
            </svg>
            {name}
            {nearest !== undefined && <b> {formatFigure(own.find((point) => point.x === nearest)?.y)}</b>}
          </span>
        ))}
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={label}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setPointed(undefined)}
      >
        {roundTicks(yDomain, 5).map((tick) => (
          <g key={tick}>
            <path className="grid" d={`M${margin.left} ${y.at(tick)}H${width - margin.right}`} />
            <text x={margin.left - 8} y={y.at(tick) + 4} textAnchor="end">
              {formatFigure(tick)}
            </text>
          </g>
        ))}
        {roundTicks(xDomain, Math.min(8, Math.floor(width / 70)))
          .filter((tick) => !isWhole || Number.isInteger(tick))
          .map((tick) => (
            <text key={tick} x={x.at(tick)} y={height - margin.bottom + 18} textAnchor="middle">
              {formatFigure(tick)}
            </text>
          ))}
        <path className="axis" d={`M${margin.left} ${height - margin.bottom}H${width - margin.right}`} />
        <text
          className="axis-label"
          x={(margin.left + width - margin.right) / 2}
          y={height - 4}
          textAnchor="middle"
        >
          {xLabel}
        </text>
        <text
          className="axis-label"
          transform={`translate(13 ${(height - margin.bottom + margin.top) / 2}) rotate(-90)`}
          textAnchor="middle"
        >
          {yLabel}
        </text>
        {nearest !== undefined && (
          <path className="pointed" d={`M${x.at(nearest)} ${margin.top}V${height - margin.bottom}`} />
        )}
        {series.map(({ name, color, points: own, isDashed, isStepped }) => (
          <g key={name}>
            <path
              className="curve"
              d={pathOf(own, x.at, y.at, isStepped === true)}
              stroke={color}
              strokeDasharray={isDashed ? '5 4' : undefined}
            />
            {!isStepped &&
              own.length <= 40 &&
              own.map((point) =>
                point.y === null || !Number.isFinite(point.y) ? null : (
                  <circle
                    key={point.x}
                    cx={x.at(point.x)}
                    cy={y.at(point.y)}
                    r={point.x === nearest ? 4 : 2.5}
                    fill={color}
                  />
                ),
              )}
          </g>
        ))}
      </svg>
    </figure>
  );
}

function extent(values: readonly number[], fromZero: boolean): [number, number] {
  let low = fromZero ? 0 : Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low === high) return [low - 0.5, high + 0.5];
  return [low, high];
}

function pathOf(
  points: Series['points'],
  x: (value: number) => number,
  y: (value: number) => number,
  isStepped: boolean,
): string {
  let path = '';
  let isOpen = false;
  points.forEach((point, i) => {
    if (point.y === null || !Number.isFinite(point.y)) {
      isOpen = false;
      return;
    }
    path += `${isOpen ? 'L' : 'M'}${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`;
    const next = points[i + 1];
    if (isStepped && next !== undefined) path += `H${x(next.x).toFixed(1)}`;
    isOpen = true;
  });
  return path;
}
