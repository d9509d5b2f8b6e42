// Undoes the differencing that was done before compression (TIFF 6.0 section 14; Adobe's Photoshop TIFF note 3).
import type { SampleType } from '../../core/pixel-source.ts';
import { bytesOf } from '../sample-type.ts';

export const predictor = { none: 1, horizontal: 2, floatingPoint: 3 } as const;

/** In place, on bytes in this machine's order. Rows are `width` pixels of `samples` interleaved samples. */
export function undoHorizontal(bytes: Uint8Array, size: number, width: number, samples: number): void {
  const { buffer, byteOffset, length } = bytes;
  if (size === 8) {
    accumulateWide(new BigUint64Array(buffer, byteOffset, length / 8), width * samples, samples);
  } else {
    const Words = size === 1 ? Uint8Array : size === 2 ? Uint16Array : Uint32Array;
    accumulate(new Words(buffer as ArrayBuffer, byteOffset, length / size), width * samples, samples);
  }
}

function accumulate(values: Uint8Array | Uint16Array | Uint32Array, row: number, step: number): void {
  for (let start = 0; start < values.length; start += row) {
    const end = Math.min(start + row, values.length);
    for (let i = start + step; i < end; i++) values[i] += values[i - step];
  }
}

function accumulateWide(values: BigUint64Array, row: number, step: number): void {
  for (let start = 0; start < values.length; start += row) {
    const end = Math.min(start + row, values.length);
    for (let i = start + step; i < end; i++) values[i] += values[i - step];
  }
}

/**
 * Floating-point predictor: a row holds first the most significant bytes of all samples, then the next ones, and
 * so on, whatever the file's byte order; the whole row is differenced by bytes.
 * @returns new bytes, in this machine's order
 */
export function undoFloatingPoint(
  bytes: Uint8Array,
  type: SampleType,
  width: number,
  samples: number,
  littleEndian: boolean,
): Uint8Array {
  const size = bytesOf(type);
  const count = width * samples;
  const row = count * size;
  const out = new Uint8Array(bytes.length);
  for (let start = 0; start + row <= bytes.length; start += row) {
    for (let i = start + samples; i < start + row; i++) bytes[i] += bytes[i - samples];
    for (let b = 0; b < size; b++) {
      const from = start + b * count;
      let to = start + (littleEndian ? size - 1 - b : b);
      for (let i = 0; i < count; i++, to += size) out[to] = bytes[from + i];
    }
  }
  return out;
}
