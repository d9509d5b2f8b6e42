// The largest value in a square window around every pixel.

/**
 * Grey dilation of a plane [height, width] by a square of edge 2 * radiusPx + 1, cut off at the borders
 * (van Herk 1992: two running maxima per block, whatever the radius). NaN counts as -Infinity.
 */
export function localMaximum(
  plane: Float32Array,
  width: number,
  height: number,
  radiusPx: number,
): Float32Array {
  const out = new Float32Array(plane.length);
  const line = new LineMaximum(Math.max(width, height), radiusPx);
  for (let y = 0; y < height; y++) line.run(plane, y * width, 1, width, out);
  for (let x = 0; x < width; x++) line.run(out, x, width, height, out);
  return out;
}

class LineMaximum {
  readonly #radius: number;
  readonly #forward: Float32Array;
  readonly #backward: Float32Array;

  constructor(longest: number, radius: number) {
    this.#radius = radius;
    this.#forward = new Float32Array(longest + 2 * radius);
    this.#backward = new Float32Array(longest + 2 * radius);
  }

  run(values: Float32Array, from: number, stride: number, length: number, out: Float32Array): void {
    const radius = this.#radius;
    const block = 2 * radius + 1;
    const padded = length + 2 * radius;
    const forward = this.#forward;
    const backward = this.#backward;
    for (let i = 0; i < padded; i++) {
      const at = i - radius;
      const value = at >= 0 && at < length ? values[from + at * stride] : -Infinity;
      forward[i] = backward[i] = Number.isNaN(value) ? -Infinity : value;
    }
    for (let i = 1; i < padded; i++)
      if (i % block !== 0 && forward[i - 1] > forward[i]) forward[i] = forward[i - 1];
    for (let i = padded - 2; i >= 0; i--)
      if ((i + 1) % block !== 0 && backward[i + 1] > backward[i]) backward[i] = backward[i + 1];
    for (let i = 0; i < length; i++) out[from + i * stride] = Math.max(backward[i], forward[i + 2 * radius]);
  }
}
