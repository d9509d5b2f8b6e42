/** One side of a comparison: a process that takes requests a line at a time. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Reply {
  readonly seconds: readonly number[];
  readonly cpuSeconds: readonly number[];
  /** Largest resident memory of the process so far. */
  readonly peakBytes: number;
  /** PyTorch's faster memory format. */
  readonly format?: string;
  /** How far PyTorch's single precision is from its double precision: prediction, gradients. */
  readonly gaps?: readonly number[];
}

export class Side {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #replies: AsyncIterator<string>;
  #errors = '';

  constructor(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(command, args, { env: { ...process.env, ...environment } });
    this.#process.stderr.on('data', (chunk) => {
      this.#errors += chunk;
    });
    this.#replies = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async ask(request: object): Promise<Reply> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#replies.next();
    if (done) throw new Error(`the process has ended: ${this.#errors.slice(-2000)}`);
    return JSON.parse(value);
  }

  end(): void {
    this.#process.stdin.end();
    this.#process.kill();
  }
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export function startEngine(): Side {
  return new Side(process.execPath, [here('./engine-process.ts')]);
}

/** Debian's package python3-torch belongs to this interpreter. */
export const python = '/usr/bin/python3';

/** Whether other work takes cores: figures are then of little worth, and PyTorch's waiting threads must not spin. */
export function isMachineBusy(): boolean {
  return loadavg()[0] > 1.5;
}

export function startPyTorch(): Side {
  // On a busy machine OpenMP's spinning threads keep those they wait for from running: steps take 20 times as long.
  return new Side(
    python,
    [here('./pytorch/server.py')],
    isMachineBusy() ? { OMP_WAIT_POLICY: 'passive' } : {},
  );
}
