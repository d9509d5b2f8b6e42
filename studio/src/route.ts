// Which page is shown, kept in the address after '#', so that every view can be bookmarked.
import { useSyncExternalStore } from 'react';

export interface Route {
  /** e.g. 'runs' */
  readonly page: string;
  /** e.g. '12' in #/runs/12 */
  readonly rest: string;
  readonly query: URLSearchParams;
}

let held: Route = parse();

function parse(): Route {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  return { page, rest: rest.join('/'), query: new URLSearchParams(query) };
}

function subscribe(listener: () => void): () => void {
  const changed = (): void => {
    held = parse();
    listener();
  };
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, () => held);
}

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** e.g. href('view', { slide: 'a.tif' }) */
export function href(page: string, query: Query = {}): string {
  const text = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (typeof value === 'string') text.append(key, value);
    else for (const item of value ?? []) text.append(key, item);
  }
  const tail = text.toString();
  return `#/${page}${tail === '' ? '' : `?${tail}`}`;
}

export function go(page: string, query: Query = {}): void {
  location.hash = href(page, query).slice(1);
}
