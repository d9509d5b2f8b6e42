// Makes dist/, the form in which the package is published: src/ as JavaScript with types, without tests, and the
// studio's browser app.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = new URL('..', import.meta.url);
const studio = new URL('studio/', root);
const dist = new URL('dist/', root);
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const vite = dirname(createRequire(new URL('package.json', studio)).resolve('vite/package.json'));

rmSync(dist, { recursive: true, force: true });
run([tsc, '-p', 'tsconfig.build.json'], root);
chmodSync(new URL('cli/main.js', dist), 0o755);
run([join(vite, 'bin/vite.js'), 'build', '--logLevel', 'warn'], studio);

/** Half a build is none. */
function run(args: string[], cwd: URL): void {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: 'inherit' });
  if (status === 0) return;
  rmSync(dist, { recursive: true, force: true });
  process.exit(1);
}
