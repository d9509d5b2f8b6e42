// Spearman's rank correlation.

/** Pairs in parts, such as the rows of a slide. */
export type PairParts = readonly { readonly measured: Float32Array; readonly predicted: Float32Array }[];

/**
 * Pearson's correlation of the ranks, ties with their mean rank, as SciPy's spearmanr; -1 to 1. It asks for order
 * only: no scale, no straight line. NaN with fewer than two pairs or where either side is constant.
 */
export function spearman(parts: PairParts): number {
  const n = parts.reduce((sum, { measured }) => sum + measured.length, 0);
  if (n < 2) return Number.NaN;
  const a = ranks(
    joined(
      parts.map(({ measured }) => measured),
      n,
    ),
  );
  const b = ranks(
    joined(
      parts.map(({ predicted }) => predicted),
      n,
    ),
  );
  // Mean ranks sum to the same whatever the ties.
  const mean = (n + 1) / 2;
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i] - mean, b[i] - mean];
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  if (aa === 0 || bb === 0) return Number.NaN;
  return Math.max(-1, Math.min(1, ab / Math.sqrt(aa) / Math.sqrt(bb)));
}

/** Ranks from 1, by counting on the sorted values: looked up, so that no permutation is sorted. */
function ranks(values: Float32Array): Float64Array {
  const sorted = values.slice().sort();
  const out = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    out[i] = (bound(sorted, value, false) + bound(sorted, value, true) + 1) / 2;
  }
  return out;
}

/** How many are below the value, or (with `orEqual`) not above it. -0 and 0 are one value. */
function bound(sorted: Float32Array, value: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (orEqual ? sorted[middle] <= value : sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
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
