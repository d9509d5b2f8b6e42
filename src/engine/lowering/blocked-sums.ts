/** Sums over batch and space for every channel of blocked tensors, without leaving blocked memory. */
import type { Graph, Value } from '../graph.ts';
import { reduceMean } from '../ops/reduce-mean.ts';
import { reshape } from '../ops/reshape.ts';
import { reduceSum } from '../ops/sum-expand.ts';
import { blockedAveragePool, nchwcConv, view } from './blocked-ops.ts';

/**
 * Numbers that are summed one after the other, about at most. Each sum loses digits; runs of 4096 put the prediction of
 * hrpn-published twice as far from double precision as runs of 256, which are as exact as the plain graph.
 */
const longestRun = 256;

/** x [N, C, H, W] blocked -> [C], plain: a vector's memory is the same in both. */
export function channelMeans(graph: Graph, x: Value, block: number): Value {
  const [n, c, h, w] = x.shape;
  const parts = partsOf(h, w);
  const rows = blockedAveragePool(graph, x, [h / parts, w]);
  if (n * parts === 1) return reshape(graph, rows, [c]);
  if (parts === 1) return reduceMean(graph, rows, [0, 2, 3]);
  const means = reduceMean(graph, view(graph, rows, [n, c / block, parts, block]), [0, 2]);
  return reshape(graph, means, [c]);
}

/**
 * x and y [N, C, H, W], both blocked -> [C]: sums over batch and space of x * y. A depthwise convolution whose
 * kernel is y and as large as x reads both once and writes nothing in between; groups are (image, channel, strip).
 */
export function channelDots(graph: Graph, x: Value, y: Value, block: number): Value {
  const [n, c, h, w] = x.shape;
  const parts = partsOf(h, w);
  const groups = n * c * parts;
  const kernel: [number, number] = [h / parts, w];
  const images = view(graph, x, [1, groups, ...kernel]);
  const dots = nchwcConv(graph, images, view(graph, y, [groups, 1, ...kernel]), { kernel, groups });
  if (n * parts === 1) return reshape(graph, dots, [c]);
  const sums = reduceSum(graph, view(graph, dots, [n, c / block, parts, block]), [0, 2]);
  return reshape(graph, sums, [c]);
}

function partsOf(h: number, w: number): number {
  let parts = Math.min(h, Math.ceil((h * w) / longestRun));
  while (h % parts !== 0) parts++;
  return parts;
}
