// Options that are pairs: which channel has a role, and which animal a slide is from.

import { type ReactNode, useEffect, useState } from 'react';
import type { SlideView } from '../../../src/contract/studio.ts';
import { api } from '../api.ts';
import { baseName } from '../format.ts';
import { Busy } from '../parts/busy.tsx';
import { knownRoles } from '../viewer/roles.ts';

interface Props {
  readonly id: string;
  readonly helpId: string;
  readonly value: unknown;
  readonly slides: readonly string[];
  /** Keys are slides (their animals); otherwise keys are roles. */
  readonly isByPath: boolean;
  readonly onChange: (value: unknown) => void;
}

export function PairsField({ id, helpId, value, slides, isByPath, onChange }: Props): ReactNode {
  const pairs = (value ?? {}) as Readonly<Record<string, string>>;
  const put = (key: string, item: string): void => {
    const { [key]: _, ...others } = pairs;
    const all = item === '' ? others : { ...others, [key]: item };
    onChange(Object.keys(all).length === 0 ? undefined : all);
  };
  if (slides.length === 0) {
    return (
      <p className="hint" id={id}>
        Choose slides first.
      </p>
    );
  }
  if (isByPath) {
    return (
      <table className="pairs" id={id} aria-describedby={helpId}>
        <tbody>
          {slides.map((slide) => (
            <tr key={slide}>
              <th scope="row">{baseName(slide)}</th>
              <td>
                <input
                  aria-label={`Animal of ${baseName(slide)}`}
                  placeholder="animal"
                  value={pairs[slide] ?? ''}
                  onChange={({ target }) => put(slide, target.value)}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  }
  return <RoleTable id={id} helpId={helpId} slide={slides[0]} pairs={pairs} onPut={put} />;
}

interface RoleProps {
  readonly id: string;
  readonly helpId: string;
  readonly slide: string;
  readonly pairs: Readonly<Record<string, string>>;
  readonly onPut: (role: string, channel: string) => void;
}

/** Every channel of the first slide with the role it has by its name, to be corrected. */
function RoleTable({ id, helpId, slide, pairs, onPut }: RoleProps): ReactNode {
  const [view, setView] = useState<SlideView>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    let isCurrent = true;
    setView(undefined);
    setError(undefined);
    api
      .slide(slide)
      .then((found) => isCurrent && setView(found))
      .catch((cause: Error) => isCurrent && setError(cause.message));
    return () => {
      isCurrent = false;
    };
  }, [slide]);
  if (error !== undefined) return <p className="error-text">{error}</p>;
  if (view === undefined) return <Busy label="Reading channels" />;
  const roleOf = (channel: string): string =>
    Object.entries(pairs).find(([, name]) => name === channel)?.[0] ??
    view.channels.find(
      ({ name, role }) => name === channel && role !== undefined && pairs[role] === undefined,
    )?.role ??
    '';
  const choose = (channel: string, role: string): void => {
    const held = Object.entries(pairs).find(([, name]) => name === channel)?.[0];
    if (held !== undefined && held !== role) onPut(held, '');
    if (role !== '') onPut(role, channel);
  };
  return (
    <table className="pairs" id={id} aria-describedby={helpId}>
      <tbody>
        {view.channels.map(({ name }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <input
                list={`${id}-roles`}
                aria-label={`Role of ${name}`}
                placeholder="not used"
                value={roleOf(name)}
                onChange={({ target }) => choose(name, target.value)}
              />
            </td>
          </tr>
        ))}
      </tbody>
      <caption>
        <datalist id={`${id}-roles`}>
          {knownRoles.map((role) => (
            <option key={role} value={role} />
          ))}
        </datalist>
        Channels of {baseName(slide)}
      </caption>
    </table>
  );
}
