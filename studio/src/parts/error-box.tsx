// What went wrong, on a page.
import type { ReactNode } from 'react';
import { Icon } from './icon.tsx';

/** What went wrong and what to do, in one sentence of the server. */
export function ErrorBox({
  message,
  children,
}: {
  readonly message: string;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <div className="error-box" role="alert">
      <Icon name="alert" />
      <p>{message}</p>
      {children}
    </div>
  );
}
