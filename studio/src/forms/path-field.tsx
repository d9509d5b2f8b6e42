// One path of the opened folder: typed, or chosen.
import { type ReactNode, useState } from 'react';
import type { EntryKind } from '../../../src/contract/studio.ts';
import { parentOf } from '../format.ts';
import { FileDialog } from '../parts/file-dialog.tsx';

interface Props {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly kinds: readonly EntryKind[];
  readonly isCompact?: boolean;
  readonly isRequired?: boolean;
  readonly describedBy?: string;
  readonly onChange: (path: string) => void;
}

export function PathField(props: Props): ReactNode {
  const { id, label, value, kinds, isCompact = false, isRequired, describedBy, onChange } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <div className={`path-field${isCompact ? ' is-compact' : ''}`}>
      {isCompact && (
        <label className="hint" htmlFor={id}>
          {label}
        </label>
      )}
      <div className="path-row">
        <input
          id={id}
          key={value}
          defaultValue={value}
          aria-label={isCompact ? undefined : label}
          aria-describedby={describedBy}
          aria-required={isRequired}
          placeholder="none"
          spellCheck={false}
          onBlur={({ target }) => target.value.trim() !== value && onChange(target.value.trim())}
          onKeyDown={(event) => {
            if (event.key === 'Enter') {
              event.preventDefault();
              event.currentTarget.blur();
            }
          }}
        />
        <button type="button" className="button" onClick={() => setOpen(true)}>
          Browse
        </button>
      </div>
      {isOpen && (
        <FileDialog
          title={label}
          kinds={kinds}
          start={parentOf(value)}
          onChoose={([path]) => onChange(path)}
          onClose={() => setOpen(false)}
        />
      )}
    </div>
  );
}

interface ListProps {
  readonly id: string;
  readonly label: string;
  readonly values: readonly string[];
  readonly kinds: readonly EntryKind[];
  /** May be chosen in place of paths. */
  readonly word?: string;
  readonly describedBy?: string;
  readonly onChange: (paths: readonly string[]) => void;
}

/** Several paths. */
export function PathListField(props: ListProps): ReactNode {
  const { id, label, values, kinds, word, describedBy, onChange } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="path-list" aria-describedby={describedBy}>
      {values.length > 0 && (
        <ul>
          {values.map((path) => (
            <li key={path} className="chip removable">
              {path}
              <button
                type="button"
                aria-label={`Remove ${path}`}
                onClick={() => onChange(values.filter((each) => each !== path))}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      <button type="button" id={id} className="button" onClick={() => setOpen(true)}>
        {values.length === 0 ? 'Choose …' : 'Add …'}
      </button>
      {word !== undefined && values.length === 0 && (
        <button
          type="button"
          className="button"
          aria-label={`${label}: ${word}`}
          onClick={() => onChange([word])}
        >
          {word}
        </button>
      )}
      {isOpen && (
        <FileDialog
          title={label}
          kinds={kinds}
          isMultiple
          start={parentOf(values[0] ?? '')}
          onChoose={(paths) => {
            const kept = values.filter((path) => path !== word);
            onChange([...kept, ...paths.filter((path) => !kept.includes(path))]);
          }}
          onClose={() => setOpen(false)}
        />
      )}
    </div>
  );
}
