// Choose files and folders of the opened folder.
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { EntryKind, FolderEntry, Listing } from '../../../src/contract/studio.ts';
import { api, messageOf } from '../api.ts';
import { formatBytes } from '../format.ts';
import { Icon, type IconName } from './icon.tsx';

interface Props {
  readonly title: string;
  readonly kinds: readonly EntryKind[];
  readonly isMultiple?: boolean;
  /** Folder shown first. */
  readonly start?: string;
  readonly onChoose: (paths: readonly string[]) => void;
  readonly onClose: () => void;
}

const icons: Readonly<Record<EntryKind, IconName>> = {
  folder: 'folder',
  slide: 'slide',
  dataset: 'dataset',
  run: 'run',
  model: 'model',
  report: 'report',
  regions: 'regions',
  file: 'file',
};

export function EntryIcon({ kind }: { readonly kind: EntryKind }): ReactNode {
  return <Icon name={icons[kind]} />;
}

export function FileDialog({
  title,
  kinds,
  isMultiple = false,
  start = '',
  onChoose,
  onClose,
}: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [path, setPath] = useState(start);
  const [listing, setListing] = useState<Listing>();
  const [error, setError] = useState<string>();
  const [chosen, setChosen] = useState<readonly string[]>([]);

  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  useEffect(() => {
    let isCurrent = true;
    api
      .browse(path)
      .then((found) => {
        if (!isCurrent) return;
        setListing(found);
        setError(undefined);
      })
      .catch((cause) => isCurrent && (path === '' ? setError(messageOf(cause)) : setPath('')));
    return () => {
      isCurrent = false;
    };
  }, [path]);

  const isWanted = ({ kind }: FolderEntry): boolean => kinds.includes(kind);
  const isFolder = ({ kind }: FolderEntry): boolean =>
    kind === 'folder' || kind === 'run' || kind === 'dataset';
  const shown = (listing?.entries ?? []).filter((entry) => isWanted(entry) || isFolder(entry));
  const choose = (paths: readonly string[]): void => {
    onChoose(paths);
    close();
  };
  // Only a dialog that closes, and is not just taken away, gives the focus back to what opened it.
  const close = (): void => dialog.current?.close();
  return (
    <dialog ref={dialog} className="file-dialog" onClose={onClose} aria-label={title}>
      <header>
        <h2>{title}</h2>
        <button type="button" className="icon-button" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <Crumbs path={path} onGo={setPath} />
      {error !== undefined && <p className="error-text">{error}</p>}
      <ul className="entry-list">
        {shown.map((entry) => {
          const isChosen = chosen.includes(entry.path);
          return (
            <li key={entry.path}>
              <button
                type="button"
                className={`entry${isChosen ? ' is-chosen' : ''}`}
                aria-pressed={isMultiple && isWanted(entry) ? isChosen : undefined}
                onClick={() => {
                  if (!isWanted(entry)) setPath(entry.path);
                  else if (!isMultiple) choose([entry.path]);
                  else
                    setChosen(
                      isChosen ? chosen.filter((each) => each !== entry.path) : [...chosen, entry.path],
                    );
                }}
              >
                <EntryIcon kind={entry.kind} />
                <span className="entry-name">{entry.name}</span>
                {isChosen && <Icon name="check" />}
                {entry.bytes > 0 && <span className="hint">{formatBytes(entry.bytes)}</span>}
              </button>
              {isWanted(entry) && isFolder(entry) && (
                <button type="button" className="button small" onClick={() => setPath(entry.path)}>
                  Open
                </button>
              )}
            </li>
          );
        })}
        {listing !== undefined && shown.length === 0 && (
          <li className="hint empty">Nothing to choose here.</li>
        )}
      </ul>
      <LeftOut listing={listing} />
      <footer>
        {kinds.includes('slide') && path !== '' && (
          <button
            type="button"
            className="button small"
            onClick={() => choose([path])}
            title="A folder with one file a channel"
          >
            Use this folder as one slide
          </button>
        )}
        <span className="spacer" />
        {isMultiple && (
          <button
            type="button"
            className="button primary"
            disabled={chosen.length === 0}
            onClick={() => choose(chosen)}
          >
            Choose {chosen.length > 0 ? chosen.length : ''}
          </button>
        )}
      </footer>
    </dialog>
  );
}

/** That a folder holds more than is listed. */
export function LeftOut({ listing }: { readonly listing: Listing | undefined }): ReactNode {
  if (listing === undefined || listing.leftOut === 0) return null;
  return (
    <p className="hint" role="status">
      {listing.leftOut} more are not listed here, the last by name. Folders and slides come first; to see the
      rest, sort the files into folders.
    </p>
  );
}

export function Crumbs({
  path,
  onGo,
}: {
  readonly path: string;
  readonly onGo: (path: string) => void;
}): ReactNode {
  const parts = path === '' ? [] : path.split('/');
  return (
    <nav className="crumbs" aria-label="Folder">
      <button type="button" onClick={() => onGo('')} aria-label="Opened folder">
        <Icon name="home" />
      </button>
      {parts.map((part, i) => (
        <span key={parts.slice(0, i + 1).join('/')}>
          /
          <button type="button" onClick={() => onGo(parts.slice(0, i + 1).join('/'))}>
            {part}
          </button>
        </span>
      ))}
    </nav>
  );
}
