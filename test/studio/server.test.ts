// The studio's server without a browser: what it refuses, what it serves, and what becomes of its runs.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunState, RunView } from '../../src/contract/studio.ts';
import { prepare } from '../../src/experiment/prepare.ts';
import { guard } from '../../src/server/guard.ts';
import { OpenedFolder } from '../../src/server/opened-folder.ts';
import { RunStore } from '../../src/server/run-store.ts';
import { type Studio, startStudio } from '../../src/server/start-studio.ts';
import { writeDrawnSlide } from '../e2e/drawn-slide.ts';

const commandFile = fileURLToPath(new URL('./stand-in-command.ts', import.meta.url));

let base: string;
let folder: string;
let app: string;
let studio: Studio;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'hrpn-studio-'));
  folder = join(base, 'opened');
  app = join(base, 'app');
  await mkdir(join(folder, 'data'), { recursive: true });
  await mkdir(app);
  await writeFile(join(app, 'index.html'), '<title>app</title>');
  await writeFile(join(base, 'secret.txt'), 'secret');
  await writeFile(
    join(folder, 'bytes.bin'),
    Uint8Array.from({ length: 1000 }, (_, i) => i % 256),
  );
  await mkdir(join(folder, 'dataset'));
  await writeFile(join(folder, 'dataset', 'dataset.json'), '{}');
  studio = await startStudio({ dir: folder, port: 0 }, app, { commandFile });
});

afterEach(async () => {
  await studio.close();
  await rm(base, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Sends the path exactly as given, which fetch would not. */
function send(
  path: string,
  options: {
    method?: string;
    headers?: Record<string, string>;
    body?: string | Uint8Array;
    port?: number;
  } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body, port = studio.port } = options;
  return new Promise((resolve, reject) => {
    // A connection each: one that is kept may be closed by a server that was held up, as a browser expects.
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text: Buffer.concat(chunks).toString('latin1'),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function post(path: string, value: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const body = JSON.stringify(value);
  return send(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
}

function startTraining(out: string, epochs: number): Promise<Answer> {
  return post('/api/runs', { command: 'train', options: { dataset: 'dataset', out, epochs } });
}

async function until(id: number, wanted: (run: RunView) => boolean, port = studio.port): Promise<RunView> {
  for (;;) {
    const run = JSON.parse((await send(`/api/runs/${id}`, { port })).text) as RunView;
    if (wanted(run)) return run;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const isIn =
  (state: RunState) =>
  (run: RunView): boolean =>
    run.state === state;

describe('what is refused', () => {
  test('every way out of the folder, in every parameter that takes a path', async () => {
    await symlink(join(base, 'secret.txt'), join(folder, 'link.txt'));
    await symlink(base, join(folder, 'way-out'));
    await mkdir(join(folder, 'slide.zarr', '0'), { recursive: true });
    await symlink(join(base, 'secret.txt'), join(folder, 'slide.zarr', '0', 'c0'));
    const ways = [
      '../secret.txt',
      'data/../../secret.txt',
      '%2e%2e/secret.txt',
      '..%2fsecret.txt',
      '..\\secret.txt',
      join(base, 'secret.txt'),
      'file:///etc/passwd',
      'link.txt',
      'way-out/secret.txt',
      'slide.zarr/0/c0',
      '.hrpn-studio/runs.sqlite',
      'data/../.hrpn-studio/runs.sqlite',
      'bytes.bin\0.tif',
    ];
    for (const way of ways) {
      const query = encodeURIComponent(decodeURIComponent(way));
      const answers = await Promise.all([
        send(`/files/${way.replaceAll('\0', '%00')}`),
        send(`/files/${query}`),
        send(`/api/browse?path=${query}`),
        send(`/api/slide?path=${query}`),
        send(`/api/tile?path=${query}&level=0&x=0&y=0&width=1&height=1&channel=0`),
        send(`/api/files?path=${query}`, { method: 'PUT', body: 'x' }),
        post('/api/region', {
          slide: decodeURIComponent(way),
          polygon: [
            [0, 0],
            [9, 0],
            [9, 9],
          ],
        }),
        post('/api/region', {
          slide: 'bytes.bin',
          prediction: decodeURIComponent(way),
          polygon: [
            [0, 0],
            [9, 0],
            [9, 9],
          ],
        }),
        ...['dataset', 'from', 'out'].map((key) =>
          post('/api/runs', {
            command: 'train',
            options: { dataset: 'dataset', out: 'r', [key]: decodeURIComponent(way) },
          }),
        ),
        ...['slides', 'test', 'validation', 'calibration'].map((key) =>
          post('/api/runs', {
            command: 'prepare',
            options: { slides: ['bytes.bin'], out: 'd', [key]: [decodeURIComponent(way)] },
          }),
        ),
        post('/api/runs', {
          command: 'prepare',
          options: { slides: ['bytes.bin'], out: 'd', groups: { [decodeURIComponent(way)]: 'a' } },
        }),
      ]);
      answers.forEach(({ status, text }, i) => {
        expect([400, 404], `${way} by way ${i}: ${text}`).toContain(status);
        expect(text).not.toContain('secret\n');
        expect(text).not.toBe('secret');
      });
    }
    // A slide that is a folder with a link inside is refused as a whole, before a run could follow it.
    const answer = await send('/api/slide?path=slide.zarr');
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).error).toContain('outside the opened folder');
    expect(JSON.parse((await send('/api/runs')).text)).toEqual([]);
    // Links to outside are not even listed.
    const { entries } = JSON.parse((await send('/api/browse')).text);
    expect(entries.map(({ name }: { name: string }) => name).sort()).toEqual([
      'bytes.bin',
      'data',
      'dataset',
      'slide.zarr',
    ]);
  });

  test('a slide folder whose link leads to another folder of the opened one, and from there out', async () => {
    await mkdir(join(folder, 'chunks'));
    await mkdir(join(folder, 'slide.zarr'));
    await symlink('../chunks', join(folder, 'slide.zarr', '0'));
    await symlink('..', join(folder, 'chunks', 'round'));
    const opened = await OpenedFolder.open(folder);
    await expect(opened.existingTree('slide.zarr')).resolves.toBe(join(opened.root, 'slide.zarr'));
    await symlink(join(base, 'secret.txt'), join(folder, 'chunks', 'c0'));
    await expect(opened.existingTree('slide.zarr')).rejects.toThrow('"chunks/c0" is outside');
  });

  test('a link out of a slide, for pieces of it too: put beside the others at once, put deeper within a minute', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await mkdir(join(folder, 'slide.zarr', '0'), { recursive: true });
      const opened = await OpenedFolder.open(folder);
      const isRefused = (): Promise<boolean> =>
        opened.knownTree('slide.zarr').then(
          () => false,
          () => true,
        );
      expect(await isRefused()).toBe(false);
      await symlink(base, join(folder, 'slide.zarr', '0', 'out'));
      // The folder is not gone through for every tile.
      expect(await isRefused()).toBe(false);
      vi.setSystemTime(Date.now() + 60_000);
      expect(await isRefused()).toBe(true);
      await unlink(join(folder, 'slide.zarr', '0', 'out'));
      expect(await isRefused()).toBe(false);
      await symlink(base, join(folder, 'slide.zarr', 'out'));
      expect(await isRefused()).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a foreign host name, origin or site', async () => {
    const own = `127.0.0.1:${studio.port}`;
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await send('/api/runs', { headers })).status;
    expect(await status({ host: own })).toBe(200);
    expect(await status({ host: own, origin: `http://${own}` })).toBe(200);
    expect(await status({ host: `localhost:${studio.port}` })).toBe(200);
    expect(await status({ host: `evil.example:${studio.port}` })).toBe(403);
    expect(await status({ host: '127.0.0.1:1' })).toBe(403);
    expect(await status({ host: own, origin: 'https://evil.example' })).toBe(403);
    expect(await status({ host: own, origin: 'null' })).toBe(403);
    expect(await status({ host: own, origin: `http://localhost:${studio.port}` })).toBe(403);
    expect(await status({ host: own, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe(
      403,
    );
    expect(await status({ host: own, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' })).toBe(403);
  });

  test('not the host name that browsers send on port 80, nor that of any address', async () => {
    const status = async (host: string, port: number, sent: Record<string, string>): Promise<number> => {
      const app = new Hono().use(guard({ host, port: () => port, token: undefined }));
      return (await app.get('/', ({ text }) => text('')).request('/', { headers: sent })).status;
    };
    expect(await status('127.0.0.1', 80, { host: '127.0.0.1', origin: 'http://127.0.0.1' })).toBe(200);
    expect(await status('::1', 80, { host: '[::1]' })).toBe(200);
    expect(await status('127.0.0.1', 80, { host: 'evil.example' })).toBe(403);
    expect(await status('127.0.0.1', 80, { host: '127.0.0.1', origin: 'http://localhost' })).toBe(403);
    expect(await status('127.0.0.1', 4870, { host: '127.0.0.1' })).toBe(403);
    expect(await status('::', 4870, { host: '[::1]:4870' })).toBe(200);
    expect(await status('0.0.0.0', 4870, { host: '127.0.0.1:4870' })).toBe(200);
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === '::1'),
  );
  test.skipIf(!hasIpv6)('not the address that is printed where all are listened on', async () => {
    await studio.close();
    studio = await startStudio({ dir: folder, port: 0, host: '::' }, app, { commandFile });
    expect(new URL(studio.url).hostname).toBe('[::1]');
    expect((await fetch(studio.url, { redirect: 'manual' })).status).toBe(302);
  });

  test('bodies that are too large, or no JSON', async () => {
    const large = await post('/api/runs', { command: 'train', options: {}, title: 'x'.repeat(600_000) });
    expect(large.status).toBe(413);
    const form = await send('/api/runs', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'command=train',
    });
    expect(form.status).toBe(400);
    const headers = { 'content-length': String(17e9) };
    const upload = await new Promise<number>((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: studio.port, path: '/api/files?path=a.tif', method: 'PUT', headers },
        (answer) => {
          resolve(answer.statusCode ?? 0);
          sent.destroy();
        },
      );
      sent.on('error', reject);
      sent.flushHeaders();
    });
    expect(upload).toBe(413);
  });

  test('uploads of other kinds, over what is there, and longer than allowed; nothing is left of them', async () => {
    await studio.close();
    studio = await startStudio({ dir: folder, port: 0, maxUploadGb: 1e-6 }, app, { commandFile });
    const put = (path: string, body: string): Promise<Answer> =>
      send(`/api/files?path=${path}`, { method: 'PUT', headers: { 'transfer-encoding': 'chunked' }, body });
    expect((await put('page.html', 'x')).status).toBe(400);
    expect((await put('long.tif', 'x'.repeat(2000))).status).toBe(413);
    expect((await put('new.tif', 'x'.repeat(999))).status).toBe(201);
    expect((await put('new.tif', 'y')).status).toBe(400);
    expect(await readFile(join(folder, 'new.tif'), 'utf8')).toHaveLength(999);
    const { entries } = JSON.parse((await send('/api/browse')).text);
    expect(entries.map(({ name }: { name: string }) => name)).toEqual([
      'data',
      'dataset',
      'new.tif',
      'bytes.bin',
    ]);
  });

  test('the second of two uploads of one name, which harms neither the first nor what a crash left', async () => {
    await mkdir(join(folder, 'new.tif.partial'));
    await writeFile(join(folder, 'new.tif.partial', 'tile'), 'of a run');
    const path = '/api/files?path=new.tif';
    const slow = request({ host: '127.0.0.1', port: studio.port, path, method: 'PUT', agent: false });
    slow.write('slow');
    const isBegun = async (): Promise<boolean> =>
      (await readdir(folder)).filter((name) => name.startsWith('new.tif.')).length > 1;
    while (!(await isBegun())) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await send(path, { method: 'PUT', body: 'quick' })).status).toBe(201);
    slow.end('er');
    const [answer] = (await once(slow, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(400);
    const [text] = (await once(answer.setEncoding('utf8'), 'data')) as [string];
    expect(JSON.parse(text).error).toContain('a file of that name is there already');
    expect(await readFile(join(folder, 'new.tif'), 'utf8')).toBe('quick');
    expect((await readdir(folder)).filter((name) => name.startsWith('new.tif'))).toEqual([
      'new.tif',
      'new.tif.partial',
    ]);
    expect(await readdir(join(folder, 'new.tif.partial'))).toEqual(['tile']);
    const nowhere = await send('/api/files?path=bytes.bin/new.tif', { method: 'PUT', body: 'x' });
    expect([nowhere.status, JSON.parse(nowhere.text).error]).toEqual([
      404,
      expect.stringMatching(/^new\.tif cannot be written into bytes\.bin \(\w+\)\. Open another folder/),
    ]);
  });

  test('everyone without the token, once it listens beyond this machine', async () => {
    await studio.close();
    studio = await startStudio({ dir: folder, port: 0, host: '0.0.0.0' }, app, { commandFile });
    const token = new URL(studio.url).searchParams.get('token') as string;
    expect(token.length).toBeGreaterThan(20);
    expect((await send('/api/runs')).status).toBe(401);
    expect((await send('/files/bytes.bin')).status).toBe(401);
    expect((await send('/', {})).status).toBe(401);
    expect((await send(`/api/runs?token=${token}x`)).status).toBe(401);
    expect((await send('/api/runs', { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    // Over plain HTTP a browser on another machine says nothing of what it fetches for.
    const { headers } = await send(`/?token=${token}`);
    expect(headers.location).toBe('/');
    expect(String(headers['set-cookie'])).toContain(`-${studio.port}=`);
    const cookie = String(headers['set-cookie']).split(';')[0];
    expect(String(headers['set-cookie'])).toMatch(/HttpOnly/i);
    expect((await send('/api/runs', { headers: { cookie } })).status).toBe(200);
  });

  test('a second studio in the same folder', async () => {
    await expect(startStudio({ dir: folder, port: 0 }, app)).rejects.toThrow(
      /another studio has this folder open/,
    );
  });
});

test('a run list that is none says so, and is not taken for one of another studio', async () => {
  const list = join(folder, '.hrpn-studio', 'runs.sqlite');
  await studio.close();
  await writeFile(list, 'no database '.repeat(100));
  await expect(startStudio({ dir: folder, port: 0 }, app)).rejects.toThrow(
    `the run list ${list} cannot be opened (file is not a database). Move it elsewhere`,
  );
  await rm(list);
  await mkdir(list);
  await expect(startStudio({ dir: folder, port: 0 }, app)).rejects.toThrow(
    /cannot be opened \(unable to open/,
  );
  await rm(list, { recursive: true });
  studio = await startStudio({ dir: folder, port: 0 }, app, { commandFile });
});

test('of a folder with very many files the folders and slides are listed first, and how many are left out', async () => {
  const many = join(folder, 'many');
  await mkdir(join(many, 'z'), { recursive: true });
  await mkdir(join(many, 'a.zarr'));
  const names = ['slide-10.tif', 'slide-2.tif', ...Array.from({ length: 5003 }, (_, i) => `${i}.txt`)];
  for (const name of names) writeFileSync(join(many, name), '');
  await symlink('../data', join(many, 'y'));
  const { entries, leftOut } = JSON.parse((await send('/api/browse?path=many')).text);
  expect(entries.slice(0, 6).map(({ name }: { name: string }) => name)).toEqual([
    'y',
    'z',
    'a.zarr',
    'slide-2.tif',
    'slide-10.tif',
    '0.txt',
  ]);
  expect([entries.length, entries.at(-1).name, leftOut]).toEqual([5000, '4994.txt', 8]);
});

test('a slide that is written anew under its name shows its new pixels', async () => {
  const path = join(folder, 'slide.ome.tif');
  const draw = (seed: number): Promise<string> =>
    writeDrawnSlide(path, { width: 64, height: 64, pixelSizeUm: 0.5, seed });
  const tile = '/api/tile?path=slide.ome.tif&level=0&x=0&y=0&width=64&height=64&channel=0';
  await draw(1);
  const first = await send(tile);
  const asked = { 'if-none-match': String(first.headers.etag) };
  expect((await send(tile, { headers: asked })).status).toBe(304);
  await draw(2);
  const second = await send(tile, { headers: asked });
  expect(second.status).toBe(200);
  expect(second.text).not.toBe(first.text);
});

test('files come whole and in ranges, and never as a page of the studio', async () => {
  const range = async (value: string): Promise<Answer> =>
    send('/files/bytes.bin', { headers: { range: value } });
  const whole = await send('/files/bytes.bin');
  expect([whole.status, whole.text.length, whole.headers['accept-ranges']]).toEqual([200, 1000, 'bytes']);
  const part = await range('bytes=10-19');
  expect([part.status, part.headers['content-range']]).toEqual([206, 'bytes 10-19/1000']);
  expect(part.text).toBe(whole.text.slice(10, 20));
  expect((await range('bytes=990-')).text).toBe(whole.text.slice(990));
  expect((await range('bytes=-10')).text).toBe(whole.text.slice(990));
  expect((await range('bytes=990-5000')).headers['content-range']).toBe('bytes 990-999/1000');
  expect((await range('bytes=1000-')).status).toBe(416);
  expect((await range('bytes=1-2,4-5')).status).toBe(200);
  const stale = { range: 'bytes=0-1', 'if-range': '"other"' };
  expect((await send('/files/bytes.bin', { headers: stale })).status).toBe(200);
  const head = await send('/files/bytes.bin', { method: 'HEAD' });
  expect([head.status, head.headers['content-length'], head.text]).toEqual([200, '1000', '']);
  await writeFile(join(folder, 'page.html'), '<script>parent.location</script>');
  const page = await send('/files/page.html');
  expect(page.headers['content-security-policy']).toMatch(/^sandbox /);
  for (const { headers } of [page, await send('/'), await send('/api/runs')]) {
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
  }
  expect((await send('/')).text).toContain('app');
  expect((await send('/nowhere.js')).status).toBe(404);
});

describe('runs', () => {
  test('a run is queued, runs, moves its curve, and ends with its result', async () => {
    const made = await startTraining('runs/a', 5);
    expect(made.status).toBe(201);
    const { id } = JSON.parse(made.text) as RunView;
    const done = await until(id, isIn('done'));
    expect(done.result).toEqual({ run: 'runs/a', epochs: 5, isResumed: false });
    expect(done.progress).toMatchObject({ stage: 'training', done: 5, total: 5 });
    expect(done.commandLine).toBe('hrpn train --out=runs/a --epochs=5 dataset');
    expect(JSON.parse((await send(`/api/runs/${id}/history`)).text)).toHaveLength(5);
  });

  test('a run that fails says in one sentence why', async () => {
    const { text } = await post('/api/runs', { command: 'simulate', options: { out: 'slides' } });
    const failed = await until((JSON.parse(text) as RunView).id, isIn('failed'));
    expect(failed.error).toBe('--out: the disk said no.');
  });

  test('wrong forms are refused with what is wrong, and start nothing', async () => {
    const error = async (command: string, options: unknown): Promise<string> => {
      const { status, text } = await post('/api/runs', { command, options });
      expect([400, 404]).toContain(status);
      return JSON.parse(text).error;
    };
    expect(await error('train', { dataset: 'dataset', out: 'r', epochs: 0.5 })).toContain(
      '--epochs: expected a whole',
    );
    expect(await error('train', { dataset: 'nowhere', out: 'r' })).toContain('not in the opened folder');
    expect(await error('train', { dataset: 'dataset', out: 'r', surprise: 1 })).toContain(
      "no option 'surprise'",
    );
    expect(await error('studio', {})).toContain('command');
    expect(JSON.parse((await send('/api/runs')).text)).toEqual([]);
  });

  test('a dataset of slides elsewhere is not read, and what no process takes keeps no run waiting', async () => {
    const outside = await Promise.all(
      [1, 2, 3].map((seed) => writeDrawnSlide(join(base, `s${seed}.ome.tif`), { seed })),
    );
    await prepare({ slides: outside, validation: ['none'], patch: 64, out: join(folder, 'far') });
    const far = await post('/api/runs', { command: 'train', options: { dataset: 'far', out: 'r' } });
    expect(far.status).toBe(400);
    expect(far.text).toContain('outside the opened folder');
    await writeDrawnSlide(join(folder, 'near.ome.tif'));
    const analyze = (out: string, role: string) =>
      post('/api/runs', {
        command: 'analyze',
        options: { slide: 'near.ome.tif', out, roles: { vessel: role } },
      });
    const broken = await analyze('a', 'CD31\0');
    expect(broken.status).toBe(400);
    expect(broken.text).toContain('zero byte');
    const { text } = await analyze('b', 'x'.repeat(140_000));
    const failed = await until((JSON.parse(text) as RunView).id, isIn('failed'));
    expect(failed.error).toMatch(/could not be started/);
    const next = await post('/api/runs', { command: 'simulate', options: { out: 'slides' } });
    await until((JSON.parse(next.text) as RunView).id, isIn('failed'));
  });

  test('two at once; a third waits; the same output twice is refused; cancel and resume', async () => {
    const ids: number[] = [];
    for (const name of ['a', 'b', 'c'])
      ids.push(JSON.parse((await startTraining(`runs/${name}`, 1e6)).text).id);
    await until(ids[0], ({ progress }) => (progress?.done ?? 0) > 2);
    await until(ids[1], ({ progress }) => (progress?.done ?? 0) > 2);
    expect((await until(ids[2], () => true)).state).toBe('queued');
    expect((await startTraining('runs/c', 1)).status).toBe(409);
    await post(`/api/runs/${ids[0]}/cancel`, {});
    const cancelled = await until(ids[0], isIn('cancelled'));
    expect(cancelled.error).toBeNull();
    await until(ids[2], isIn('running'));
    expect((await post(`/api/runs/${ids[0]}/cancel`, {})).status).toBe(409);
    expect((await send(`/api/runs/${ids[1]}`, { method: 'DELETE' })).status).toBe(409);
    for (const id of ids.slice(1)) await post(`/api/runs/${id}/cancel`, {});
    for (const id of ids.slice(1)) await until(id, isIn('cancelled'));

    const before = JSON.parse((await send(`/api/runs/${ids[0]}/history`)).text).length;
    expect(JSON.parse((await post(`/api/runs/${ids[0]}/resume`, {})).text).options.resume).toBe(true);
    const again = await until(
      ids[0],
      ({ state, progress }) => state === 'running' && (progress?.done ?? 0) > before,
    );
    expect(again.error).toBeNull();
    await post(`/api/runs/${ids[0]}/cancel`, {});
    await until(ids[0], isIn('cancelled'));
    expect((await send(`/api/runs/${ids[0]}`, { method: 'DELETE' })).status).toBe(200);
    expect((await send(`/api/runs/${ids[0]}`)).status).toBe(404);
  });

  test('a run list that cannot be written ends no run, and its end is told once it can', async () => {
    const full = vi.spyOn(RunStore.prototype, 'update').mockImplementation(() => {
      throw new Error('database or disk is full');
    });
    const { id } = JSON.parse((await startTraining('run', 3)).text) as RunView;
    const told = await until(id, ({ error }) => error !== null);
    expect(told.error).toContain('cannot be written (database or disk is full)');
    full.mockRestore();
    expect(await until(id, isIn('done'))).toMatchObject({ error: null, result: { epochs: 3 } });
  });

  test('pages hear of a run as it goes', async () => {
    const heard: string[] = [];
    const stream = request({ host: '127.0.0.1', port: studio.port, path: '/api/events' }, (answer) =>
      answer.setEncoding('utf8').on('data', (text: string) => heard.push(text)),
    );
    stream.on('error', () => {});
    stream.end();
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const { id } = JSON.parse((await startTraining('runs/a', 3)).text) as RunView;
    await until(id, isIn('done'));
    stream.destroy();
    const events = heard
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('data: '));
    const types = events.map((line) => JSON.parse(line.slice(6)));
    expect(types.filter(({ type }) => type === 'run').map(({ run }) => run.state)).toEqual(
      expect.arrayContaining(['queued', 'running', 'done']),
    );
    const rows = types.filter(({ type }) => type === 'history').flatMap(({ rows }) => rows);
    expect(rows.map(({ epoch }: { epoch: number }) => epoch)).toEqual([1, 2, 3]);
  });

  test('a server that is killed takes its runs with it, and its successor finds them resumable', async () => {
    await studio.close();
    const serve = fileURLToPath(new URL('./serve.ts', import.meta.url));
    const killed: ChildProcess = spawn(process.execPath, [serve, folder, app, '0', commandFile], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(killed.stdout!, 'data')) as [Buffer];
    const port = Number(new URL(String(line).trim()).port);
    const headers = { 'content-type': 'application/json' };
    const start = async (out: string): Promise<number> => {
      const body = JSON.stringify({ command: 'train', options: { dataset: 'dataset', out, epochs: 1e6 } });
      return JSON.parse((await send('/api/runs', { method: 'POST', headers, body, port })).text).id;
    };
    const first = await start('runs/a');
    await start('runs/b');
    const waiting = await start('runs/c');
    await until(first, ({ progress }) => (progress?.done ?? 0) > 2, port);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const pid = Number(await readFile(join(folder, 'runs/a/pid'), 'utf8'));
    const isAlive = (): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    while (isAlive()) await new Promise((resolve) => setTimeout(resolve, 10));

    studio = await startStudio({ dir: folder, port: 0 }, app, { commandFile });
    const run = await until(first, () => true);
    expect(run.state).toBe('interrupted');
    expect(run.error).toContain('Resume');
    await until(waiting, isIn('running'));
    expect((await post(`/api/runs/${first}/resume`, {})).status).toBe(200);
    await until(first, isIn('running'));
  });
});

test('a chunk that a Zarr leaves out is none, one of a Zarr that was moved away is an error', async () => {
  await mkdir(join(folder, 'z.zarr', '0', '0'), { recursive: true });
  await writeFile(join(folder, 'z.zarr', 'zarr.json'), '{}');
  const status = async (): Promise<number> => (await send('/files/z.zarr/0/0/7?optional')).status;
  expect(await status()).toBe(204);
  await rm(join(folder, 'z.zarr'), { recursive: true });
  expect(await status()).toBe(404);
});

test('names with a colon or a backslash are listed; a pipe is no file, and nobody waits for it', async () => {
  for (const name of ['scan:1.txt', 'a\\b.txt']) await writeFile(join(folder, name), 'text');
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const { entries } = JSON.parse((await send('/api/browse')).text);
  expect(entries.map(({ name }: { name: string }) => name)).toEqual(
    expect.arrayContaining(['scan:1.txt', 'a\\b.txt']),
  );
  const answers = await Promise.all(Array.from({ length: 5 }, () => send('/files/pipe')));
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
});
