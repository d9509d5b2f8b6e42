// Runs side by side: their curves in one picture, what differs between them, and what came of each.

import { type ReactNode, useEffect } from 'react';
import type { RunView } from '../../../src/contract/studio.ts';
import { LineChart } from '../charts/line-chart.tsx';
import { formatFigure } from '../format.ts';
import { loadHistory, useHistories, useRuns } from '../live.ts';
import { Busy } from '../parts/busy.tsx';
import { figuresOf, words } from '../parts/result-figures.tsx';
import { StateChip } from '../parts/run-state.tsx';
import { href, type Route } from '../route.ts';

const colors = [
  'var(--series-1)',
  'var(--series-2)',
  'var(--series-3)',
  'var(--series-4)',
  'var(--series-5)',
];

export function ComparePage({ route }: { readonly route: Route }): ReactNode {
  const asked = route.query.getAll('id').map(Number);
  const ids = asked.slice(0, colors.length);
  const runs = useRuns();
  if (runs === undefined) return <Busy label="Loading" isLarge />;
  const chosen = ids.flatMap((id) => runs.filter((run) => run.id === id));
  const trainings = chosen.filter(({ command }) => command === 'train');
  return (
    <div className="page">
      <p className="breadcrumb">
        <a href={href('runs')}>Runs</a> / compare
      </p>
      <h1>Compare runs</h1>
      {asked.length > ids.length && (
        <p className="hint">
          The first {ids.length} of {asked.length} runs; more do not fit side by side.
        </p>
      )}
      {trainings.length > 1 && <Curves runs={trainings} colorOf={(run) => colors[chosen.indexOf(run)]} />}
      <section className="card scroll-x">
        <table className="compare">
          <thead>
            <tr>
              <th />
              {chosen.map((run, i) => (
                <th key={run.id} scope="col">
                  <span className="swatch" style={{ background: colors[i] }} />
                  <a href={href(`runs/${run.id}`)}>
                    {run.title} <span className="hint">#{run.id}</span>
                  </a>
                  <StateChip run={run} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <Rows title="Options" rows={optionRows(chosen)} />
            <Rows title="Results" rows={resultRows(chosen)} />
          </tbody>
        </table>
      </section>
    </div>
  );
}

function Curves({
  runs,
  colorOf,
}: {
  readonly runs: readonly RunView[];
  readonly colorOf: (run: RunView) => string;
}): ReactNode {
  const all = useHistories();
  const histories = runs.map(({ id }) => all.get(id) ?? []);
  const ids = runs.map(({ id }) => id).join(',');
  useEffect(() => {
    for (const id of ids.split(',')) void loadHistory(Number(id));
  }, [ids]);
  const series = (pick: (row: (typeof histories)[number][number]) => number | null | undefined) =>
    runs.map((run, i) => ({
      name: `${run.title} #${run.id}`,
      color: colorOf(run),
      points: histories[i].map((row) => ({ x: row.epoch, y: pick(row) ?? null })),
    }));
  return (
    <section className="card loss-charts">
      <div>
        <h3>Training loss</h3>
        <LineChart
          label="Training loss by epoch"
          series={series((row) => row.trainLoss)}
          xLabel="epoch"
          isWhole
          yLabel="loss"
          width={520}
        />
      </div>
      <div>
        <h3>Validation R²</h3>
        <LineChart
          label="Validation R² by epoch"
          series={series((row) => row.validation?.r2)}
          xLabel="epoch"
          isWhole
          yLabel="R²"
          width={520}
        />
      </div>
    </section>
  );
}

interface Row {
  readonly name: string;
  readonly cells: readonly string[];
}

function Rows({ title, rows }: { readonly title: string; readonly rows: readonly Row[] }): ReactNode {
  if (rows.length === 0) return null;
  return (
    <>
      <tr className="group">
        <th colSpan={rows[0].cells.length + 1} scope="colgroup">
          {title}
        </th>
      </tr>
      {rows.map(({ name, cells }) => (
        <tr key={name} className={new Set(cells).size > 1 ? 'differs' : ''}>
          <th scope="row">{words(name)}</th>
          {cells.map((cell, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: columns are runs in a fixed order.
            <td key={i}>{cell}</td>
          ))}
        </tr>
      ))}
    </>
  );
}

function optionRows(runs: readonly RunView[]): Row[] {
  const keys = [...new Set(runs.flatMap(({ options }) => Object.keys(options)))];
  const text = (value: unknown): string => {
    if (value === undefined) return '–';
    if (Array.isArray(value)) return value.join(', ');
    if (value === null || typeof value !== 'object') return String(value);
    return Object.entries(value)
      .map(([key, item]) => `${key}=${item}`)
      .join(', ');
  };
  return keys.map((name) => ({ name, cells: runs.map(({ options }) => text(options[name])) }));
}

function resultRows(runs: readonly RunView[]): Row[] {
  const figures = runs.map(
    ({ result }) => new Map(figuresOf(result).map(({ name, value }) => [name, value])),
  );
  const names = [...new Set(figures.flatMap((map) => [...map.keys()]))];
  return names.map((name) => ({ name, cells: figures.map((map) => formatFigure(map.get(name))) }));
}
