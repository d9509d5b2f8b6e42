// What the page asks of the server.
import type {
  HistoryRow,
  Listing,
  RegionRequest,
  RegionResult,
  RunView,
  SlideView,
  StudioSession,
} from '../../src/contract/studio.ts';
import { capitalized } from './format.ts';

/** The server said no; its sentence says why and what to do. */
class StudioError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const api = {
  session: () => get<StudioSession>('/api/session'),
  browse: (path: string) => get<Listing>(`/api/browse?path=${encodeURIComponent(path)}`),
  slide: (path: string) => get<SlideView>(`/api/slide?path=${encodeURIComponent(path)}`),
  tile: async (query: Record<string, string | number>, signal?: AbortSignal): Promise<Float32Array> => {
    const text = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
    const answer = await send(`/api/tile?${text}`, { signal });
    return new Float32Array(await answer.arrayBuffer());
  },
  region: (request: RegionRequest) => post<RegionResult>('/api/region', request),
  runs: () => get<RunView[]>('/api/runs'),
  startRun: (command: string, options: Record<string, unknown>, title?: string) =>
    post<RunView>('/api/runs', { command, options, title }),
  cancel: (id: number) => post<RunView>(`/api/runs/${id}/cancel`, {}),
  resume: (id: number) => post<RunView>(`/api/runs/${id}/resume`, {}),
  remove: (id: number) => send(`/api/runs/${id}`, { method: 'DELETE' }),
  history: (id: number) => get<HistoryRow[]>(`/api/runs/${id}/history`),
  log: async (id: number) => (await send(`/api/runs/${id}/log`)).text(),
  text: async (path: string) => (await send(fileUrl(path))).text(),
  upload,
};

/** Where a file of the opened folder is served. */
export function fileUrl(path: string): string {
  return `/files/${path.split('/').map(encodeURIComponent).join('/')}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function get<T>(url: string): Promise<T> {
  return (await send(url)).json() as Promise<T>;
}

async function post<T>(url: string, body: unknown): Promise<T> {
  const headers = { 'Content-Type': 'application/json' };
  return (await send(url, { method: 'POST', headers, body: JSON.stringify(body) })).json() as Promise<T>;
}

async function send(url: string, options: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new StudioError(0, 'The studio does not answer. Is it still running in its terminal?');
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => undefined);
  throw new StudioError(answer.status, sentence(said?.error ?? `The studio answered ${answer.status}.`));
}

/** Begins with a capital, unless the first word is the name of a file. */
function sentence(text: string): string {
  return text.replace(/^[a-z]+(?=[ ,])/, capitalized);
}

/** With XMLHttpRequest, which reports how far it is. */
function upload(file: File, path: string, onProgress: (share: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', `/api/files?path=${encodeURIComponent(path)}`);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onerror = () =>
      reject(new StudioError(0, `${file.name} was not taken: the connection broke off.`));
    request.onload = () => {
      if (request.status < 300) return resolve();
      let text = `The studio answered ${request.status}.`;
      try {
        text = JSON.parse(request.responseText).error ?? text;
      } catch {}
      reject(new StudioError(request.status, sentence(text)));
    };
    request.send(file);
  });
}
