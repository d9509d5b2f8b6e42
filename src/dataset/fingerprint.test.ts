/** What makes a slide another one, and what does not. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fingerprintSlide } from './fingerprint.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-fingerprint-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('sees through links, and not what file managers leave behind', async () => {
  const prints: string[] = [];
  for (const name of ['a', 'b']) {
    await mkdir(join(folder, name));
    await mkdir(join(folder, `${name} linked`));
    await writeFile(join(folder, name, 'DAPI.tif'), `pixels of ${name}`);
    await symlink(join(folder, name, 'DAPI.tif'), join(folder, `${name} linked`, 'DAPI.tif'));
    prints.push(await fingerprintSlide(join(folder, name)));
    expect(await fingerprintSlide(join(folder, `${name} linked`))).toBe(prints.at(-1));
    await writeFile(join(folder, name, '.DS_Store'), 'seen in Finder');
    await writeFile(join(folder, name, 'notes.txt'), 'beside the channels');
    await mkdir(join(folder, name, 'prediction.ome.tif.partial'));
    expect(await fingerprintSlide(join(folder, name))).toBe(prints.at(-1));
  }
  expect(prints[0]).not.toBe(prints[1]);
});

it('knows a Zarr by all of its files, whatever picture lies beside them', async () => {
  const path = join(folder, 'slide.ome.zarr');
  await mkdir(join(path, '0'), { recursive: true });
  await writeFile(join(path, 'zarr.json'), '{}');
  await writeFile(join(path, 'thumbnail.png'), 'x');
  const prints = new Set<string>();
  for (const pixels of ['a', 'b']) {
    await writeFile(join(path, '0', 'chunk'), pixels);
    prints.add(await fingerprintSlide(path));
  }
  expect(prints.size).toBe(2);
});

it('tells slides apart that differ in between only', async () => {
  const path = join(folder, 'large.tif');
  const bytes = new Uint8Array(2 ** 23);
  const prints = new Set<string>();
  // Tissue between dark margins at both ends and in the middle, where one channel ends and the next begins.
  for (const level of [10, 20]) {
    for (const [from, to] of [
      [0.1, 0.45],
      [0.55, 0.9],
    ])
      bytes.fill(level, from * bytes.length, to * bytes.length);
    await writeFile(path, bytes);
    prints.add(await fingerprintSlide(path));
  }
  expect(prints.size).toBe(2);
});

it('tells Zarrs of many chunks of one size apart, wherever they differ', async () => {
  const path = join(folder, 'many.zarr');
  await mkdir(path);
  await writeFile(join(path, 'zarr.json'), '{}');
  const chunks = 300;
  for (let i = 0; i < chunks; i++) await writeFile(join(path, `c${i}`), new Uint8Array(64));
  const before = await fingerprintSlide(path);
  // Below its first rows another section, which is a half of its chunks.
  for (let i = chunks / 2; i < chunks; i++) await writeFile(join(path, `c${i}`), new Uint8Array(64).fill(1));
  expect(await fingerprintSlide(path)).not.toBe(before);
});

it('takes an address with a renewed access token for the same slide', async () => {
  const [old, renewed, other] = ['a.zarr?sig=1', 'a.zarr?sig=2', 'b.zarr?sig=2'].map((end) =>
    fingerprintSlide(`https://example.org/${end}`),
  );
  expect(await renewed).toBe(await old);
  expect(await other).not.toBe(await old);
});
