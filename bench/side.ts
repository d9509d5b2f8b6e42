/** One side of a comparison: a process that takes requests a line at a time. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Reply {
  readonly seconds: readonly number[];
  readonly cpuSeconds: readonly number[];
  /** Largest resident memory of the process so far. */
  readonly peakBytes: number;
  /** PyTorch's faster memory format. */
  readonly format?: string;
}

export class Side {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #replies: AsyncIterator<string>;
  #errors = '';

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args);
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

export function startPyTorch(): Side {
  return new Side(python, [here('./pytorch/server.py')]);
}
