// Smooth random fields without memory of their own: gradient noise (Perlin 1985, quintic fade of 2002) on a
// hashed lattice. Roughly zero mean, standard deviation about 0.25 (2D), range within [-1, 1].
import { hash } from './hash.ts';

const gradientCount = 64;
const cosines = Float64Array.from({ length: gradientCount }, (_, i) =>
  Math.cos((2 * Math.PI * i) / gradientCount),
);
const sines = Float64Array.from({ length: gradientCount }, (_, i) =>
  Math.sin((2 * Math.PI * i) / gradientCount),
);

/** @param x @param y in units of the noise's wavelength */
export function noise2(seed: number, x: number, y: number): number {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const u = x - i;
  const v = y - j;
  const a = fade(u);
  const b = fade(v);
  const top = lerp(corner2(seed, i, j, u, v), corner2(seed, i + 1, j, u - 1, v), a);
  const bottom = lerp(corner2(seed, i, j + 1, u, v - 1), corner2(seed, i + 1, j + 1, u - 1, v - 1), a);
  return 1.4 * lerp(top, bottom, b);
}

/**
 * `noise2` of points that lie near each other, to the same bits: the gradients around the last point are remembered,
 * and its neighbours need the same.
 */
export class NearNoise {
  #seed = NaN;
  #i = NaN;
  #j = NaN;
  /** x and y of the gradients at the upper left, upper right, lower left and lower right corner. */
  readonly #g = new Float64Array(8);

  /** @param x @param y in units of the noise's wavelength */
  at(seed: number, x: number, y: number): number {
    const i = Math.floor(x);
    const j = Math.floor(y);
    const g = this.#g;
    if (i !== this.#i || j !== this.#j || seed !== this.#seed) {
      this.#seed = seed;
      this.#i = i;
      this.#j = j;
      for (let corner = 0; corner < 4; corner++) {
        const h = hash(seed, i + (corner & 1), j + (corner >> 1)) & (gradientCount - 1);
        g[2 * corner] = cosines[h];
        g[2 * corner + 1] = sines[h];
      }
    }
    const u = x - i;
    const v = y - j;
    const a = fade(u);
    const top = lerp(g[0] * u + g[1] * v, g[2] * (u - 1) + g[3] * v, a);
    const bottom = lerp(g[4] * u + g[5] * (v - 1), g[6] * (u - 1) + g[7] * (v - 1), a);
    return 1.4 * lerp(top, bottom, fade(v));
  }
}

/** @param x @param y @param z in units of the noise's wavelength */
export function noise3(seed: number, x: number, y: number, z: number): number {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const k = Math.floor(z);
  const u = x - i;
  const v = y - j;
  const w = z - k;
  const a = fade(u);
  const b = fade(v);
  let result = 0;
  for (let dk = 0; dk < 2; dk++) {
    const weight = dk === 0 ? 1 - fade(w) : fade(w);
    const top = lerp(
      corner3(seed, i, j, k + dk, u, v, w - dk),
      corner3(seed, i + 1, j, k + dk, u - 1, v, w - dk),
      a,
    );
    const bottom = lerp(
      corner3(seed, i, j + 1, k + dk, u, v - 1, w - dk),
      corner3(seed, i + 1, j + 1, k + dk, u - 1, v - 1, w - dk),
      a,
    );
    result += weight * lerp(top, bottom, b);
  }
  return 1.4 * result;
}

function corner2(seed: number, i: number, j: number, u: number, v: number): number {
  const h = hash(seed, i, j) & (gradientCount - 1);
  return cosines[h] * u + sines[h] * v;
}

function corner3(seed: number, i: number, j: number, k: number, u: number, v: number, w: number): number {
  const h = hash(seed, i, j, k);
  const angle = h & (gradientCount - 1);
  const height = ((h >>> 8) & 0xffff) / 32768 - 1;
  const radius = Math.sqrt(1 - height * height);
  return radius * (cosines[angle] * u + sines[angle] * v) + height * w;
}

function fade(t: number): number {
  return t * t * t * (t * (t * 6 - 15) + 10);
}

function lerp(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/**
 * `noise2` over a whole grid with a wavelength in um; each gradient of the lattice is drawn once.
 * @returns plane [height, width]
 */
export function noisePlane(
  grid: { fromX: number; fromY: number; spacing: number; width: number; height: number },
  seed: number,
  wavelengthUm: number,
): Float32Array {
  const { width, height } = grid;
  const out = new Float32Array(width * height);
  const step = grid.spacing / wavelengthUm;
  const x0 = grid.fromX / wavelengthUm + 0.5 * step;
  const y0 = grid.fromY / wavelengthUm + 0.5 * step;
  // Of each column: the lattice column on its left, and the place between that and the next.
  const firstColumn = Math.floor(x0);
  const wholes = new Int32Array(width);
  const places = new Float64Array(width);
  const fades = new Float64Array(width);
  for (let i = 0; i < width; i++) {
    const x = x0 + i * step;
    const whole = Math.floor(x);
    wholes[i] = whole - firstColumn;
    places[i] = x - whole;
    fades[i] = fade(x - whole);
  }
  const columns = wholes[width - 1] + 2;
  let above = new Float64Array(2 * columns);
  let below = new Float64Array(2 * columns);
  const draw = (gradients: Float64Array, row: number): void => {
    for (let n = 0; n < columns; n++) {
      const h = hash(seed, firstColumn + n, row) & (gradientCount - 1);
      gradients[2 * n] = cosines[h];
      gradients[2 * n + 1] = sines[h];
    }
  };
  let lastRow = NaN;
  for (let j = 0; j < height; j++) {
    const y = y0 + j * step;
    const row = Math.floor(y);
    const v = y - row;
    const b = fade(v);
    if (row !== lastRow) {
      [above, below] = [below, above];
      if (row !== lastRow + 1) draw(above, row);
      draw(below, row + 1);
      lastRow = row;
    }
    for (let i = 0, at = j * width; i < width; i++, at++) {
      const n = 2 * wholes[i];
      const u = places[i];
      const s = fades[i];
      const a = above[n] * u + above[n + 1] * v;
      const c = below[n] * u + below[n + 1] * (v - 1);
      // In this order, so that values stay the same to the last bit.
      const top = a + s * (above[n + 2] * (u - 1) + above[n + 3] * v - above[n] * u - above[n + 1] * v);
      const bottom =
        c + s * (below[n + 2] * (u - 1) + below[n + 3] * (v - 1) - below[n] * u - below[n + 1] * (v - 1));
      out[at] = 1.4 * (top + b * (bottom - top));
    }
  }
  return out;
}
