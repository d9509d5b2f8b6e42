/** Sums over batch and space for every channel of blocked tensors, without leaving blocked memory. */
import { type Graph, sizeOf, type Value } from '../graph.ts';
import { reduceMean } from '../ops/reduce-mean.ts';
import { reshape } from '../ops/reshape.ts';
import { reduceSum } from '../ops/sum-expand.ts';
import { blockedAveragePool, nchwcConv, view } from './blocked-ops.ts';

/** Enough parts to occupy the threads, and short sums in each, which keeps float32 rounding small. */
const parts = 16;

/** The largest divisor of the extent up to a limit. */
export function divisorUpTo(extent: number, limit: number): number {
  let divisor = Math.min(extent, limit);
  while (extent % divisor !== 0) divisor--;
  return divisor;
}

/** x [N, C, H, W] blocked -> [C], plain: a vector's memory is the same in both. */
export function channelMeans(graph: Graph, x: Value, block: number): Value {
  const [n, c, h, w] = x.shape;
  const count = divisorUpTo(h, parts);
  const rows = blockedAveragePool(graph, x, [h / count, w]);
  const means = reduceMean(graph, view(graph, rows, [n, c / block, count, block]), [0, 2]);
  return reshape(graph, means, [c]);
}

/**
 * x and y [N, C, H, W], both blocked -> [C]: sums over batch and space of x * y. A depthwise convolution whose
 * kernel is y and as large as x reads both once and writes nothing in between; groups are (image, channel, strip).
 */
export function channelDots(graph: Graph, x: Value, y: Value, block: number): Value {
  const [n, c, h, w] = x.shape;
  const strips = divisorUpTo(h, parts);
  const groups = n * c * strips;
  const kernel: [number, number] = [h / strips, w];
  const dots = nchwcConv(
    graph,
    view(graph, x, [1, groups, ...kernel]),
    view(graph, y, [groups, 1, ...kernel]),
    { kernel, groups },
  );
  const sums = reduceSum(graph, view(graph, dots, [n, c / block, strips, block]), [0, 2]);
  return reshape(graph, sums, [sizeOf(sums.shape)]);
}
