// Which page is shown, kept in the address after '#', so that every view can be bookmarked.
import { useSyncExternalStore } from 'react';
import { type Route, readAddress } from './address.ts';

export type { Route };

let held: Route = readAddress();

// From the start, for the address may change before the page is drawn, and before anyone asks to be told.
addEventListener('hashchange', () => {
  held = readAddress();
});

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
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
