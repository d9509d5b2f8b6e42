// What the file does not tell, or tells wrongly: which channel plays which part, and the size of a pixel.
import type { ReactNode } from 'react';
import type { SlideView } from '../../../src/contract/studio.ts';
import { chooseRole, knownRoles, type Roles, rolesOf } from './roles.ts';

interface Props {
  readonly slide: SlideView;
  readonly roles: Roles;
  readonly pixelSizeUm: number | undefined;
  readonly onRoles: (roles: Roles) => void;
  readonly onPixelSize: (um: number | undefined) => void;
}

export function RolePanel({ slide, roles, pixelSizeUm, onRoles, onPixelSize }: Props): ReactNode {
  const held = rolesOf(slide, roles);
  return (
    <section className="panel-section" aria-label="Roles">
      <h2>Roles</h2>
      <div className="role-grid">
        {knownRoles.map((role) => {
          const index = held.indexOf(role);
          return (
            <label key={role}>
              {role}
              <select
                value={index < 0 ? '' : slide.channels[index].name}
                onChange={({ target }) => onRoles(chooseRole(roles, role, target.value))}
              >
                {index < 0 && <option value="">none</option>}
                {slide.channels.map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          );
        })}
        <label>
          pixel size, µm
          <input
            type="number"
            min={0}
            step="any"
            placeholder={
              slide.pixelSizeUm === null ? 'not in the file' : `${slide.pixelSizeUm}, as the file says`
            }
            defaultValue={pixelSizeUm}
            onBlur={({ target }) => onPixelSize(target.valueAsNumber > 0 ? target.valueAsNumber : undefined)}
            onKeyDown={({ key, currentTarget }) => key === 'Enter' && currentTarget.blur()}
          />
        </label>
      </div>
    </section>
  );
}
