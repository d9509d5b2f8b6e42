// Options that are pairs: which channel has a role, and which animal a slide is from.

import { type ReactNode, useEffect, useState } from 'react';
import type { SlideView } from '../../../src/contract/studio.ts';
import { api } from '../api.ts';
import { baseName } from '../format.ts';
import { Busy } from '../parts/busy.tsx';
import { chooseRole, knownRoles, type Roles, rolesOf } from '../viewer/roles.ts';

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
  const change = (all: Readonly<Record<string, string>>): void =>
    onChange(Object.keys(all).length === 0 ? undefined : all);
  const putAnimal = (slide: string, animal: string): void => {
    const { [slide]: _, ...others } = pairs;
    change(animal === '' ? others : { ...others, [slide]: animal });
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
                  onChange={({ target }) => putAnimal(slide, target.value)}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  }
  return <RoleTable id={id} helpId={helpId} slide={slides[0]} roles={pairs} onChange={change} />;
}

interface RoleProps {
  readonly id: string;
  readonly helpId: string;
  readonly slide: string;
  readonly roles: Roles;
  readonly onChange: (roles: Roles) => void;
}

/** Every channel of the first slide with the role it has by its name, to be corrected. */
function RoleTable({ id, helpId, slide, roles, onChange }: RoleProps): ReactNode {
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
  const held = rolesOf(view, roles);
  return (
    <table className="pairs" id={id} aria-describedby={helpId}>
      <tbody>
        {view.channels.map(({ name }, c) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <RoleInput
                list={`${id}-roles`}
                channel={name}
                role={held[c] ?? ''}
                onChoose={(role) => onChange(chooseRole(roles, role, name))}
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

interface RoleInputProps {
  readonly list: string;
  readonly channel: string;
  readonly role: string;
  readonly onChoose: (role: string) => void;
}

/** Takes a role when it is complete: what is typed on the way there may be the role of another channel. */
function RoleInput({ list, channel, role, onChoose }: RoleInputProps): ReactNode {
  const [typed, setTyped] = useState<string>();
  return (
    <input
      list={list}
      aria-label={`Role of ${channel}`}
      placeholder="not used"
      value={typed ?? role}
      onChange={({ target }) => setTyped(target.value)}
      onBlur={() => {
        if (typed !== undefined && typed.trim() !== role) onChoose(typed.trim());
        setTyped(undefined);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') {
          event.preventDefault();
          event.currentTarget.blur();
        }
      }}
    />
  );
}
