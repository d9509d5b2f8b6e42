/** A web server that does not keep to what was asked: never other bytes than those asked for. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HttpStore } from './store.ts';

const value = Buffer.from('0123456789');
/** What the server does next, by the last part of the address. */
const answers: Record<string, [status: number, body: string, headers?: Record<string, string>]> = {
  'zarr.json': [200, '{}'],
  whole: [200, value.toString()],
  part: [206, '2345', { 'Content-Range': 'bytes 2-5/10' }],
  last: [206, '6789', { 'Content-Range': 'bytes 6-9/10' }],
  elsewhere: [206, '3456', { 'Content-Range': 'bytes 3-6/10' }],
  short: [206, '234', { 'Content-Range': 'bytes 2-4/5' }],
  beyond: [416, ''],
  busy: [503, ''],
  absent: [404, ''],
  hidden: [403, ''],
};
let server: Server;
let isExpired = false;
let open: () => HttpStore;

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x');
    const [status, body, headers] = isExpired ? answers.hidden : answers[pathname.split('/').at(-1) ?? ''];
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open = () => new HttpStore(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a.zarr?token=1`);
});
afterAll(() => server.close());

const wanted = { offset: 2, length: 4 };

it.each(['whole', 'part'])('gives the part asked for where the server answers with the %s', async (key) => {
  expect(Buffer.from((await open().get(key, 100, wanted))!).toString()).toBe('2345');
});

it.each(['whole', 'last'])('and the last bytes likewise (%s)', async (key) => {
  expect(Buffer.from((await open().get(key, 100, { last: 4 }))!).toString()).toBe('6789');
});

it.each([
  ['elsewhere', /is cut off/],
  ['short', /is cut off/],
  ['beyond', /is cut off/],
  ['busy', /the server answered 503/],
])('refuses what is not that part (%s)', async (key, message) => {
  await expect(open().get(key, 100, wanted)).rejects.toThrow(message);
});

it('takes a refused key for an absent one only while others are given', async () => {
  const store = open();
  await store.get('zarr.json', 100);
  expect(await store.get('absent', 100)).toBeUndefined();
  expect(await store.get('hidden', 100)).toBeUndefined();
  isExpired = true;
  await expect(store.get('hidden', 100)).rejects.toThrow(/no longer allows it/);
  isExpired = false;
});

it('gives up a value as soon as it is longer than it may be', async () => {
  await expect(open().get('whole', 9)).rejects.toThrow(/expected at most 9/);
});
