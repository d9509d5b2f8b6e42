// The package as others get it: packed, installed elsewhere, run there by name and imported as a library.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunView } from '../../src/contract/studio.ts';
import { root, temporaryFolder } from './command-line.ts';
import { writeDrawnSlide } from './drawn-slide.ts';

/** Slow because it compiles all sources, bundles the studio and installs every dependency anew. */
describe('the packed package', () => {
  it('installs in another folder, where `npx hrpn`, the library and the studio work', {
    timeout: 600_000,
  }, async (context) => {
    const folder = await temporaryFolder(context);
    const app = join(folder, 'app');
    await mkdir(app);
    // A development machine's path would offer tools that users do not have.
    const path = (process.env.PATH ?? '').split(':').filter((entry) => !entry.includes('node_modules'));
    const run = (command: string, args: string[], cwd: string) => {
      const env = { ...process.env, PATH: path.join(':'), ONNXRUNTIME_NODE_INSTALL: 'skip' };
      const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
      return { status, stdout, said: `${command} ${args.join(' ')}: ${stderr}` };
    };

    const packed = run('npm', ['pack', '--json', '--pack-destination', folder], root);
    expect(packed.status, packed.said).toBe(0);
    const [{ filename, files }] = JSON.parse(packed.stdout) as [
      { filename: string; files: { path: string }[] },
    ];
    const paths = files.map((file) => file.path);
    expect(paths).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/cli/main.js', 'dist/index.d.ts']),
    );
    expect(paths).toContain('dist/studio/index.html');
    expect(paths.filter((file) => /(\.test\.|^src|^test|^fixtures)/.test(file))).toEqual([]);

    await writeFile(join(app, 'package.json'), '{ "private": true, "type": "module" }');
    const options = ['--no-audit', '--no-fund', '--prefer-offline'];
    const installed = run('npm', ['install', ...options, join(folder, filename)], app);
    if (installed.status !== 0 && /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT/.test(installed.said)) {
      return context.skip('the package registry cannot be reached, so the dependencies cannot be installed');
    }
    expect(installed.status, installed.said).toBe(0);

    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(run('npx', ['--no', '--', 'hrpn', '--version'], app).stdout.trim()).toBe(version);
    const slide = await writeDrawnSlide(join(app, 's.ome.tif'));
    const inspected = run('npx', ['--no', '--', 'hrpn', 'inspect', slide, '--json'], app);
    expect(inspected.status, inspected.said).toBe(0);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ width: 192, height: 160, pixelSizeUm: 0.65 });

    const script = `import { prepare } from 'hrpn';
      const { patches } = await prepare({ slides: ['s.ome.tif'], validation: ['none'], patch: 64, out: 'dataset' });
      console.log(patches.train);`;
    const library = run('node', ['--input-type=module', '-e', script], app);
    expect(library.stdout.trim(), library.said).toBe('9');

    // By this Node: the machine's own may be older than the studio's run list needs.
    const main = join(app, 'node_modules', 'hrpn', 'dist', 'cli', 'main.js');
    const studio = spawn(process.execPath, [main, 'studio', app, '--port', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      let said = '';
      studio.stderr.on('data', (text) => {
        said += text;
      });
      const address = () => /http\S+(?=\s)/.exec(said)?.[0];
      await expect.poll(address, { timeout: 60_000 }).toBeDefined();
      const ask = (path: string, request?: RequestInit) => fetch(new URL(path, address()), request);
      const page = await (await ask('/')).text();
      const assets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
      expect(assets.some((path) => path.endsWith('.js'))).toBe(true);
      for (const asset of assets) expect((await ask(asset)).status, asset).toBe(200);
      expect(await (await ask('/api/slide?path=s.ome.tif')).json()).toMatchObject({
        width: 192,
        height: 160,
      });
      const options = { out: 'simulated', preset: 'tiny', slides: 1, size: 64 };
      await ask('/api/runs', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ command: 'simulate', options }),
      });
      const state = async () => ((await (await ask('/api/runs/1')).json()) as RunView).state;
      await expect.poll(state, { timeout: 60_000 }).toBe('done');
    } finally {
      studio.kill('SIGTERM');
      expect((await once(studio, 'exit'))[0]).toBe(0);
    }
  });
});
