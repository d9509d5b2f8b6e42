// A sign that something is on its way.
import type { ReactNode } from 'react';

/** Something is on its way. */
export function Busy({
  label,
  isLarge = false,
}: {
  readonly label: string;
  readonly isLarge?: boolean;
}): ReactNode {
  return <output className={`busy${isLarge ? ' large' : ''}`} aria-label={label} />;
}
