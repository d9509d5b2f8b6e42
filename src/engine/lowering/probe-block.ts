/** Finds out how many channels the CPU's blocked kernels work on together. The runtime has no call that tells. */
import { EngineError } from '../../core/errors.ts';
import { Graph } from '../graph.ts';
import { encodeModel } from '../onnx/encode.ts';
import { createSession } from '../session.ts';
import { toBlocked } from './blocked-ops.ts';

const channels = 16;
const pixels = 2;

let known: Promise<number | undefined> | undefined;

/**
 * 16 with AVX-512, 8 with AVX or on 64-bit Arm builds that have the kernels; undefined where there are none. Asked
 * once a process, by reordering a tensor of 16 channels and 2 pixels and looking where its numbers went.
 */
export function probeBlock(): Promise<number | undefined> {
  known ??= probe();
  return known;
}

async function probe(): Promise<number | undefined> {
  const graph = new Graph();
  const shape = [1, channels, 1, pixels];
  const x = graph.input('x', shape);
  graph.output('y', toBlocked(graph, x, channels).blocked);
  let y: ArrayLike<number | bigint>;
  try {
    const session = await createSession(encodeModel(graph), { threads: 1, optimization: 'disabled' });
    try {
      const data = Float32Array.from({ length: channels * pixels }, (_, i) => i);
      y = (await session.run({ x: { data, shape } })).y.data;
    } finally {
      await session.close();
    }
  } catch (error) {
    // A runtime without the kernels refuses the model: then there is no blocked layout.
    if (error instanceof EngineError) return undefined;
    throw error;
  }
  return blockOf(Array.from(y, Number));
}

/** Pixel 1 of channel 0 is number 1 of the plain tensor; in blocked memory it comes after the block's channels. */
function blockOf(memory: number[]): number | undefined {
  const block = memory.indexOf(1);
  return block === 16 || block === 8 ? block : undefined;
}
