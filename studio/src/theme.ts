// Light or dark: as the system has it until a person chooses.
import { useSyncExternalStore } from 'react';

type Theme = 'light' | 'dark';
const key = 'hrpn-theme';
const listeners = new Set<() => void>();
const system = matchMedia('(prefers-color-scheme: dark)');

function current(): Theme {
  const held = localStorage.getItem(key);
  if (held === 'light' || held === 'dark') return held;
  return system.matches ? 'dark' : 'light';
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = current();
  for (const listener of listeners) listener();
}

system.addEventListener('change', applyTheme);

export function useTheme(): [Theme, () => void] {
  const theme = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
  const toggle = (): void => {
    localStorage.setItem(key, theme === 'dark' ? 'light' : 'dark');
    applyTheme();
  };
  return [theme, toggle];
}
