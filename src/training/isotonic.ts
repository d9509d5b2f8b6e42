/** Isotonic regression by pooling adjacent violators (Ayer et al. 1955), weighted, on ordered bins. */

/**
 * The monotone sequence nearest to the bins' means by weighted squares; rising or falling, whichever is nearer.
 * Bins without weight are bridged by straight lines, and beyond the outermost bins the sequence is flat.
 * @param sums of the values in each bin; @param counts in each bin, not all 0
 */
export function isotonic(sums: Float64Array, counts: Float64Array): Float64Array {
  const [rising, falling] = [1, -1].map((sign) => pooled(sums, counts, sign));
  const error = (fit: Float64Array): number =>
    // Of the bins' means; their own spread is the same for both.
    fit.reduce(
      (total, v, i) => (counts[i] === 0 ? total : total + counts[i] * (v - sums[i] / counts[i]) ** 2),
      0,
    );
  return bridged(error(rising) < error(falling) ? rising : falling, counts);
}

function pooled(sums: Float64Array, counts: Float64Array, sign: number): Float64Array {
  const blocks: { sum: number; count: number; end: number }[] = [];
  for (let i = 0; i < sums.length; i++) {
    if (counts[i] === 0) continue;
    blocks.push({ sum: sums[i], count: counts[i], end: i });
    for (let last = blocks.length - 1; last > 0; last--) {
      const [a, b] = [blocks[last - 1], blocks[last]];
      if (sign * (b.sum / b.count - a.sum / a.count) >= 0) break;
      blocks.splice(last - 1, 2, { sum: a.sum + b.sum, count: a.count + b.count, end: b.end });
    }
  }
  const out = new Float64Array(sums.length);
  let from = 0;
  for (const { sum, count, end } of blocks) {
    out.fill(sum / count, from, end + 1);
    from = end + 1;
  }
  return out;
}

function bridged(fit: Float64Array, counts: Float64Array): Float64Array {
  const out = fit.slice();
  let before = -1;
  for (let i = 0; i < out.length; i++) {
    if (counts[i] === 0) continue;
    for (let k = before + 1; k < i; k++) {
      out[k] = before < 0 ? fit[i] : fit[before] + ((fit[i] - fit[before]) * (k - before)) / (i - before);
    }
    before = i;
  }
  out.fill(fit[before], before + 1);
  return out;
}
