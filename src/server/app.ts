// The routes of the studio.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';
import { regionRequest, type StudioSession, startRunRequest } from '../contract/studio.ts';
import { FileAccessError, HrpnError, UsageError } from '../core/errors.ts';
import { version } from '../core/version.ts';
import { browse } from './browse.ts';
import { commandForms } from './commands.ts';
import type { EventHub } from './events.ts';
import { type GuardOptions, guard } from './guard.ts';
import type { OpenedFolder } from './opened-folder.ts';
import type { PixelService } from './pixel-service.ts';
import { ConflictError, QueueFullError, type RunQueue } from './run-queue.ts';
import { sendFile } from './send-file.ts';
import { saveUpload, TooLargeError } from './upload.ts';

export interface AppParts {
  readonly folder: OpenedFolder;
  readonly queue: RunQueue;
  readonly events: EventHub;
  readonly pixels: PixelService;
  readonly guard: GuardOptions;
  readonly maxUploadBytes: number;
  /** Folder of the built browser app. */
  readonly appFolder: OpenedFolder;
}

/** Largest JSON body; a polygon of ten thousand points fits. */
const maxJsonBytes = 512 * 1024;

/** Files that a user's folder holds may be anything; none of them may act as a page of the studio. */
const foreignFile = {
  'Content-Security-Policy':
    "sandbox allow-same-origin allow-popups; default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; font-src data:",
};
const appPolicy = {
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; " +
    "img-src 'self' blob: data:; connect-src 'self' blob: data:; frame-src 'self'; object-src 'none'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

export function createApp(parts: AppParts): Hono {
  const { folder, queue, events, pixels } = parts;
  const app = new Hono();
  app.use('*', async (context, next) => {
    await next();
    // A refused body may be only half read; the next request must not have to wait behind the rest of it.
    if (context.res.status >= 400 && context.req.method !== 'GET') context.header('Connection', 'close');
  });
  app.use('*', guard(parts.guard));
  app.use('/api/*', async (context, next) => {
    await next();
    if (!context.res.headers.has('Cache-Control')) context.header('Cache-Control', 'no-store');
  });
  const json = bodyLimit({
    maxSize: maxJsonBytes,
    onError: (context) => context.json({ error: `a request may have ${maxJsonBytes} bytes at most.` }, 413),
  });

  app.get('/api/session', (context) =>
    context.json({
      version,
      folder: folder.root,
      commands: commandForms(),
      maxUploadBytes: parts.maxUploadBytes,
    } satisfies StudioSession),
  );
  app.get('/api/browse', async (context) => {
    const path = context.req.query('path') ?? '';
    return context.json({ path, ...(await browse(folder, path)) });
  });
  app.get('/api/events', (context) => events.stream(context.req.raw.signal));

  app.get('/api/slide', async (context) => {
    const slide = await folder.existingTree(required(context, 'path'));
    const view = await pixels.view(slide);
    return context.json({ ...view, path: folder.relative(slide) });
  });
  app.get('/api/tile', async (context) => {
    const slide = await folder.knownTree(required(context, 'path'));
    const number = (name: string): number => wholeNumber(name, required(context, name));
    const { mtimeMs, size, ino } = await stat(slide);
    const stamp = `${size}-${mtimeMs}-${ino}`;
    // What a browser keeps is asked about every time: a slide may be written anew under its name.
    const headers = { 'Cache-Control': 'private, no-cache', ETag: `"${stamp}"` };
    if (context.req.header('if-none-match') === headers.ETag) {
      return new Response(null, { status: 304, headers });
    }
    const data = await pixels.tile({
      slide,
      stamp,
      level: number('level'),
      x: number('x'),
      y: number('y'),
      width: number('width'),
      height: number('height'),
      channel: number('channel'),
    });
    return new Response(data as Float32Array<ArrayBuffer>, {
      headers: { 'Content-Type': 'application/octet-stream', ...headers },
    });
  });
  app.post('/api/region', json, async (context) => {
    const request = await body(context, regionRequest);
    const slide = await folder.knownTree(request.slide);
    const prediction =
      request.prediction === undefined ? undefined : await folder.knownTree(request.prediction);
    return context.json(await pixels.region({ ...request, slide, prediction }));
  });

  app.get('/api/runs', (context) => context.json(queue.list()));
  app.post('/api/runs', json, async (context) => {
    const { command, options, title } = await body(context, startRunRequest);
    return context.json(await queue.add(command, options, title), 201);
  });
  app.get('/api/runs/:id', (context) => context.json(queue.get(runId(context))));
  app.get('/api/runs/:id/log', (context) => context.text(queue.log(runId(context))));
  app.get('/api/runs/:id/history', async (context) => context.json(await queue.history(runId(context))));
  app.post('/api/runs/:id/cancel', json, (context) => context.json(queue.cancel(runId(context))));
  app.post('/api/runs/:id/resume', json, (context) => context.json(queue.resume(runId(context))));
  app.delete('/api/runs/:id', (context) => {
    queue.remove(runId(context));
    return context.json({ removed: true });
  });

  app.put('/api/files', async (context) => {
    const path = await folder.writable(required(context, 'path'));
    const declared = Number(context.req.header('content-length') ?? 0);
    await saveUpload(path, context.req.raw.body, declared, parts.maxUploadBytes);
    return context.json({ path: folder.relative(path) }, 201);
  });
  app.get('/files/*', async (context) => {
    const wanted = pathAfter(context, '/files/');
    const path = await folder.existing(wanted).catch(async (error) => {
      // A Zarr leaves out chunks without content; a reader that asks for one expects none.
      if (context.req.query('optional') === undefined || !(await isLeftOut(wanted, folder, error)))
        throw error;
      return undefined;
    });
    if (path === undefined) return context.body(null, 204);
    return sendFile(path, { ...fileRequest(context), headers: foreignFile });
  });

  app.get('*', async (context) => {
    const wanted = pathAfter(context, '/');
    if (wanted.startsWith('api/')) return context.json({ error: 'there is no such address.' }, 404);
    const path = await parts.appFolder.existing(wanted === '' ? 'index.html' : wanted).catch(() => undefined);
    if (path === undefined) return context.text('not found', 404);
    return sendFile(path, { ...fileRequest(context), headers: appPolicy });
  });

  app.onError((error, context) => {
    const message = error instanceof HrpnError ? error.message : 'the server failed at this request.';
    const text = message.replaceAll(`${folder.root}/`, '').replaceAll(folder.root, 'the opened folder');
    return context.json({ error: text }, statusOf(error));
  });
  return app;
}

function statusOf(error: Error): 400 | 404 | 409 | 413 | 429 | 500 {
  if (error instanceof TooLargeError) return 413;
  if (error instanceof QueueFullError) return 429;
  if (error instanceof ConflictError) return 409;
  if (error instanceof FileAccessError) return 404;
  return error instanceof HrpnError && error.fault === 'input' ? 400 : 500;
}

async function body<T extends z.ZodType>(context: Context, schema: T): Promise<z.output<T>> {
  if (!/^application\/json\b/.test(context.req.header('content-type') ?? '')) {
    throw new UsageError('expected a body of application/json.');
  }
  const parsed = schema.safeParse(await context.req.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  throw new UsageError(`the request is not understood: ${path.join('.') || 'body'}: ${message}.`);
}

function required(context: Context, name: string): string {
  const value = context.req.query(name);
  if (value === undefined || value === '') throw new UsageError(`the request needs ${name}.`);
  return value;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${name}: expected a whole number, found '${text}'.`);
  return Number(text);
}

function runId(context: Context): number {
  return wholeNumber('run', context.req.param('id') ?? '');
}

/** The rest of the address, decoded once. */
function pathAfter(context: Context, prefix: string): string {
  const raw = new URL(context.req.url).pathname.slice(prefix.length);
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new UsageError('the address is not well formed.');
  }
}

function fileRequest(context: Context): Parameters<typeof sendFile>[1] {
  return {
    method: context.req.method,
    range: context.req.header('range'),
    ifRange: context.req.header('if-range'),
    ifNoneMatch: context.req.header('if-none-match'),
  };
}

/**
 * Whether a file that is not there was left out of a Zarr, as chunks without content are: a folder above it is a part of one.
 * Of a slide that was moved away nothing is left, and its chunks are no zeros.
 */
async function isLeftOut(wanted: string, folder: OpenedFolder, error: unknown): Promise<boolean> {
  if (!(error instanceof FileAccessError) || (error.cause as NodeJS.ErrnoException)?.code !== 'ENOENT')
    return false;
  for (let above = dirname(wanted); above !== '.'; above = dirname(above)) {
    const metadata = await Promise.all(
      zarrMetadata.map((name) => folder.existing(join(above, name)).catch(() => undefined)),
    );
    if (metadata.some((path) => path !== undefined)) return true;
  }
  return false;
}

const zarrMetadata = ['zarr.json', '.zarray', '.zgroup', '.zattrs'];
