// The opened folder, and for an empty one a way to begin.
import { type DragEvent, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import type { FolderEntry, Listing, StudioSession } from '../../../src/contract/studio.ts';
import { api, messageOf } from '../api.ts';
import { baseName, formatBytes, formatTime } from '../format.ts';
import { nextNumber, putRun, useRuns } from '../live.ts';
import { ErrorBox } from '../parts/error-box.tsx';
import { Crumbs, EntryIcon, LeftOut } from '../parts/file-dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { RunProgressBar, StateChip } from '../parts/run-state.tsx';
import { go, href, type Route } from '../route.ts';

interface Upload {
  readonly name: string;
  readonly share: number;
  readonly error?: string;
}

const acceptedFiles = '.tif,.tiff,.png,.jpg,.jpeg,.onnx,.geojson';

/** The example: few and small enough to be there in seconds. */
const example = { preset: 'tiny', size: 768 };

export function HomePage({
  session,
  route,
}: {
  readonly session: StudioSession;
  readonly route: Route;
}): ReactNode {
  const path = route.query.get('path') ?? '';
  const runs = useRuns();
  const [listing, setListing] = useState<Listing>();
  const [error, setError] = useState<string>();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const [isOver, setOver] = useState(false);

  // What an answer must still be of: another folder may have been gone to since it was asked for.
  const shownPath = useRef(path);
  const load = useCallback(async () => {
    try {
      const found = await api.browse(path);
      if (shownPath.current !== path) return;
      setListing(found);
      setError(undefined);
    } catch (cause) {
      if (shownPath.current === path) setError(messageOf(cause));
    }
  }, [path]);
  useEffect(() => {
    shownPath.current = path;
    setListing(undefined);
    setChosen(new Set());
    setError(undefined);
  }, [path]);
  const ended = runs?.filter(({ endedAt }) => endedAt !== null).length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a run that ended has written something.
  useEffect(() => {
    void load();
  }, [load, ended]);

  const take = async (files: readonly File[]): Promise<void> => {
    for (const file of files) {
      const put = (part: Partial<Upload>): void =>
        setUploads((held) => [
          ...held.filter(({ name }) => name !== file.name),
          { name: file.name, share: 0, ...part },
        ]);
      put({});
      try {
        await api.upload(file, path === '' ? file.name : `${path}/${file.name}`, (share) => put({ share }));
        setUploads((held) => held.filter(({ name }) => name !== file.name));
        await load();
      } catch (cause) {
        put({ error: messageOf(cause) });
      }
    }
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void take([...event.dataTransfer.files]);
  };

  const entries = listing?.entries;
  const isEmpty = path === '' && entries?.length === 0 && runs?.length === 0;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one way, the button the other.
    <div
      className={`page${isOver ? ' is-drop-target' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => event.currentTarget === event.target && setOver(false)}
      onDrop={onDrop}
    >
      <h1>{path === '' ? baseName(session.folder) || 'Files' : baseName(path)}</h1>
      {error !== undefined && <ErrorBox message={error} />}
      {isEmpty && <Welcome />}
      {!isEmpty && (
        <>
          <div className="folder-head">
            <Crumbs path={path} onGo={(to) => go('', to === '' ? {} : { path: to })} />
            <span className="spacer" />
            <label className="button small">
              <Icon name="plus" /> Add files
              <input
                type="file"
                multiple
                accept={acceptedFiles}
                className="visually-hidden"
                onChange={({ target }) => void take([...(target.files ?? [])])}
              />
            </label>
            <ExampleButton isSmall />
          </div>
          {chosen.size > 0 && (
            <div className="selection-bar" role="status">
              {chosen.size} chosen
              <a className="button small primary" href={href('new/prepare', { slides: [...chosen] })}>
                Prepare a dataset
              </a>
              <button type="button" className="button small" onClick={() => setChosen(new Set())}>
                Clear
              </button>
            </div>
          )}
          <EntryTable
            entries={entries ?? []}
            chosen={chosen}
            onChoose={(item, isChosen) =>
              setChosen((held) => {
                const next = new Set(held);
                if (isChosen) next.add(item);
                else next.delete(item);
                return next;
              })
            }
          />
          <LeftOut listing={listing} />
          {entries?.length === 0 && <p className="hint">This folder is empty. Drop slides here.</p>}
        </>
      )}
      {uploads.map(({ name, share, error: failure }) => (
        <div key={name} className="upload">
          {name}
          {failure === undefined ? (
            <progress value={share} aria-label={`Adding ${name}`} />
          ) : (
            <span className="error-text">{failure}</span>
          )}
        </div>
      ))}
      {path === '' && runs !== undefined && runs.length > 0 && (
        <section className="recent">
          <h2>Latest runs</h2>
          {runs.slice(0, 4).map((run) => (
            <a key={run.id} className="run-card" href={href(`runs/${run.id}`)}>
              <StateChip run={run} />
              <span className="run-title">{run.title}</span>
              {run.state === 'running' ? (
                <RunProgressBar run={run} />
              ) : (
                <span className="hint">{formatTime(run.createdAt)}</span>
              )}
            </a>
          ))}
        </section>
      )}
    </div>
  );
}

function Welcome(): ReactNode {
  return (
    <div className="welcome">
      <div className="welcome-card">
        <h2>No slides here yet</h2>
        <p>
          Begin with a simulated tumour: vessels, nuclei and a probe whose true distribution is known. It is
          ready in seconds, and everything can be tried on it.
        </p>
        <ExampleButton />
      </div>
      <div className="welcome-card quiet">
        <h2>Your own slides</h2>
        <p>Drop OME-TIFF, TIFF, PNG or JPEG files here, or start the studio in the folder that holds them:</p>
        <code>hrpn studio /path/to/slides</code>
      </div>
    </div>
  );
}

/** One click: simulate, and go to the picture as soon as it is there. */
function ExampleButton({ isSmall = false }: { readonly isSmall?: boolean }): ReactNode {
  const runs = useRuns() ?? [];
  const [error, setError] = useState<string>();
  const start = async (): Promise<void> => {
    try {
      const number = nextNumber(runs);
      const out = number === 1 ? 'example' : `example-${number}`;
      const run = await api.startRun('simulate', { out, ...example }, 'Simulated example');
      putRun(run);
      go(`runs/${run.id}`, { show: 'view' });
    } catch (cause) {
      setError(messageOf(cause));
    }
  };
  return (
    <>
      <button
        type="button"
        className={`button${isSmall ? ' small' : ' primary large'}`}
        onClick={() => void start()}
      >
        <Icon name="spark" /> {isSmall ? 'Simulated example' : 'Open the simulated example'}
      </button>
      {error !== undefined && <p className="error-text">{error}</p>}
    </>
  );
}

interface TableProps {
  readonly entries: readonly FolderEntry[];
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (path: string, isChosen: boolean) => void;
}

function EntryTable({ entries, chosen, onChoose }: TableProps): ReactNode {
  if (entries.length === 0) return null;
  return (
    <table className="entries">
      <thead>
        <tr>
          <th className="check-cell">
            <span className="visually-hidden">Choose</span>
          </th>
          <th>Name</th>
          <th>Kind</th>
          <th className="number">Size</th>
          <th className="number">Changed</th>
          <th>
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.path}>
            <td className="check-cell">
              {entry.kind === 'slide' && (
                <input
                  type="checkbox"
                  aria-label={`Choose ${entry.name}`}
                  checked={chosen.has(entry.path)}
                  onChange={({ target }) => onChoose(entry.path, target.checked)}
                />
              )}
            </td>
            <td>
              <a className="entry-link" href={openHref(entry)}>
                <EntryIcon kind={entry.kind} />
                {entry.name}
              </a>
            </td>
            <td className="hint">{entry.kind === 'run' ? 'training run' : entry.kind}</td>
            <td className="number hint">{entry.bytes > 0 ? formatBytes(entry.bytes) : ''}</td>
            <td className="number hint">{formatTime(entry.modifiedMs)}</td>
            <td className="actions">
              <EntryActions entry={entry} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function openHref({ kind, path }: FolderEntry): string {
  switch (kind) {
    case 'slide':
      return href('view', { slide: path });
    case 'report':
      return href('report', { path });
    case 'model':
      return href('new/predict', { model: path });
    case 'folder':
    case 'dataset':
    case 'run':
      return href('', { path });
    default:
      return `/files/${path.split('/').map(encodeURIComponent).join('/')}`;
  }
}

function EntryActions({ entry: { kind, path } }: { readonly entry: FolderEntry }): ReactNode {
  if (kind === 'dataset') return <a href={href('new/train', { dataset: path })}>Train</a>;
  if (kind === 'model') return <a href={href('new/predict', { model: path })}>Predict</a>;
  if (kind === 'slide') return <a href={href('view', { slide: path })}>View</a>;
  if (kind === 'folder')
    return (
      <a href={href('view', { slide: path })} title="A folder with one file a channel">
        Open as slide
      </a>
    );
  return null;
}
