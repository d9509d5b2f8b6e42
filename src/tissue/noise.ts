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
 * `noise2` over a whole grid with a wavelength in um, evaluated lattice cell by lattice cell.
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
  const columns = Float64Array.from({ length: width }, (_, i) => x0 + i * step);
  const fades = columns.map((x) => fade(x - Math.floor(x)));
  for (let j = 0; j < height; j++) {
    const y = y0 + j * step;
    const row = Math.floor(y);
    const v = y - row;
    const b = fade(v);
    let column = NaN;
    let [ax, ay, bx, by, cx, cy, dx, dy] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < width; i++) {
      const whole = Math.floor(columns[i]);
      if (whole !== column) {
        column = whole;
        const mask = gradientCount - 1;
        const a = hash(seed, whole, row) & mask;
        const c = hash(seed, whole + 1, row) & mask;
        const d = hash(seed, whole, row + 1) & mask;
        const e = hash(seed, whole + 1, row + 1) & mask;
        [ax, ay, bx, by] = [cosines[a], sines[a], cosines[c], sines[c]];
        [cx, cy, dx, dy] = [cosines[d], sines[d], cosines[e], sines[e]];
      }
      const u = columns[i] - whole;
      const s = fades[i];
      const top = ax * u + ay * v + s * (bx * (u - 1) + by * v - ax * u - ay * v);
      const bottom = cx * u + cy * (v - 1) + s * (dx * (u - 1) + dy * (v - 1) - cx * u - cy * (v - 1));
      out[j * width + i] = 1.4 * (top + b * (bottom - top));
    }
  }
  return out;
}
