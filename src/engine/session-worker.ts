/** The thread that ONNX Runtime runs in: a run blocks its thread, so it must not be the main one. */
import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import type { SessionRequest, SessionSetup, TensorData } from './session.ts';

const port = parentPort!;
const setup = workerData as SessionSetup;

function toTensor({ data, shape }: TensorData): ort.Tensor {
  return data instanceof Float32Array
    ? new ort.Tensor('float32', data, shape as number[])
    : new ort.Tensor('int64', data, shape as number[]);
}

const starting = ort.InferenceSession.create(setup.model, {
  executionProviders: [setup.device],
  intraOpNumThreads: setup.threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: setup.optimization ?? 'all',
  // Planning all memory ahead saves no time that could be measured, and costs a third more of it (585 MB against
  // 429 for a training step of hrpn on 512 px).
  enableMemPattern: false,
  // Keeps freed memory for the next run. Without it the system clears every page anew: twice the CPU time on large tiles.
  enableCpuMemArena: true,
  logSeverityLevel: 3,
  // What claims to run on the GPU does: a node that only the CPU could run is an error.
  ...(setup.device === 'webgpu' ? { extra: { session: { disable_cpu_ep_fallback: '1' } } } : {}),
  enableProfiling: setup.profilePrefix !== undefined,
  profileFilePrefix: setup.profilePrefix,
});

/** Tensors that stay in this thread from run to run: parameters, optimiser state. */
const state = new Map<string, ort.Tensor>();

async function handle(request: SessionRequest): Promise<{ reply: unknown; transfer: ArrayBuffer[] }> {
  const session = await starting;
  switch (request.kind) {
    case 'run': {
      const feeds: Record<string, ort.Tensor> = Object.fromEntries(state);
      for (const [name, tensor] of Object.entries(request.feeds)) feeds[name] = toTensor(tensor);
      const results = await session.run(feeds);
      // They came with the request and are nobody's any more: given back at once, for the collector would wait.
      for (const buffer of new Set(
        Object.values(request.feeds).map(({ data }) => data.buffer as ArrayBuffer),
      )) {
        buffer.transfer?.(0);
      }
      const reply: Record<string, TensorData> = {};
      const transfer: ArrayBuffer[] = [];
      for (const [name, tensor] of Object.entries(results)) {
        const kept = setup.carry?.[name];
        if (kept !== undefined) {
          state.set(kept, tensor as ort.Tensor);
        } else {
          const data = tensor.data as Float32Array;
          reply[name] = { data, shape: tensor.dims };
          transfer.push(data.buffer as ArrayBuffer);
        }
      }
      return { reply, transfer };
    }
    case 'set-state':
      for (const [name, tensor] of Object.entries(request.tensors)) state.set(name, toTensor(tensor));
      return { reply: undefined, transfer: [] };
    case 'get-state': {
      const reply = Object.fromEntries(
        [...state].map(([name, tensor]) => [
          name,
          { data: (tensor.data as Float32Array).slice(), shape: tensor.dims },
        ]),
      );
      return { reply, transfer: Object.values(reply).map(({ data }) => data.buffer as ArrayBuffer) };
    }
    case 'end':
      await session.release();
      return { reply: undefined, transfer: [] };
  }
}

starting.then(
  () => port.postMessage({ id: 0, reply: undefined }),
  (cause) => port.postMessage({ id: 0, error: String(cause?.message ?? cause) }),
);

/** Ends when all that was asked for before has ended: a run leaves what the next one takes. */
let before: Promise<void> = Promise.resolve();

port.on('message', (request: SessionRequest & { id: number }) => {
  before = before
    .then(() => handle(request))
    .then(
      ({ reply, transfer }) => port.postMessage({ id: request.id, reply }, transfer),
      (cause) => port.postMessage({ id: request.id, error: String(cause?.message ?? cause) }),
    );
});
