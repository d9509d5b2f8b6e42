// Spearman's rank correlation.

/** Pairs in parts, such as the rows of a slide; each pair speaks for `weight` pixels. */
export type PairParts = readonly {
  readonly measured: Float32Array;
  readonly predicted: Float32Array;
  readonly weight: number;
}[];

/**
 * Pearson's correlation of the ranks, ties with their mean rank, as SciPy's spearmanr of all pixels that the pairs speak for;
 * -1 to 1. It asks for order only: no scale, no straight line. NaN with fewer than two pairs or where either side is constant.
 */
export function spearman(parts: PairParts): number {
  const n = parts.reduce((sum, { measured }) => sum + measured.length, 0);
  if (n < 2) return Number.NaN;
  const weights = joined(
    parts.map(({ measured, weight }) => new Float32Array(measured.length).fill(weight)),
    n,
  );
  const side = (name: 'measured' | 'predicted'): Float64Array | undefined =>
    ranks(
      joined(
        parts.map((part) => part[name]),
        n,
      ),
      weights,
    );
  // What is predicted is the side that may be constant.
  const b = side('predicted');
  const a = b && side('measured');
  if (!a) return Number.NaN;
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    aa += weights[i] * a[i] * a[i];
    bb += weights[i] * b[i] * b[i];
    ab += weights[i] * a[i] * b[i];
  }
  return Math.max(-1, Math.min(1, ab / Math.sqrt(aa) / Math.sqrt(bb)));
}

/** Ranks less their mean, ties with the mean of theirs; undefined where all values are one. */
function ranks(values: Float32Array, weights: Float32Array): Float64Array | undefined {
  if (values.every((value) => value === values[0])) return undefined;
  const { keys, order } = radixSorted(values);
  const out = new Float64Array(values.length);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / 2;
  let before = 0;
  for (let from = 0, to = 0; from < keys.length; from = to) {
    let own = 0;
    while (to < keys.length && keys[to] === keys[from]) own += weights[order[to++]];
    for (let i = from; i < to; i++) out[order[i]] = before + own / 2 - mean;
    before += own;
  }
  return out;
}

const digitBits = 11;
const digits = 2 ** digitBits;

/**
 * Keys that sort as the values do, in order, and the place that each had: a radix sort, for slides give millions of pairs
 * and comparing them takes most of an evaluation's time. -0 and 0 are one value.
 */
function radixSorted(values: Float32Array): { keys: Uint32Array; order: Uint32Array } {
  const n = values.length;
  let keys = new Uint32Array(n);
  let order = new Uint32Array(n);
  const bits = new Uint32Array(values.buffer, values.byteOffset, n);
  for (let i = 0; i < n; i++) {
    // Negative numbers count downwards and come first.
    const b = values[i] === 0 ? 0 : bits[i];
    keys[i] = b >>> 31 ? ~b : b | 0x80000000;
    order[i] = i;
  }
  let otherKeys = new Uint32Array(n);
  let otherOrder = new Uint32Array(n);
  for (let shift = 0; shift < 32; shift += digitBits) {
    const next = new Uint32Array(digits + 1);
    for (let i = 0; i < n; i++) next[((keys[i] >>> shift) & (digits - 1)) + 1]++;
    for (let d = 0; d < digits; d++) next[d + 1] += next[d];
    for (let i = 0; i < n; i++) {
      const to = next[(keys[i] >>> shift) & (digits - 1)]++;
      otherKeys[to] = keys[i];
      otherOrder[to] = order[i];
    }
    [keys, otherKeys] = [otherKeys, keys];
    [order, otherOrder] = [otherOrder, order];
  }
  return { keys, order };
}

function joined(parts: readonly Float32Array[], n: number): Float32Array {
  const out = new Float32Array(n);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
