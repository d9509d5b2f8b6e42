// A yes/no image of one bit a pixel, so that the masks of a whole slide fit in memory (10^10 pixels: 1.25 GB).
import { assert } from '../core/errors.ts';

/**
 * A binary image [height, width]. Rows start on 32-bit words; bit x of a row is bit (x mod 32) of word
 * floor(x / 32); bits beyond the width stay zero.
 */
export class BitMask {
  readonly width: number;
  readonly height: number;
  readonly #wordsPerRow: number;
  readonly #words: Uint32Array;

  constructor(width: number, height: number) {
    assert(width > 0 && height > 0, `mask of ${width} x ${height}`);
    this.width = width;
    this.height = height;
    this.#wordsPerRow = (width + 31) >>> 5;
    this.#words = new Uint32Array(this.#wordsPerRow * height);
  }

  /** From one byte a pixel, row-major; non-zero is yes. */
  static fromBytes(bytes: ArrayLike<number>, width: number, height: number): BitMask {
    assert(bytes.length === width * height, `${bytes.length} bytes for a mask of ${width} x ${height}`);
    const mask = new BitMask(width, height);
    for (let y = 0; y < height; y++) mask.writeRow(y, bytes, y * width);
    return mask;
  }

  /** One byte a pixel, row-major, 0 or 1. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.width * this.height);
    for (let y = 0; y < this.height; y++) this.readRow(y, bytes, y * this.width);
    return bytes;
  }

  get(x: number, y: number): boolean {
    return ((this.#words[y * this.#wordsPerRow + (x >>> 5)] >>> (x & 31)) & 1) === 1;
  }

  /** Sets or clears one pixel. */
  set(x: number, y: number, value: boolean): void {
    const at = y * this.#wordsPerRow + (x >>> 5);
    if (value) this.#words[at] |= 1 << (x & 31);
    else this.#words[at] &= ~(1 << (x & 31));
  }

  /**
   * The eight pixels around (x, y) as bits, clockwise from the one above: N 1, NE 2, E 4, SE 8, S 16, SW 32, W 64,
   * NW 128. What lies outside the image is no.
   */
  around(x: number, y: number): number {
    const up = y > 0 ? this.#three(x, y - 1) : 0;
    const down = y + 1 < this.height ? this.#three(x, y + 1) : 0;
    const here = this.#three(x, y);
    return (
      ((up >> 1) & 1) |
      ((up >> 1) & 2) |
      (here & 4) |
      ((down << 1) & 8) |
      ((down << 3) & 16) |
      ((down << 5) & 32) |
      ((here << 6) & 64) |
      ((up << 7) & 128)
    );
  }

  /** Pixels x - 1, x, x + 1 of row y as bits 1, 2, 4. */
  #three(x: number, y: number): number {
    const start = y * this.#wordsPerRow;
    const bit = x & 31;
    const at = start + (x >>> 5);
    const word = this.#words[at];
    if (bit > 0 && bit < 31) return (word >>> (bit - 1)) & 7;
    if (bit === 0) return ((word & 3) << 1) | (x > 0 ? this.#words[at - 1] >>> 31 : 0);
    return (word >>> 30) | (x + 1 < this.width ? (this.#words[at + 1] & 1) << 2 : 0);
  }

  /** Yes where this mask is no. */
  inverted(): BitMask {
    const out = new BitMask(this.width, this.height);
    const last = (this.width & 31) === 0 ? 0xffffffff : 2 ** (this.width & 31) - 1;
    for (let i = 0; i < this.#words.length; i++)
      out.#words[i] = ~this.#words[i] & ((i + 1) % this.#wordsPerRow === 0 ? last : 0xffffffff);
    return out;
  }

  /** Replaces row y by `width` bytes starting at `from`; non-zero is yes. */
  writeRow(y: number, bytes: ArrayLike<number>, from = 0): void {
    let word = 0;
    let at = y * this.#wordsPerRow;
    for (let x = 0; x < this.width; x++) {
      if (bytes[from + x]) word |= 1 << (x & 31);
      if ((x & 31) === 31) {
        this.#words[at++] = word;
        word = 0;
      }
    }
    if ((this.width & 31) !== 0) this.#words[at] = word;
  }

  /** Copies row y to `out` as bytes 0 or 1, from index `to` on. */
  readRow(y: number, out: Uint8Array, to = 0): void {
    const start = y * this.#wordsPerRow;
    for (let x = 0; x < this.width; x += 32) {
      const word = this.#words[start + (x >>> 5)];
      const end = Math.min(this.width, x + 32);
      if (word === 0) out.fill(0, to + x, to + end);
      else for (let i = x; i < end; i++) out[to + i] = (word >>> (i & 31)) & 1;
    }
  }

  /** Sets or clears the pixels from x (inclusive) to end (exclusive) of row y. */
  fillRun(y: number, x: number, end: number, value: boolean): void {
    const start = y * this.#wordsPerRow;
    for (let i = x; i < end; i++) {
      const at = start + (i >>> 5);
      if (value) this.#words[at] |= 1 << (i & 31);
      else this.#words[at] &= ~(1 << (i & 31));
    }
  }

  /** How many pixels are yes. */
  count(): number {
    let total = 0;
    for (const word of this.#words) {
      let w = word - ((word >>> 1) & 0x55555555);
      w = (w & 0x33333333) + ((w >>> 2) & 0x33333333);
      total += Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    return total;
  }

  clone(): BitMask {
    const copy = new BitMask(this.width, this.height);
    copy.#words.set(this.#words);
    return copy;
  }
}
