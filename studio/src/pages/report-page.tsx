// A report inside the app. Its file may come from anywhere, so it is shown without any rights.
import type { ReactNode } from 'react';
import { fileUrl } from '../api.ts';
import { baseName } from '../format.ts';
import { ErrorBox } from '../parts/error-box.tsx';
import { href, type Route } from '../route.ts';

export function ReportPage({ route }: { readonly route: Route }): ReactNode {
  const path = route.query.get('path');
  const run = route.query.get('run');
  if (path === null)
    return <ErrorBox message="No report was chosen. Open one from a run or from the files." />;
  return (
    <div className="report-page">
      <div className="toolbar">
        <strong className="viewer-title">{path}</strong>
        <span className="spacer" />
        {run !== null && (
          <a className="button small" href={href(`runs/${run}`)}>
            Run #{run}
          </a>
        )}
        <a className="button small" href={fileUrl(path)} download={baseName(path)}>
          Save
        </a>
      </div>
      <iframe
        title={`Report ${baseName(path)}`}
        src={fileUrl(path)}
        sandbox="allow-same-origin allow-popups"
      />
    </div>
  );
}
