// How a run stands: a chip, and a bar while it runs.
import type { ReactNode } from 'react';
import type { RunView } from '../../../src/contract/studio.ts';
import { formatDuration } from '../format.ts';

const words = {
  queued: 'waiting',
  running: 'running',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
  interrupted: 'interrupted',
} as const;

export function StateChip({ run }: { readonly run: RunView }): ReactNode {
  return <span className={`state-chip is-${run.state}`}>{words[run.state]}</span>;
}

export function RunProgressBar({ run }: { readonly run: RunView }): ReactNode {
  const { progress } = run;
  const share = progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
  const text = progress === null ? 'starting …' : `${progress.stage} ${Math.floor(share * 100)} %`;
  return (
    <div className="run-progress">
      <div
        className={`bar${progress === null ? ' is-indeterminate' : ''}`}
        role="progressbar"
        aria-label={run.title}
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={text}
      >
        <div style={{ width: `${share * 100}%` }} />
      </div>
      <span className="run-progress-text">
        {text}
        {progress?.note !== undefined && progress.note.length < 80 && <small> · {progress.note}</small>}
      </span>
    </div>
  );
}

/** From start to end, or until now. */
export function runDuration({ startedAt, endedAt }: RunView, now: number): string {
  return startedAt === null ? '–' : formatDuration((endedAt ?? now) - startedAt);
}
