// Files of the opened folder, whole or in ranges: the way a viewer reads a slide of many gigabytes.
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.geojson': 'application/geo+json; charset=utf-8',
  '.jsonl': 'text/plain; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
};

export interface SendOptions {
  readonly method: string;
  readonly range?: string;
  readonly ifRange?: string;
  readonly ifNoneMatch?: string;
  /** Further headers of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * @param path absolute and already checked
 * @returns 200, 206, 304, 404 for what is no file, or 416
 */
export async function sendFile(path: string, options: SendOptions): Promise<Response> {
  let file: FileHandle;
  try {
    // Without waiting for somebody to write into a pipe.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch {
    return new Response('not found', { status: 404 });
  }
  let isHandedOn = false;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return new Response('not found', { status: 404 });
    const etag = `"${stats.size.toString(36)}-${Math.round(stats.mtimeMs).toString(36)}"`;
    const headers = new Headers({
      'Content-Type': contentTypes[extname(path).toLowerCase()] ?? 'application/octet-stream',
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'no-cache',
      ETag: etag,
      ...options.headers,
    });
    if (options.ifNoneMatch === etag) return new Response(null, { status: 304, headers });
    const isRangeValid = options.ifRange === undefined || options.ifRange === etag;
    const range = isRangeValid ? parseRange(options.range, stats.size) : undefined;
    if (range === 'unsatisfiable') {
      headers.set('Content-Range', `bytes */${stats.size}`);
      return new Response(null, { status: 416, headers });
    }
    const { first, last } = range ?? { first: 0, last: stats.size - 1 };
    headers.set('Content-Length', String(last - first + 1));
    if (range !== undefined) headers.set('Content-Range', `bytes ${first}-${last}/${stats.size}`);
    const status = range === undefined ? 200 : 206;
    if (options.method === 'HEAD' || stats.size === 0) return new Response(null, { status, headers });
    if (last - first < smallRead) {
      const bytes = new Uint8Array(last - first + 1);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, first);
      if (bytesRead < bytes.length) return new Response('the file became shorter', { status: 409 });
      return new Response(bytes, { status, headers });
    }
    isHandedOn = true;
    const stream = file.createReadStream({ start: first, end: last, autoClose: true });
    return new Response(Readable.toWeb(stream) as ReadableStream, { status, headers });
  } finally {
    if (!isHandedOn) await file.close();
  }
}

/** Below this a tile is read at once; above, streamed. */
const smallRead = 4 * 2 ** 20;

/** One range of bytes; of several, or of what is not understood, nothing, so that the whole file is sent. */
function parseRange(
  header: string | undefined,
  size: number,
): { first: number; last: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (first >= size) return 'unsatisfiable';
  return last < first ? undefined : { first, last };
}
