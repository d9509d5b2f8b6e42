// Where the browser app is; from a checkout it is built at first use and when its source has changed.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError, throwIfCancelled } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';

const here = dirname(fileURLToPath(import.meta.url));
const isSource = import.meta.url.endsWith('.ts');
const packageRoot = join(here, '..', '..');

/**
 * The folder of the built app.
 * @param say called with a sentence when there is something to wait for
 * @throws EngineError when it cannot be built
 */
export async function studioApp(say: (text: string) => void, work: WorkOptions = {}): Promise<string> {
  const built = join(packageRoot, 'dist', 'studio');
  if (!isSource || !isStale(built)) return built;
  say('Building the browser app; this is needed once and after changes to it (about half a minute).');
  await buildStudio(built, work);
  return built;
}

/**
 * Bundles the browser app of a checkout into a folder, which is replaced.
 * @throws EngineError when its tools are not installed or its source is wrong
 */
export async function buildStudio(folder: string, work: WorkOptions = {}): Promise<void> {
  const workspace = join(packageRoot, 'studio');
  const require = createRequire(join(workspace, 'package.json'));
  let vite: string;
  try {
    vite = join(dirname(require.resolve('vite/package.json')), 'bin', 'vite.js');
  } catch (cause) {
    throw new EngineError('the browser app cannot be built: its tools are not installed. Run npm ci first.', {
      cause,
    });
  }
  let said = '';
  const args = [vite, 'build', '--logLevel', 'warn', '--outDir', folder, '--emptyOutDir'];
  const child = spawn(process.execPath, args, {
    cwd: workspace,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: work.signal,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  throwIfCancelled(work.signal, 'building the browser app');
  if (code !== 0)
    throw new EngineError(`the browser app could not be built: ${said.trim().replace(/\s+/g, ' ')}`);
}

function isStale(built: string): boolean {
  const index = join(built, 'index.html');
  if (!existsSync(index)) return true;
  const builtAt = statSync(index).mtimeMs;
  const sources = ['studio', join('src', 'contract'), join('src', 'core')];
  return sources.some((folder) => newest(join(packageRoot, folder)) > builtAt);
}

function newest(folder: string): number {
  let latest = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) latest = Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return latest;
}
