// The frame around every page: the menu, the state of the connection, light and dark.

import { type ReactNode, useEffect, useState } from 'react';
import type { StudioSession } from '../../src/contract/studio.ts';
import { api, messageOf } from './api.ts';
import { useIsConnected, useRuns } from './live.ts';
import { ComparePage } from './pages/compare-page.tsx';
import { HomePage } from './pages/home-page.tsx';
import { NewRunPage } from './pages/new-run-page.tsx';
import { ReportPage } from './pages/report-page.tsx';
import { RunPage } from './pages/run-page.tsx';
import { RunsPage } from './pages/runs-page.tsx';
import { ViewerPage } from './pages/viewer-page.tsx';
import { Busy } from './parts/busy.tsx';
import { ErrorBox } from './parts/error-box.tsx';
import { Icon, type IconName } from './parts/icon.tsx';
import { href, type Route, useRoute } from './route.ts';
import { useTheme } from './theme.ts';

const work: readonly [string, IconName, string][] = [
  ['simulate', 'flask', 'Simulate'],
  ['prepare', 'dataset', 'Prepare'],
  ['train', 'run', 'Train'],
  ['predict', 'spark', 'Predict'],
  ['evaluate', 'chart', 'Evaluate'],
  ['analyze', 'ruler', 'Analyze'],
];

export function App(): ReactNode {
  const route = useRoute();
  const [session, setSession] = useState<StudioSession>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    api.session().then(setSession, (cause) => setError(messageOf(cause)));
  }, []);
  useEffect(() => {
    document.title = route.page === '' ? 'hrpn studio' : `${route.page} · hrpn studio`;
  }, [route.page]);

  if (error !== undefined) return <ErrorBox message={error} />;
  return (
    <div className="app">
      <button type="button" className="skip-link" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <Menu session={session} route={route} />
      <main id="main" tabIndex={-1} key={route.page === 'view' ? 'view' : `${route.page}/${route.rest}`}>
        <ConnectionLost />
        <Page session={session} route={route} />
      </main>
    </div>
  );
}

interface Props {
  /** Undefined until the server has answered; a slide need not wait for that. */
  readonly session: StudioSession | undefined;
  readonly route: Route;
}

function Page({ session, route }: Props): ReactNode {
  switch (route.page) {
    case 'view':
      return <ViewerPage route={route} />;
    case 'runs':
      return route.rest === '' ? <RunsPage /> : <RunPage route={route} />;
    case 'compare':
      return <ComparePage route={route} />;
    case 'report':
      return <ReportPage route={route} />;
    case '':
    case 'new':
      if (session === undefined) return <Busy label="Starting" isLarge />;
      return route.page === '' ? (
        <HomePage session={session} route={route} />
      ) : (
        <NewRunPage session={session} route={route} />
      );
    default:
      return <ErrorBox message="There is no such page. Choose one from the menu." />;
  }
}

function Menu({ session, route }: Props): ReactNode {
  const running = (useRuns() ?? []).filter(({ state }) => state === 'running' || state === 'queued').length;
  const [theme, toggleTheme] = useTheme();
  const at = `${route.page}/${route.rest}`;
  const item = (page: string, icon: IconName, text: string, isHere: boolean, badge?: number): ReactNode => (
    <a
      key={page}
      href={href(page)}
      title={text}
      className={isHere ? 'is-here' : ''}
      aria-current={isHere ? 'page' : undefined}
    >
      <Icon name={icon} />
      <span>{text}</span>
      {badge !== undefined && badge > 0 && <span className="badge">{badge}</span>}
    </a>
  );
  return (
    <nav className="menu" aria-label="Main">
      <a className="brand" href={href('')}>
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>
          hrpn <em>studio</em>
        </span>
      </a>
      {item('', 'folder', 'Files', route.page === '')}
      {item('view', 'slide', 'Viewer', route.page === 'view')}
      {item('runs', 'list', 'Runs', route.page === 'runs' || route.page === 'compare', running)}
      <h2>New run</h2>
      {work.map(([name, icon, text]) => item(`new/${name}`, icon, text, at === `new/${name}`))}
      <span className="spacer" />
      <p className="menu-folder" title={session?.folder}>
        <bdi>{session?.folder}</bdi>
      </p>
      <div className="menu-foot">
        <button
          type="button"
          className="icon-button"
          onClick={toggleTheme}
          aria-label={theme === 'dark' ? 'Light colours' : 'Dark colours'}
        >
          <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
        </button>
        <span className="hint">{session?.version}</span>
      </div>
    </nav>
  );
}

function ConnectionLost(): ReactNode {
  const isConnected = useIsConnected();
  // A reconnect within a moment is nobody's concern.
  const [isLost, setLost] = useState(false);
  useEffect(() => {
    if (isConnected) return setLost(false);
    const timer = setTimeout(() => setLost(true), 1500);
    return () => clearTimeout(timer);
  }, [isConnected]);
  if (!isLost) return null;
  return (
    <div className="connection-lost" role="status">
      The studio does not answer. Start it again in its terminal; this page goes on by itself, but from
      another machine open the address that it then prints.
    </div>
  );
}
