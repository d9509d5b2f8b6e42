import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkOutputFolder, writeOutputFolder } from './output-folder.ts';

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'hrpn-output-'));
});
afterEach(() => rm(base, { recursive: true }));

const output = (overwrite: boolean) => ({
  path: join(base, 'out'),
  marker: 'dataset.json',
  contents: ['dataset.json', 'masks'],
  overwrite,
});

it('brings back the earlier folder where a run was killed while it put the new one in its place', async () => {
  for (const [folder, text] of [
    ['out.replaced', 'old'],
    ['out.partial', 'new'],
  ]) {
    await mkdir(join(base, folder));
    await writeFile(join(base, folder, 'dataset.json'), text);
  }
  await expect(checkOutputFolder(output(false))).rejects.toThrow(/exists already/);
  expect(await readFile(join(base, 'out', 'dataset.json'), 'utf8')).toBe('old');
  await checkOutputFolder(output(true));
  await writeOutputFolder(output(true), (folder) => writeFile(join(folder, 'dataset.json'), 'newest'));
  expect(await readFile(join(base, 'out', 'dataset.json'), 'utf8')).toBe('newest');
  expect(await readdir(base)).toEqual(['out']);
});

it('touches nothing beside it that is not its own', async () => {
  await mkdir(join(base, 'out.partial'));
  await writeFile(join(base, 'out.partial', 'notes.txt'), 'mine');
  await expect(checkOutputFolder(output(true))).rejects.toThrow(/holds other files/);
  expect(await readFile(join(base, 'out.partial', 'notes.txt'), 'utf8')).toBe('mine');
});
