// Typed arrays of the sample types, and the turn of byte order.
import type { SampleType } from '../core/pixel-source.ts';
import type { Samples } from './blocked-source.ts';

const arrays = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Bytes of one sample. */
export function bytesOf(type: SampleType): number {
  return arrays[type].BYTES_PER_ELEMENT;
}

/** An array of zeros. */
export function createSamples(type: SampleType, length: number): Samples {
  return new arrays[type](length);
}

/** The bytes, which are in this machine's order, as samples; copied only where they are not aligned. */
export function viewSamples(bytes: Uint8Array, type: SampleType): Samples {
  const size = bytesOf(type);
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new arrays[type](
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    Math.floor(aligned.length / size),
  );
}

/** Little-endian on every machine that Node runs on but IBM Z. */
export const hostLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Reverses the bytes of every sample in place. */
export function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - (bytes.length % size));
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}
