// Buttons with an icon, as toolbars have them: one alone, or several of which one is pressed.
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';

interface GroupProps<T extends string> {
  readonly label: string;
  readonly items: readonly (readonly [T, IconName, string])[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** Buttons of which one is pressed. */
export function ButtonGroup<T extends string>({ label, items, value, onChange }: GroupProps<T>): ReactNode {
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons of a toolbar, not a form.
    <span className="button-group" role="group" aria-label={label}>
      {items.map(([id, icon, text]) => (
        <ToolButton key={id} icon={icon} label={text} isPressed={id === value} onClick={() => onChange(id)} />
      ))}
    </span>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly isPressed?: boolean;
  readonly onClick: () => void;
}

export function ToolButton({ icon, label, isPressed, onClick }: ToolProps): ReactNode {
  return (
    <button
      type="button"
      className="tool-button"
      title={label}
      aria-label={label}
      aria-pressed={isPressed}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
