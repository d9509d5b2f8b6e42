// All runs, newest first; some of them can be put side by side.

import { type ReactNode, useState } from 'react';
import { formatTime } from '../format.ts';
import { useRuns } from '../live.ts';
import { Busy } from '../parts/busy.tsx';
import { RunActions } from '../parts/run-actions.tsx';
import { RunProgressBar, runDuration, StateChip } from '../parts/run-state.tsx';
import { useNow } from '../parts/use-now.ts';
import { href } from '../route.ts';

export function RunsPage(): ReactNode {
  const runs = useRuns();
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const now = useNow(runs?.some(({ state }) => state === 'running') === true);
  if (runs === undefined) return <Busy label="Loading" isLarge />;
  const toggle = (id: number): void =>
    setChosen(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Runs</h1>
        <span className="spacer" />
        <a
          className={`button${chosen.length < 2 ? ' is-disabled' : ''}`}
          aria-disabled={chosen.length < 2}
          href={chosen.length < 2 ? undefined : href('compare', { id: chosen.map(String) })}
        >
          Compare {chosen.length > 1 ? chosen.length : ''}
        </a>
      </div>
      {runs.length === 0 && <p className="hint">No runs yet. Start one from the menu on the left.</p>}
      {runs.length > 0 && (
        <table className="entries runs">
          <thead>
            <tr>
              <th className="check-cell">
                <span className="visually-hidden">Compare</span>
              </th>
              <th>Run</th>
              <th>State</th>
              <th>Progress</th>
              <th className="number">Started</th>
              <th className="number">Took</th>
              <th>
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <tr key={run.id}>
                <td className="check-cell">
                  <input
                    type="checkbox"
                    aria-label={`Compare ${run.title}`}
                    checked={chosen.includes(run.id)}
                    onChange={() => toggle(run.id)}
                  />
                </td>
                <td>
                  <a href={href(`runs/${run.id}`)}>{run.title}</a>
                  <span className="hint"> #{run.id}</span>
                </td>
                <td>
                  <StateChip run={run} />
                </td>
                <td className="progress-cell">
                  {run.state === 'running' && <RunProgressBar run={run} />}
                  {run.error !== null && <span className="error-text clamp">{run.error}</span>}
                </td>
                <td className="number hint">{formatTime(run.startedAt ?? run.createdAt)}</td>
                <td className="number hint">{runDuration(run, now)}</td>
                <td className="actions">
                  <RunActions run={run} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
