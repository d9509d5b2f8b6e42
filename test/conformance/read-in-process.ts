// Reads files in a process of its own and watches over it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './read-files.ts';

/** A file that takes longer counts as a hang, however busy the machine is. */
const hangMs = 60_000;

/**
 * What became of each file, in order. A file that hangs or kills the process is 'hang' or 'crash', and the rest is
 * read by a new process.
 */
export async function readInProcess(paths: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  while (outcomes.length < paths.length) {
    const { read, end } = await readUntilTrouble(paths.slice(outcomes.length));
    outcomes.push(...read);
    if (end === undefined) break;
    const lost = { result: end, isClear: false, message: '', hash: '', seconds: Number.NaN, peakBytes: 0 };
    outcomes.push({ path: paths[outcomes.length], ...lost });
  }
  return outcomes;
}

function readUntilTrouble(
  paths: readonly string[],
): Promise<{ read: Outcome[]; end: 'hang' | 'crash' | undefined }> {
  const script = fileURLToPath(new URL('read-files.ts', import.meta.url));
  const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
  const child = spawn(node, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const read: Outcome[] = [];
  let end: 'hang' | undefined;
  const arm = (): NodeJS.Timeout =>
    setTimeout(() => {
      end = 'hang';
      child.kill('SIGKILL');
    }, hangMs);
  let timer = arm();
  createInterface({ input: child.stdout }).on('line', (line) => {
    read.push(JSON.parse(line));
    clearTimeout(timer);
    timer = arm();
  });
  child.stdin.on('error', () => {}); // the process is gone; its end says so
  child.stdin.end(paths.map((path) => `${path}\n`).join(''));
  return new Promise((resolve) => {
    child.on('close', () => {
      clearTimeout(timer);
      resolve({ read, end: read.length === paths.length ? undefined : (end ?? 'crash') });
    });
  });
}
