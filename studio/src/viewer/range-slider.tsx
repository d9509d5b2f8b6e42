// Contrast: two thumbs on a histogram. Each thumb is a slider of its own, so that keys work as everywhere.
import type { ReactNode } from 'react';
import { formatFigure } from '../format.ts';

interface Props {
  readonly label: string;
  readonly domain: readonly [number, number];
  readonly limits: readonly [number, number];
  readonly histogram: readonly number[];
  readonly background: string;
  readonly onChange: (limits: readonly [number, number]) => void;
}

export function RangeSlider({ label, domain, limits, histogram, background, onChange }: Props): ReactNode {
  const [low, high] = domain;
  const step = (high - low) / 500 || 1;
  const percent = (value: number): number => ((value - low) / (high - low || 1)) * 100;
  const peak = Math.max(1, ...histogram.map((count) => Math.log1p(count)));
  const bars = histogram.map((count, i) => {
    const tall = (Math.log1p(count) / peak) * 22;
    return `M${(i / histogram.length) * 100} ${24 - tall}h${100 / histogram.length}V24h-${100 / histogram.length}z`;
  });
  return (
    <div className="range-slider">
      <svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
        <path d={bars.join('')} />
      </svg>
      <div className="range-track">
        <div
          style={{ left: `${percent(limits[0])}%`, right: `${100 - percent(limits[1])}%`, background }}
          className="range-fill"
        />
        {[0, 1].map((end) => (
          <input
            key={end}
            type="range"
            min={low}
            max={high}
            step={step}
            value={limits[end]}
            aria-label={`${label}: ${end === 0 ? 'black' : 'full colour'} at`}
            aria-valuetext={formatFigure(limits[end])}
            onChange={({ target }) => {
              const value = Number(target.value);
              onChange(
                end === 0
                  ? [Math.min(value, limits[1] - step), limits[1]]
                  : [limits[0], Math.max(value, limits[0] + step)],
              );
            }}
          />
        ))}
      </div>
      <div className="range-values">
        <span>{formatFigure(limits[0])}</span>
        <span>{formatFigure(limits[1])}</span>
      </div>
    </div>
  );
}
