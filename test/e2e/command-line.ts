// Runs the command line as a user would: as a program of its own.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** Node 24, whatever the machine's own is. */
const node = join(root, 'node_modules/.bin/node');
const main = join(root, 'src/cli/main.ts');

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param signal is sent once the progress on stderr has come to `atStep` */
export function hrpn(args: readonly string[], signal?: 'SIGTERM' | 'SIGKILL', atStep = 0): Promise<Outcome> {
  const env = signal === undefined ? process.env : { ...process.env, HRPN_PROGRESS: 'json' };
  const child = spawn(node, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
    const done = Number(/"done":(\d+)[^\n]*\n$/.exec(stderr)?.[1] ?? -1);
    if (signal !== undefined && done >= atStep && !child.killed) child.kill(signal);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The result of a command that must succeed. */
export async function hrpnJson<Result>(args: readonly string[]): Promise<Result> {
  const { code, stdout, stderr } = await hrpn([...args, '--json']);
  if (code !== 0) throw new Error(`hrpn ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Result;
}

/** An empty folder that goes with the test. */
export async function temporaryFolder({
  onTestFinished,
}: Pick<TestContext, 'onTestFinished'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hrpn-e2e-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
