// Cancel, resume, remove.
import { type ReactNode, useState } from 'react';
import type { RunView } from '../../../src/contract/studio.ts';
import { api, messageOf } from '../api.ts';
import { putRun, refresh } from '../live.ts';
import { Icon } from './icon.tsx';

export function RunActions({ run }: { readonly run: RunView }): ReactNode {
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const act = async (action: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await action();
    } catch (cause) {
      setError(messageOf(cause));
    } finally {
      setBusy(false);
    }
  };
  const isActive = run.state === 'running' || run.state === 'queued';
  const canResume = ['failed', 'cancelled', 'interrupted'].includes(run.state);
  return (
    <span className="run-actions">
      {isActive && (
        <button
          type="button"
          className="button small"
          disabled={isBusy}
          onClick={() => void act(async () => putRun(await api.cancel(run.id)))}
        >
          <Icon name="stop" /> Cancel
        </button>
      )}
      {canResume && (
        <button
          type="button"
          className="button small"
          disabled={isBusy}
          onClick={() => void act(async () => putRun(await api.resume(run.id)))}
        >
          <Icon name="play" /> Resume
        </button>
      )}
      {!isActive && (
        <button
          type="button"
          className="icon-button"
          aria-label={`Take ${run.title} off the list`}
          title="Take off the list; files stay"
          disabled={isBusy}
          onClick={() =>
            void act(async () => {
              await api.remove(run.id);
              await refresh();
            })
          }
        >
          <Icon name="close" />
        </button>
      )}
      {error !== undefined && (
        <span className="error-text" role="alert">
          {error}
        </span>
      )}
    </span>
  );
}
