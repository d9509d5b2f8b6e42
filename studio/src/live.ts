// The runs as the server tells of them, live, for every page that shows some.
import { useSyncExternalStore } from 'react';
import type { HistoryRow, RunView, StudioEvent } from '../../src/contract/studio.ts';
import { api } from './api.ts';

interface Live {
  /** Newest first; undefined until the first answer. */
  readonly runs: readonly RunView[] | undefined;
  readonly histories: ReadonlyMap<number, readonly HistoryRow[]>;
  readonly isConnected: boolean;
}

let state: Live = { runs: undefined, histories: new Map(), isConnected: true };
const listeners = new Set<() => void>();
let source: EventSource | undefined;
const retryMs = 5000;

function set(change: Partial<Live>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

/** Hidden tabs do not listen: a browser has six connections to a server, and every one that listens keeps one. */
function follow(): void {
  if (document.hidden) {
    source?.close();
    source = undefined;
  } else connect();
}

function connect(): void {
  if (source !== undefined) return;
  source = new EventSource('/api/events');
  // Also after a restart of the server, and after a while in hiding: everything may have changed.
  source.onopen = () => {
    set({ isConnected: true });
    void refresh();
    for (const id of state.histories.keys()) void loadHistory(id);
  };
  source.onerror = () => {
    set({ isConnected: false });
    // Refused, as after a restart with another token: a browser does not try that again.
    if (source?.readyState !== EventSource.CLOSED) return;
    source = undefined;
    setTimeout(follow, retryMs);
  };
  source.onmessage = ({ data }) => take(JSON.parse(data) as StudioEvent);
}

/** For the name of what the next run writes: no run that is listed has it. */
export function nextNumber(runs: readonly RunView[]): number {
  return runs.reduce((highest, { id }) => Math.max(highest, id), 0) + 1;
}

export async function refresh(): Promise<void> {
  const runs = await api.runs().catch(() => undefined);
  if (runs !== undefined) set({ runs });
}

function take(event: StudioEvent): void {
  const runs = state.runs ?? [];
  if (event.type === 'run') putRun(event.run);
  else if (event.type === 'removed') set({ runs: runs.filter(({ id }) => id !== event.id) });
  else {
    const held = state.histories.get(event.id) ?? [];
    // Rows before these may never have been asked for; then the whole curve is fetched.
    if (event.from > held.length) void loadHistory(event.id);
    else setHistory(event.id, [...held.slice(0, event.from), ...event.rows]);
  }
}

/** Takes in what an answer already says, before the event for it comes. */
export function putRun(run: RunView): void {
  const runs = state.runs ?? [];
  const isKnown = runs.some(({ id }) => id === run.id);
  set({ runs: isKnown ? runs.map((held) => (held.id === run.id ? run : held)) : [run, ...runs] });
}

function setHistory(id: number, rows: readonly HistoryRow[]): void {
  set({ histories: new Map(state.histories).set(id, rows) });
}

export async function loadHistory(id: number): Promise<void> {
  const rows = await api.history(id).catch(() => undefined);
  if (rows !== undefined) setHistory(id, rows);
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) document.addEventListener('visibilitychange', follow);
  follow();
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) document.removeEventListener('visibilitychange', follow);
  };
}

export function useRuns(): readonly RunView[] | undefined {
  return useSyncExternalStore(subscribe, () => state.runs);
}

export function useRun(id: number): RunView | undefined {
  return useRuns()?.find((run) => run.id === id);
}

const noRows: readonly HistoryRow[] = [];

export function useHistory(id: number): readonly HistoryRow[] {
  return useSyncExternalStore(subscribe, () => state.histories.get(id) ?? noRows);
}

/** Of every run whose curve was asked for. */
export function useHistories(): ReadonlyMap<number, readonly HistoryRow[]> {
  return useSyncExternalStore(subscribe, () => state.histories);
}

export function useIsConnected(): boolean {
  return useSyncExternalStore(subscribe, () => state.isConnected);
}
