/** Convolution weights in the order that the blocked kernels read them, and per-channel vectors. */
import { type Graph, sizeOf, type Value } from '../graph.ts';
import { reshape } from '../ops/reshape.ts';
import { flip, pad, slice } from '../ops/slice-pad.ts';
import { transpose } from '../ops/transpose.ts';
import { roundUp, takesBlockedInput } from './blocked-ops.ts';

/** A weight with output channels first: `w` itself, or with `turned` that of the convolution's transpose. */
export interface WeightSource {
  /** [K, C, h, w]. */
  readonly w: Value;
  /** Reads w as [C, K, h, w] with its taps in reverse order: the weight of the input's gradient. */
  readonly turned: boolean;
}

/** A vector [C] with zeros up to the next multiple of the block. */
export function paddedVector(graph: Graph, v: Value, block: number): Value {
  const length = sizeOf(v.shape);
  return pad(graph, reshape(graph, v, [length]), [0], [roundUp(length, block) - length]);
}

/** The first `channels` entries of a padded vector. */
export function trimmedVector(graph: Graph, v: Value, channels: number): Value {
  return slice(graph, v, [0], [0], [channels]);
}

/**
 * The weight as the operator's second operand: its shape says [out, in, h, w], its memory is
 * [out / B, in / B, taps, B of in, B of out], or [out / B, in, taps, B of out] where the input stays plain.
 * Each step moves one axis only: those the runtime does four to eight times as fast as a general permutation.
 */
export function blockedWeight(graph: Graph, { w, turned }: WeightSource, block: number): Value {
  if (!turned) return forwardWeight(graph, w, block);
  const [k, c, kh, kw] = w.shape;
  if (k < block || c < block) {
    const exchanged = flip(graph, transpose(graph, w, [1, 0, 2, 3]), [2, 3]);
    return forwardWeight(graph, exchanged, block);
  }
  // From the forward weight, which is needed anyway: lanes change places, then blocks, then taps.
  const forward = forwardWeight(graph, w, block);
  const [kPadded, cPadded] = forward.shape;
  const [kBlocks, cBlocks, taps] = [kPadded / block, cPadded / block, kh * kw];
  const lanes = transpose(
    graph,
    reshape(graph, forward, [kBlocks * cBlocks * taps, block, block]),
    [0, 2, 1],
  );
  const blocks = transpose(graph, reshape(graph, lanes, [kBlocks, cBlocks, taps * block ** 2]), [1, 0, 2]);
  const turnedTaps = flip(graph, reshape(graph, blocks, [cBlocks * kBlocks, taps, block ** 2]), [1]);
  return reshape(graph, turnedTaps, [cPadded, kPadded, kh, kw]);
}

function forwardWeight(graph: Graph, w: Value, block: number): Value {
  const [k, c, kh, kw] = w.shape;
  const taps = kh * kw;
  const kPadded = roundUp(k, block);
  const isBlocked = takesBlockedInput(c, block);
  const cPadded = isBlocked ? roundUp(c, block) : c;
  const whole = pad(graph, w, [0, 0, 0, 0], [kPadded - k, cPadded - c, 0, 0]);
  const rows = reshape(graph, whole, [kPadded / block, block, cPadded * taps]);
  let moved = transpose(graph, rows, [0, 2, 1]);
  if (isBlocked && taps > 1) {
    const blocks = (kPadded / block) * (cPadded / block);
    moved = transpose(graph, reshape(graph, moved, [blocks, block, taps, block]), [0, 2, 1, 3]);
  }
  return reshape(graph, moved, [kPadded, cPadded, kh, kw]);
}
