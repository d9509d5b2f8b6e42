// One run: how it stands, its curves, what came of it, and what to do next.

import { type ReactNode, useEffect, useState } from 'react';
import type { RunView } from '../../../src/contract/studio.ts';
import { api } from '../api.ts';
import { LossChart } from '../charts/loss-chart.tsx';
import { formatTime, parentOf } from '../format.ts';
import { loadHistory, useHistory, useRun, useRuns } from '../live.ts';
import { Busy } from '../parts/busy.tsx';
import { ErrorBox } from '../parts/error-box.tsx';
import { Icon } from '../parts/icon.tsx';
import { ResultFigures } from '../parts/result-figures.tsx';
import { RunActions } from '../parts/run-actions.tsx';
import { RunProgressBar, runDuration, StateChip } from '../parts/run-state.tsx';
import { useNow } from '../parts/use-now.ts';
import { go, href, type Route } from '../route.ts';
import { formatRoles, type Roles } from '../viewer/roles.ts';

export function RunPage({ route }: { readonly route: Route }): ReactNode {
  const id = Number(route.rest);
  const run = useRun(id);
  const isKnown = useRuns() !== undefined;
  const history = useHistory(id);
  const now = useNow(run?.state === 'running');
  const isTraining = run?.command === 'train';

  useEffect(() => {
    if (isTraining) void loadHistory(id);
  }, [id, isTraining]);

  const show = route.query.get('show');
  const picture = run === undefined ? undefined : firstPicture(run);
  useEffect(() => {
    if (show === 'view' && picture !== undefined) location.replace(picture);
  }, [show, picture]);

  if (run === undefined) {
    return isKnown ? (
      <ErrorBox message={`There is no run ${route.rest}.`} />
    ) : (
      <Busy label="Loading" isLarge />
    );
  }
  return (
    <div className="page">
      <p className="breadcrumb">
        <a href={href('runs')}>Runs</a> / #{run.id}
      </p>
      <div className="page-head">
        <h1>{run.title}</h1>
        <StateChip run={run} />
        <span className="spacer" />
        <RunActions run={run} />
      </div>
      <p className="hint">
        {run.startedAt === null
          ? `waiting since ${formatTime(run.createdAt)}`
          : `started ${formatTime(run.startedAt)}`}{' '}
        · {runDuration(run, now)}
      </p>
      {run.state === 'running' && <RunProgressBar run={run} />}
      {run.error !== null && <ErrorBox message={run.error} />}
      {isTraining && (history.length > 0 || run.state === 'running') && (
        <section className="card">
          <LossChart rows={history} />
        </section>
      )}
      {run.state === 'done' && <NextSteps run={run} />}
      {run.state === 'done' && (
        <section className="card">
          <h2>Result</h2>
          {resultOf(run).extravasation && (
            <p>
              <strong>{verdictText(resultOf(run).extravasation?.verdict ?? '')}</strong>
            </p>
          )}
          <Notes run={run} />
          <ResultFigures result={run.result} />
          <Files run={run} />
        </section>
      )}
      <Details run={run} />
    </div>
  );
}

interface Result {
  readonly files?: readonly string[];
  readonly notes?: readonly string[];
  readonly slides?: readonly { readonly path?: string; readonly truthPath?: string }[];
  readonly dataset?: string;
  readonly model?: string;
  readonly prediction?: string;
  readonly warnings?: readonly (string | { readonly slide?: string; readonly message: string })[];
  readonly extravasation?: { readonly verdict: string };
  readonly excluded?: readonly { readonly slide: string; readonly reason: string }[];
}

/** 'no extravasation signal' -> 'No extravasation signal.' */
const verdictText = (verdict: string): string => `${verdict.charAt(0).toUpperCase()}${verdict.slice(1)}.`;

/** What the run was told of its slide, for the pages and forms that go on with it. */
function slideFacts({ options }: RunView): Record<string, string | string[] | undefined> {
  const { roles, pixelSizeUm } = options;
  return {
    roles: formatRoles((roles ?? {}) as Roles),
    pixelSizeUm: pixelSizeUm === undefined ? undefined : String(pixelSizeUm),
  };
}

function resultOf(run: RunView): Result {
  return (run.result ?? {}) as Result;
}

/** The picture that a run made, if it made one. */
function firstPicture(run: RunView): string | undefined {
  const result = resultOf(run);
  if (run.command === 'simulate' && result.slides?.[0]?.path)
    return href('view', { slide: result.slides[0].path });
  if (run.command === 'predict' && result.prediction) {
    return href('view', {
      slide: String(run.options.slide),
      prediction: result.prediction,
      ...slideFacts(run),
    });
  }
  return undefined;
}

function NextSteps({ run }: { readonly run: RunView }): ReactNode {
  const result = resultOf(run);
  const picture = firstPicture(run);
  const reports = (result.files ?? []).filter((file) => file.endsWith('.html'));
  const outlines = (result.files ?? []).filter((file) => file.endsWith('.geojson'));
  const slides = (result.slides ?? []).flatMap(({ path }) => (path ? [path] : []));
  const steps: ReactNode[] = [];
  const add = (to: string, text: string, isFirst = false): void => {
    steps.push(
      <a key={text} className={`button${isFirst ? ' primary' : ''}`} href={to}>
        {text}
      </a>,
    );
  };
  if (picture !== undefined) add(picture, 'View', true);
  if (run.command === 'simulate') add(href('new/prepare', { slides }), 'Prepare a dataset');
  if (run.command === 'prepare' && result.dataset)
    add(href('new/train', { dataset: result.dataset }), 'Train a model', true);
  if (run.command === 'train' && result.model) {
    add(href('new/predict', { model: result.model }), 'Predict a slide', true);
    add(href('new/evaluate', { model: result.model, dataset: String(run.options.dataset) }), 'Evaluate');
  }
  if (run.command === 'predict' && result.prediction) {
    const pair = { slide: String(run.options.slide), prediction: result.prediction, ...slideFacts(run) };
    add(href('new/analyze', pair), 'Analyze');
    add(href('new/evaluate', pair), 'Evaluate');
  }
  for (const report of reports) add(href('report', { path: report, run: String(run.id) }), 'Report', true);
  if (run.command === 'analyze') {
    add(
      href('view', {
        slide: String(run.options.slide),
        prediction: typeof run.options.prediction === 'string' ? run.options.prediction : undefined,
        overlay: outlines,
        ...slideFacts(run),
      }),
      'View with outlines',
    );
  }
  return steps.length === 0 ? null : <div className="next-steps">{steps}</div>;
}

function Notes({ run }: { readonly run: RunView }): ReactNode {
  const { notes = [], warnings = [], excluded = [] } = resultOf(run);
  const told = warnings.map((warning) =>
    typeof warning === 'string' ? warning : `${warning.slide ? `${warning.slide}: ` : ''}${warning.message}`,
  );
  const all = [...told, ...notes, ...excluded.map(({ slide, reason }) => `Left out: ${slide}: ${reason}`)];
  if (all.length === 0) return null;
  return (
    <ul className="notes">
      {all.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

function Files({ run }: { readonly run: RunView }): ReactNode {
  const { files = [] } = resultOf(run);
  if (files.length === 0) return null;
  return (
    <details className="more" open={files.length <= 8}>
      <summary>{files.length} files written</summary>
      <ul className="file-list">
        {files.map((file) => (
          <li key={file}>
            <a href={fileHref(file)}>{file}</a>
          </li>
        ))}
      </ul>
    </details>
  );
}

function fileHref(file: string): string {
  if (/\.html$/i.test(file)) return href('report', { path: file });
  if (/\.(tiff?|zarr)$/i.test(file)) return href('view', { slide: file });
  if (/\.[a-z0-9]{2,8}$/i.test(file)) return `/files/${file.split('/').map(encodeURIComponent).join('/')}`;
  return href('', { path: file });
}

function Details({ run }: { readonly run: RunView }): ReactNode {
  const [log, setLog] = useState<string>();
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(run.commandLine).catch(() => {});
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <section className="details">
      <h2>The same on the command line</h2>
      <div className="command-line">
        <code>{run.commandLine}</code>
        <button type="button" className="button small" onClick={() => void copy()}>
          {isCopied ? <Icon name="check" /> : null} {isCopied ? 'Copied' : 'Copy'}
        </button>
      </div>
      {typeof run.options.out === 'string' && (
        <p>
          <a
            href={href('', {
              path: /\.[a-z]+$/i.test(run.options.out) ? parentOf(run.options.out) : run.options.out,
            })}
          >
            Open the folder
          </a>
        </p>
      )}
      <details
        className="more"
        onToggle={({ currentTarget }) => {
          if (currentTarget.open)
            void api
              .log(run.id)
              .then(setLog)
              .catch(() => setLog(''));
        }}
      >
        <summary>What it said</summary>
        <pre>{log === undefined ? '…' : log === '' ? 'Nothing.' : log}</pre>
      </details>
      {run.endedAt !== null && (
        <button type="button" className="button small" onClick={() => go(`new/${run.command}`, againOf(run))}>
          Run again with changes
        </button>
      )}
    </section>
  );
}

/** The options as the address of a form carries them; pairs as on the command line. */
function againOf(run: RunView): Record<string, string | string[]> {
  const carried: Record<string, string | string[]> = {};
  for (const [key, value] of Object.entries(run.options)) {
    if (key === 'out' || key === 'resume' || value === null) continue;
    if (Array.isArray(value)) carried[key] = value.map(String);
    else if (typeof value === 'object') carried[key] = formatRoles(value as Roles);
    else carried[key] = String(value);
  }
  return carried;
}
