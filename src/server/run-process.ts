// One run as a process of its own: the command line with --json, watched through its stderr.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RunProgress } from '../contract/studio.ts';

export interface RunOutcome {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Parsed stdout of a run that ended well; undefined where it was not JSON. */
  readonly result: unknown;
  /** The last line said, which for a failure is one sentence of what went wrong. */
  readonly lastLine: string;
}

export interface RunProcessOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  /** The program; the command line of this very installation unless given (for tests). */
  readonly commandFile?: string;
  readonly onProgress: (progress: RunProgress) => void;
  readonly onLine: (line: string) => void;
}

/** Between asking a run to stop and ending it by force, in milliseconds; a checkpoint is written in that time. */
const patienceMs = 15_000;

/** Longest line kept; what a broken command could write without end is cut. */
const longestLine = 4000;
const longestResult = 16 * 2 ** 20;

/** The command line of this very installation, as source or as built. */
const ownCommandFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../cli/main.ts' : '../cli/main.js', import.meta.url),
);

export class RunProcess {
  readonly ended: Promise<RunOutcome>;
  readonly #child: ChildProcess;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(options: RunProcessOptions) {
    const [command, ...rest] = options.args;
    const child = spawn(
      process.execPath,
      [options.commandFile ?? ownCommandFile, command, '--json', ...rest],
      {
        cwd: options.cwd,
        env: { ...process.env, HRPN_PROGRESS: 'json', HRPN_PARENT: 'stdin', NO_COLOR: '1' },
        // The run stops when its stdin ends, so it cannot outlive this server.
        stdio: ['pipe', 'pipe', 'pipe'],
        windowsHide: true,
      },
    );
    this.#child = child;
    this.ended = watch(child, options).finally(() => clearTimeout(this.#killTimer));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks, then forces. */
  stop(): void {
    this.#child.kill('SIGTERM');
    this.#killTimer ??= setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
  }
}

async function watch(child: ChildProcess, options: RunProcessOptions): Promise<RunOutcome> {
  let stdout = '';
  let pending = '';
  let lastLine = '';
  const take = (line: string): void => {
    const progress = progressOf(line);
    if (progress !== undefined) options.onProgress(progress);
    else if (line.trim() !== '') {
      lastLine = line.slice(0, longestLine);
      options.onLine(lastLine);
    }
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (stdout.length < longestResult) stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (pending + text).split('\n');
    pending = (lines.pop() ?? '').slice(-longestLine);
    lines.forEach(take);
  });
  child.stdin?.on('error', () => {});
  const { exitCode, signal } = await new Promise<Pick<RunOutcome, 'exitCode' | 'signal'>>((resolve) => {
    child.once('error', (error) => {
      lastLine = `hrpn: the command could not be started: ${error.message}.`;
      resolve({ exitCode: null, signal: null });
    });
    child.once('close', (code, by) => resolve({ exitCode: code, signal: by }));
  });
  take(pending);
  return { exitCode, signal, result: jsonOf(stdout), lastLine };
}

function progressOf(line: string): RunProgress | undefined {
  if (!line.startsWith('{"progress":')) return undefined;
  return (jsonOf(line) as { progress: RunProgress } | undefined)?.progress;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a process that an earlier server left is still at its end; another one of the same number is not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--json');
  } catch {
    // No such list of processes here: it may be ours.
    return true;
  }
}
