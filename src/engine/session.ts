/**
 * A compiled model in a thread of its own. Calls are queued there and run one after the other; the calling
 * thread stays free for progress, cancelling and loading data.
 */
import { Worker } from 'node:worker_threads';
import { EngineError } from '../core/errors.ts';
import type { Shape } from './graph.ts';

export interface TensorData {
  readonly data: Float32Array | BigInt64Array;
  readonly shape: Shape;
}

export type Device = 'cpu' | 'webgpu';

export interface SessionOptions {
  /** 'cpu' unless given. */
  readonly device?: Device;
  /** Threads the runtime computes with. */
  readonly threads: number;
  /** Outputs that stay in the session and become an input of the next run: output name -> input name. */
  readonly carry?: Readonly<Record<string, string>>;
  /** How far the runtime may rewrite the graph; 'all' unless given. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Writes a profile of every operator to files that begin with this path. */
  readonly profilePrefix?: string;
}

export interface SessionSetup extends Omit<SessionOptions, 'device'> {
  readonly device: Device;
  readonly model: Uint8Array;
}

export type SessionRequest =
  | { kind: 'run'; feeds: Readonly<Record<string, TensorData>> }
  | { kind: 'set-state'; tensors: Readonly<Record<string, TensorData>> }
  | { kind: 'get-state' }
  | { kind: 'end' };

export interface Session {
  /**
   * Runs the model. The buffers of `feeds` move to the session and cannot be used afterwards.
   * @returns all outputs but those that are carried over
   * @throws EngineError when the runtime fails
   */
  run(feeds: Readonly<Record<string, TensorData>>): Promise<Record<string, TensorData>>;
  /** Sets inputs that stay in the session until a run or another call replaces them. Buffers are copied. */
  setState(tensors: Readonly<Record<string, TensorData>>): Promise<void>;
  /** Copies of everything that stays in the session, by input name. */
  getState(): Promise<Record<string, TensorData>>;
  close(): Promise<void>;
}

/** @throws EngineError when the runtime refuses the model */
export async function createSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const self = import.meta.url;
  const worker = new Worker(
    new URL(self.endsWith('.ts') ? './session-worker.ts' : './session-worker.js', self),
    {
      workerData: { ...options, device: options.device ?? 'cpu', model } satisfies SessionSetup,
    },
  );
  const waiting = new Map<number, { resolve: (reply: unknown) => void; reject: (error: Error) => void }>();
  let failure: EngineError | undefined;
  const fail = (message: string): void => {
    failure ??= new EngineError(message);
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.on('message', ({ id, reply, error }: { id: number; reply: unknown; error?: string }) => {
    const entry = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) entry?.resolve(reply);
    else entry?.reject(new EngineError(`the runtime reported: ${error}`));
  });
  worker.on('error', (cause) => fail(`the runtime's thread broke down: ${cause}`));
  worker.on('exit', () => fail('the runtime’s thread has ended'));
  const expect = (id: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (failure) reject(failure);
      else waiting.set(id, { resolve, reject });
    });
  let lastId = 0;
  const call = (request: SessionRequest, transfer: ArrayBuffer[] = []): Promise<unknown> => {
    const id = ++lastId;
    const reply = expect(id);
    try {
      worker.postMessage({ ...request, id }, transfer);
    } catch (cause) {
      waiting.get(id)?.reject(new EngineError(`the session cannot take these tensors: ${cause}`));
      waiting.delete(id);
    }
    return reply;
  };
  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    if (failure) return;
    await call({ kind: 'end' });
    failure = new EngineError('the session is closed');
    await worker.terminate();
  };
  try {
    await expect(0);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    run: (feeds) => {
      const buffers = new Set(Object.values(feeds).map(({ data }) => data.buffer as ArrayBuffer));
      return call({ kind: 'run', feeds }, [...buffers]) as Promise<Record<string, TensorData>>;
    },
    setState: (tensors) => call({ kind: 'set-state', tensors }) as Promise<void>,
    getState: () => call({ kind: 'get-state' }) as Promise<Record<string, TensorData>>,
    close: () => {
      closing ??= end();
      return closing;
    },
  };
}
