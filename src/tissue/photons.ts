// Random photo-electrons, fast: a table of the normal distribution and Poisson counts from it.
import { hash } from './hash.ts';

const tableBits = 12;
const quantiles = normalQuantiles(1 << tableBits);

/** Noise of one channel of one tile. */
export class Photons {
  #state: number;

  constructor(key: number) {
    this.#state = key | 0;
  }

  /** Standard normal: quantiles from a table, linear between, exact to 1e-4 within 3.4 standard deviations. */
  normal(): number {
    const bits = this.#next();
    const at = bits >>> (32 - tableBits);
    const fraction = (bits & ((1 << (32 - tableBits)) - 1)) / (1 << (32 - tableBits));
    return quantiles[at] + fraction * (quantiles[at + 1] - quantiles[at]);
  }

  /** Poisson: products of uniforms below 12, normal with the skewness corrected (Cornish and Fisher 1938) above. */
  poisson(mean: number): number {
    if (mean <= 0) return 0;
    if (mean >= 12) {
      const z = this.normal();
      return Math.max(0, Math.round(mean + Math.sqrt(mean) * z + (z * z - 1) / 6));
    }
    const limit = Math.exp(-mean);
    let product = this.#next() / 4294967296;
    let count = 0;
    while (product > limit) {
      product *= this.#next() / 4294967296;
      count++;
    }
    return count;
  }

  /** Splitmix32. */
  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }
}

/** Noise that depends on the place of a tile only. */
export function photonsOfTile(seed: number, tileX: number, tileY: number, channel: number): Photons {
  return new Photons(hash(hash(seed, 606, channel), tileX, tileY));
}

/** count + 1 quantiles at i / count; the ends at those of half a step. */
function normalQuantiles(count: number): Float64Array {
  const out = new Float64Array(count + 1);
  for (let i = 0; i <= count; i++) {
    out[i] = quantile(Math.min(1 - 0.25 / count, Math.max(0.25 / count, i / count)));
  }
  return out;
}

/** Inverse normal distribution by bisection on its integral (Abramowitz and Stegun 26.2.17 would do 1e-7). */
function quantile(p: number): number {
  let low = -8;
  let high = 8;
  for (let step = 0; step < 60; step++) {
    const middle = 0.5 * (low + high);
    if (cumulative(middle) < p) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}

function cumulative(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x > 0 ? 1 - tail : tail;
}
