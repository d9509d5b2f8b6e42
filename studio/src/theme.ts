// Light or dark: the system's, which the style sheet follows by itself, until a person chooses the other one.
import { useSyncExternalStore } from 'react';

type Theme = 'light' | 'dark';
const key = 'hrpn-theme';
const listeners = new Set<() => void>();
const system = matchMedia('(prefers-color-scheme: dark)');

function systemTheme(): Theme {
  return system.matches ? 'dark' : 'light';
}

function current(): Theme {
  const held = localStorage.getItem(key);
  return held === 'light' || held === 'dark' ? held : systemTheme();
}

function tell(): void {
  for (const listener of listeners) listener();
}

system.addEventListener('change', tell);

/** Once, before the first picture. */
export function applyTheme(): void {
  const held = localStorage.getItem(key);
  if (held === null) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = held;
}

export function useTheme(): [Theme, () => void] {
  const theme = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
  const toggle = (): void => {
    const other = theme === 'dark' ? 'light' : 'dark';
    // Back to what the system has is back to following it.
    if (other === systemTheme()) localStorage.removeItem(key);
    else localStorage.setItem(key, other);
    applyTheme();
    tell();
  };
  return [theme, toggle];
}
