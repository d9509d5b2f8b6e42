/** Convolution weights in the order that the blocked kernels read them, and per-channel vectors. */
import { type Graph, sizeOf, type Value } from '../graph.ts';
import { reshape } from '../ops/reshape.ts';
import { pad, slice } from '../ops/slice-pad.ts';
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

/** The weight as the operator's second operand: its shape says [out, in, h, w], its memory is blocked. */
export function blockedWeight(graph: Graph, { w, turned }: WeightSource, block: number): Value {
  const [k, c, kh, kw] = w.shape;
  const taps = kh * kw;
  const [out, into] = turned ? [c, k] : [k, c];
  const outPadded = roundUp(out, block);
  const inPadded = takesBlockedInput(into, block) ? roundUp(into, block) : into;
  const [kPadded, cPadded] = turned ? [inPadded, outPadded] : [outPadded, inPadded];
  const whole = reshape(
    graph,
    pad(graph, w, [0, 0, 0, 0], [kPadded - k, cPadded - c, 0, 0]),
    // An unblocked side is one block of its own extent.
    [...split(kPadded, block), ...split(cPadded, block), taps],
  );
  // Axes of `whole`: K / B, B, C / B, B, taps. Wanted: out / B, in / B, taps, B of in, B of out; where the input
  // is not blocked it is one block whose channels go before the taps.
  const [outer, lane, inner, inLane] = turned ? [2, 3, 0, 1] : [0, 1, 2, 3];
  const blockedInput = takesBlockedInput(into, block);
  const order = blockedInput ? [outer, inner, 4, inLane, lane] : [outer, inner, inLane, 4, lane];
  const moved = transpose(graph, whole, order);
  const tapAxis = order.indexOf(4);
  const turnedTaps = turned && taps > 1 ? reversed(graph, moved, tapAxis) : moved;
  return reshape(graph, turnedTaps, [outPadded, inPadded, kh, kw]);
}

function split(extent: number, block: number): [number, number] {
  return extent % block === 0 ? [extent / block, block] : [1, extent];
}

function reversed(graph: Graph, x: Value, axis: number): Value {
  return slice(graph, x, [axis], [x.shape[axis] - 1], [-1_000_000_000], [-1]);
}
