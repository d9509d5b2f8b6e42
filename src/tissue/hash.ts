// Random numbers by place instead of by order: what is drawn for a cell of space depends on the seed and the cell
// only, so that any tile of a slide can be made alone and comes out the same.

/** A well mixed 32-bit hash of a seed and up to three whole numbers (finaliser of splitmix32 after each). */
export function hash(seed: number, a: number, b = 0, c = 0): number {
  let h = mix((seed ^ Math.imul(a | 0, 0x9e3779b1)) | 0);
  h = mix((h ^ Math.imul(b | 0, 0x85ebca6b)) | 0);
  return mix((h ^ Math.imul(c | 0, 0xc2b2ae35)) | 0) >>> 0;
}

function mix(value: number): number {
  let z = (value + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

/** A short stream of numbers for one cell, edge or nucleus; `key` is a hash. */
export class LocalRng {
  #state: number;

  constructor(key: number) {
    this.#state = key | 0;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return (mix(this.#state) >>> 0) / 4294967296;
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** exp(sigma z), z standard normal: median 1. */
  logNormal(sigma: number): number {
    return Math.exp(sigma * this.normal());
  }
}
