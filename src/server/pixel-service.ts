// Asks the pixel process, starts it when first needed and again when it died.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RegionRequest, RegionResult, SlideView } from '../contract/studio.ts';
import { EngineError, UsageError } from '../core/errors.ts';
import type { PixelAnswer, PixelJob, PixelReply, TileRequest } from './pixel-protocol.ts';

const workerFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './pixel-worker.ts' : './pixel-worker.js', import.meta.url),
);

/** A damaged file can keep a reader busy for ever; after this the process is ended, in milliseconds. */
const longestMs = 120_000;
const mostWaiting = 256;

interface Waiting {
  readonly resolve: (answer: PixelAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class PixelService {
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #nextId = 1;

  /** Starts the process ahead of the first request, which then need not wait for it. */
  start(): void {
    this.#running();
  }

  view(slide: string): Promise<SlideView> {
    return this.#ask({ kind: 'view', slide }) as Promise<SlideView>;
  }

  /** float32, [height, width] */
  tile(tile: TileRequest): Promise<Float32Array> {
    return this.#ask({ kind: 'tile', tile }) as Promise<Float32Array>;
  }

  region(region: RegionRequest): Promise<RegionResult> {
    return this.#ask({ kind: 'region', region }) as Promise<RegionResult>;
  }

  close(): void {
    this.#child?.kill('SIGKILL');
  }

  #ask(job: PixelJob): Promise<PixelAnswer> {
    if (this.#waiting.size >= mostWaiting) {
      return Promise.reject(new EngineError('too many requests for pixels are waiting. Try again.'));
    }
    const child = this.#running();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), longestMs);
      timer.unref();
      this.#waiting.set(id, { resolve, reject, timer });
      child.send({ id, job });
    });
  }

  #running(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    const child = fork(workerFile, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (reply: PixelReply) => this.#settle(reply));
    child.on('error', () => this.#lose(child));
    child.on('exit', () => this.#lose(child));
    return child;
  }

  #settle(reply: PixelReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    if ('answer' in reply) waiting.resolve(reply.answer);
    else waiting.reject(reply.fault === 'input' ? new UsageError(reply.error) : new EngineError(reply.error));
  }

  #lose(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(
        new EngineError('reading the slide ended the reader, or took too long. The file may be damaged.'),
      );
    }
    this.#waiting.clear();
  }
}
