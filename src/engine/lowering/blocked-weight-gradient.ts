/**
 * The weight gradient of a convolution as one blocked convolution whose kernel is the whole of dy:
 *
 *   dw[k, c, i, j] = sum over pixels p of dy[k, p] * x[c, stride * p + (i, j)]
 *
 * The kernel of a convolution that reads plain memory is stored [K / B, channels, h, w, B], which is just how
 * blocked dy lies in memory; and a row of blocked x, [W, B] read as one plain row of W * B numbers, holds tap j
 * of channel c at j * B + c: a dilation of B between kernel columns keeps the channels apart. So neither operand
 * is gathered; x only gets its columns of zeros at the borders, by a depthwise convolution that copies.
 * Rows are cut into strips that stay in the second-level cache while all taps pass over them; the strips are the
 * input channels of that convolution, images its groups.
 */
import { type Graph, sizeOf, type Value } from '../graph.ts';
import { add } from '../ops/add.ts';
import { concat } from '../ops/concat.ts';
import { reshape } from '../ops/reshape.ts';
import { flip, pad, slice } from '../ops/slice-pad.ts';
import { reduceSum } from '../ops/sum-expand.ts';
import { transpose } from '../ops/transpose.ts';
import { type Blocked, blockedAffine, nchwcConv, onesFor, view } from './blocked-ops.ts';

/** About half of the second-level cache of current server cores. */
const stripBytes = 768 * 1024;
/** Output channels that the runtime's kernel handles together, in blocks. */
const filterBlocks = 4;

export interface WeightGradientOptions {
  /** h, w. */
  readonly kernel: readonly [number, number];
  readonly stride: number;
  /** Top, left, bottom, right. */
  readonly pads: readonly number[];
}

/** x with fewer channels than a block is plain, any other operand blocked; undefined where this form does not fit. */
export function blockedWeightGradient(
  graph: Graph,
  x: Blocked | Value,
  dy: Blocked | Value,
  options: WeightGradientOptions,
  block: number,
): Value | undefined {
  if ('blocked' in dy) return correlate(graph, x, dy, options, block);
  if (options.stride !== 1 || !('blocked' in x)) return undefined;
  // Few output channels: x and dy change places, and the taps come out in reverse order.
  const { kernel, pads } = options;
  const turned = [kernel[0] - 1 - pads[0], kernel[1] - 1 - pads[1]];
  const exchanged = correlate(
    graph,
    dy,
    x,
    { kernel, stride: 1, pads: [...turned, kernel[0] - 1 - pads[2], kernel[1] - 1 - pads[3]] },
    block,
  );
  return exchanged && flip(graph, transpose(graph, exchanged, [1, 0, 2, 3]), [2, 3]);
}

function correlate(
  graph: Graph,
  x: Blocked | Value,
  dy: Blocked,
  { kernel: [kh, kw], stride, pads: [top, left] }: WeightGradientOptions,
  block: number,
): Value | undefined {
  const lanes = 'blocked' in x ? block : 1;
  const source = 'blocked' in x ? x.blocked : x;
  const [n, c, height, width] = source.shape;
  const [, k, rows, columns] = dy.blocked.shape;
  // Zeros that the taps reach below and right of x; an x that reaches further than the taps is another case.
  const bottom = (rows - 1) * stride + kh - height - top;
  const right = (columns - 1) * stride + kw - width - left;
  if (bottom < 0 || right < 0 || top < 0 || left < 0) return undefined;
  const wide = width + left + right;
  const groupsC = c / lanes;
  const canCut = height === rows * stride && top <= 1 && bottom <= 1;
  const rowBytes = 4 * block * columns * Math.min(k / block, filterBlocks) + 4 * lanes * wide * stride;
  const wanted = canCut ? Math.ceil((rows * rowBytes) / stripBytes) : 1;
  const strips = chooseStrips(rows, wanted, n, block);
  if (strips === undefined) return undefined;
  const h = rows / strips;
  const stripHeight = height / strips;

  const padded = padColumns(graph, x, left, right);
  const perChannel =
    n === 1 || groupsC === 1
      ? padded
      : transpose(graph, view(graph, padded, [n, groupsC, height, wide * lanes]), [1, 0, 2, 3]);
  const whole = view(graph, perChannel, [groupsC, n * strips, stripHeight, wide * lanes]);
  const dyStrips = view(graph, dy.blocked, [n * k, strips, h, columns]);
  const shared = { dilations: [stride, stride * lanes] as [number, number], groups: n };
  const taps = nchwcConv(graph, whole, dyStrips, {
    ...shared,
    kernel: [h, columns],
    pads: [top, 0, bottom, 0],
  });
  // [C / L, N, K / B, h, w * L * B].
  const blocks = groupsC * n * (k / block);
  const tapRow = kw * lanes * block;
  let sums = view(graph, taps, [blocks, kh, tapRow]);
  if (strips > 1 && top + bottom > 0) {
    // Where strips meet, a tap of one looks at a row of the other.
    const xRows = view(graph, perChannel, [groupsC, n, strips, stripHeight * wide * lanes]);
    const dyRows = view(graph, dy.blocked, [n, k / block, strips, h * columns * block]);
    const across = (
      xPart: 'first' | 'last',
      from: number,
      dyPart: 'first' | 'last',
      dyFrom: number,
    ): Value => {
      const seam = strips - 1;
      const xs = rowOf(graph, xRows, xPart, wide * lanes, from, seam);
      const dys = rowOf(graph, dyRows, dyPart, columns * block, dyFrom, seam);
      const seams = nchwcConv(
        graph,
        view(graph, xs, [groupsC, n * seam, 1, wide * lanes]),
        view(graph, dys, [n * k, seam, 1, columns]),
        { ...shared, kernel: [1, columns] },
      );
      return view(graph, seams, [blocks, 1, tapRow]);
    };
    const none = (count: number): Value =>
      graph.constant(new Float32Array(blocks * count * tapRow), [blocks, count, tapRow]);
    const parts = [
      top === 1 ? across('last', 0, 'first', 1) : none(1),
      ...(kh > 2 ? [none(kh - 2)] : []),
      bottom === 1 ? across('first', 1, 'last', 0) : none(1),
    ];
    sums = add(graph, sums, concat(graph, parts, 1));
  }
  const perImage = view(graph, sums, [groupsC, n, (k / block) * kh * kw * lanes * block]);
  const summed = n === 1 ? perImage : reduceSum(graph, perImage, [1]);
  const named = view(graph, summed, [groupsC, k / block, kh * kw, lanes, block]);
  const rowsOfK = view(graph, transpose(graph, named, [1, 0, 3, 2, 4]), [k / block, c * kh * kw, block]);
  const dw = view(graph, transpose(graph, rowsOfK, [0, 2, 1]), [k, c, kh, kw]);
  const channels = 'blocked' in x ? x.channels : c;
  return slice(graph, dw, [0, 1], [0, 0], [dy.channels, channels]);
}

/** Columns of zeros at the left and right. */
function padColumns(graph: Graph, x: Blocked | Value, left: number, right: number): Value {
  if (!('blocked' in x)) return pad(graph, x, [0, 0, 0, left], [0, 0, 0, right]);
  if (left === 0 && right === 0) return x.blocked;
  return blockedAffine(graph, x.blocked, onesFor(graph, x.blocked), { pads: [0, left, 0, right] });
}

/** The first or last row of strips from .. from + count - 1; x is [a, b, strips, row elements of a strip]. */
function rowOf(
  graph: Graph,
  x: Value,
  part: 'first' | 'last',
  row: number,
  from: number,
  count: number,
): Value {
  const size = sizeOf(x.shape.slice(3));
  const start = part === 'first' ? 0 : size - row;
  return reshape(graph, slice(graph, x, [2, 3], [from, start], [from + count, start + row]), [
    x.shape[0],
    x.shape[1],
    count,
    row,
  ]);
}

/**
 * The number of strips nearest to what is wanted, preferably more, that divides the rows and that the runtime takes:
 * fewer than a block an image, as from there on it would expect its input blocked, and over all images (of strips, and
 * of seams between them) fewer than a block or a multiple of it. Undefined where there is none.
 */
function chooseStrips(rows: number, wanted: number, images: number, block: number): number | undefined {
  const isTaken = (channels: number): boolean => channels < block || channels % block === 0;
  const possible = Array.from({ length: block - 1 }, (_, i) => i + 1).filter(
    (strips) => rows % strips === 0 && isTaken(images * strips) && isTaken(images * (strips - 1)),
  );
  return possible.find((strips) => strips >= wanted) ?? possible.at(-1);
}
