// The drawn regions and what was measured inside the chosen one.

import type { ReactNode } from 'react';
import type { RegionResult } from '../../../src/contract/studio.ts';
import { LineChart, type Series } from '../charts/line-chart.tsx';
import { formatArea, formatFigure } from '../format.ts';
import { Busy } from '../parts/busy.tsx';
import { Icon } from '../parts/icon.tsx';
import { type DrawnRegion, regionColor } from './regions.ts';

const measuredColor = 'var(--series-1)';
const predictedColor = 'var(--series-2)';

interface Props {
  readonly regions: readonly DrawnRegion[];
  readonly selected: number | undefined;
  readonly onSelect: (id: number) => void;
  readonly onRemove: (id: number) => void;
  readonly onRename: (id: number, name: string) => void;
}

export function RegionPanel({ regions, selected, onSelect, onRemove, onRename }: Props): ReactNode {
  const chosen = regions.find(({ id }) => id === selected);
  return (
    <section className="panel-section" aria-label="Regions">
      <h2>Regions</h2>
      {regions.length === 0 && (
        <p className="hint">
          Draw a rectangle (R) or a polygon (P) on the slide to see its metrics, distance profile and
          histogram.
        </p>
      )}
      <ul className="region-list">
        {regions.map(({ id, name, result, error }) => (
          <li key={id} className={id === selected ? 'is-selected' : ''}>
            <button
              type="button"
              className="region-row"
              aria-pressed={id === selected}
              onClick={() => onSelect(id)}
            >
              <span className="swatch" style={{ background: regionColor(id) }} />
              {name}
              <span className="hint">
                {error ? 'failed' : result ? formatArea(result.areaUm2) : 'measuring …'}
              </span>
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label={`Remove ${name}`}
              onClick={() => onRemove(id)}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      {chosen !== undefined && (
        <div className="region-result" data-testid="region-result">
          <label className="field-inline">
            Name
            <input
              value={chosen.name}
              maxLength={60}
              onChange={({ target }) => onRename(chosen.id, target.value)}
            />
          </label>
          {chosen.error !== undefined && <p className="error-text">{chosen.error}</p>}
          {chosen.result === undefined && chosen.error === undefined && <Busy label="Measuring" />}
          {chosen.result !== undefined && <Result result={chosen.result} />}
        </div>
      )}
    </section>
  );
}

function Result({ result }: { readonly result: RegionResult }): ReactNode {
  const { metrics, measured, predicted, profile, histogram, notes } = result;
  const rows: [string, string][] = [
    ['Area', formatArea(result.areaUm2)],
    [
      'Vessels',
      Number.isFinite(result.vesselShare ?? Number.NaN) ? `${formatFigure(result.vesselShare * 100)} %` : '–',
    ],
  ];
  if (measured)
    rows.push(['Measured mean ± SD', `${formatFigure(measured.mean)} ± ${formatFigure(measured.sd)}`]);
  if (predicted)
    rows.push(['Predicted mean ± SD', `${formatFigure(predicted.mean)} ± ${formatFigure(predicted.sd)}`]);
  if (metrics) {
    rows.push(['R²', formatFigure(metrics.r2)], ['Pearson r', formatFigure(metrics.pearson)]);
    rows.push(['RMSE', formatFigure(metrics.rmse)], ['Bias', formatFigure(metrics.bias)]);
  }
  return (
    <>
      <dl className="figures">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {profile.length > 0 && (measured || predicted) && (
        <>
          <h3>Mean probe by distance from the nearest vessel</h3>
          <LineChart
            label="Mean probe intensity by distance from the nearest vessel wall"
            series={profileSeries(result)}
            xLabel="distance from vessel wall, µm"
            yLabel="mean intensity"
            width={320}
            height={190}
            fromZero
          />
        </>
      )}
      {histogram.edges.length > 0 && (
        <>
          <h3>Histogram</h3>
          <LineChart
            label="Histogram of intensities in the region"
            series={histogramSeries(result)}
            xLabel="intensity"
            yLabel="pixels"
            width={320}
            height={170}
            fromZero
          />
        </>
      )}
      {notes.map((note) => (
        <p key={note} className="hint">
          {note}
        </p>
      ))}
    </>
  );
}

/** The vessels themselves at 0, each ring at its middle. */
function profileSeries({ profile, measured, predicted }: RegionResult): Series[] {
  const middle = ({ fromUm, toUm }: { fromUm: number; toUm: number }): number => (fromUm + toUm) / 2;
  const bins = profile.filter(({ pixels }) => pixels > 0);
  const series: Series[] = [];
  if (measured) {
    const points = bins.map((bin) => ({ x: middle(bin), y: bin.measured }));
    series.push({ name: 'measured', color: measuredColor, points });
  }
  if (predicted) {
    const points = bins.map((bin) => ({ x: middle(bin), y: bin.predicted }));
    series.push({ name: 'predicted', color: predictedColor, points, isDashed: true });
  }
  return series;
}

function histogramSeries({ histogram }: RegionResult): Series[] {
  const { edges } = histogram;
  const pointsOf = (counts: readonly number[]): Series['points'] =>
    edges.map((x, i) => ({ x, y: counts[i] ?? 0 }));
  const series: Series[] = [];
  if (histogram.measured) {
    series.push({
      name: 'measured',
      color: measuredColor,
      points: pointsOf(histogram.measured),
      isStepped: true,
    });
  }
  if (histogram.predicted) {
    const points = pointsOf(histogram.predicted);
    series.push({ name: 'predicted', color: predictedColor, points, isStepped: true, isDashed: true });
  }
  return series;
}
