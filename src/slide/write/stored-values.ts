// From computed values to what the file's sample type can hold.
import { sampleRange } from '../../core/pixel-source.ts';
import type { Samples } from '../blocked-source.ts';
import { createSamples } from '../sample-type.ts';
import type { WrittenType } from './slide-description.ts';

/** Rounds and clips in place for integer types; NaN becomes 0 there. Nothing to do for float32. */
export function toStoredValues(data: Float32Array, type: WrittenType): void {
  const range = sampleRange(type);
  if (range === undefined) return;
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    // Written so that NaN, which compares false, ends as 0.
    data[i] = value >= range.max ? range.max : value > range.min ? Math.round(value) : range.min;
  }
}

/** One channel of a tile, padded with zeros to `width` x `height`, as samples of the type. */
export function toSamples(
  plane: Float32Array,
  planeWidth: number,
  planeHeight: number,
  width: number,
  height: number,
  type: WrittenType,
): Samples {
  if (type === 'float32' && planeWidth === width && planeHeight === height) return plane;
  const samples = createSamples(type, width * height);
  if (planeWidth === width) {
    samples.set(plane);
    return samples;
  }
  for (let y = 0; y < planeHeight; y++) {
    samples.set(plane.subarray(y * planeWidth, (y + 1) * planeWidth), y * width);
  }
  return samples;
}
