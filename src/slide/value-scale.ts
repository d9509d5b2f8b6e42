// Integer samples that stand for other values: how they are coded, and how that is recorded in a file.
import { type SampleType, sampleRange } from '../core/pixel-source.ts';

/** value = stored * scale + offset; stored 0 stands for no value (NaN). */
export interface ValueScale {
  readonly scale: number;
  readonly offset: number;
}

/** Keys under which a scale is recorded among a slide's annotations. */
const keys = { scale: 'hrpn value scale', offset: 'hrpn value offset', how: 'hrpn value' } as const;

/**
 * The scale that spreads the values from `min` to `max` over all samples of an integer type but 0. Half a step is the
 * largest error.
 */
export function valueScaleFor(min: number, max: number, type: 'uint8' | 'uint16'): ValueScale {
  const steps = sampleRange(type)!.max - 1;
  const scale = max > min ? (max - min) / steps : 1;
  return { scale, offset: min - scale };
}

/** How many of the values a scale cannot hold: they are clipped. NaN is no value and does not count. */
export function countClipped(data: Float32Array, { scale, offset }: ValueScale, type: SampleType): number {
  const [low, high] = [offset + scale / 2, offset + scale * (sampleRange(type)!.max + 0.5)];
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] < low || data[i] > high) count++;
  return count;
}

/** From values to stored samples, in place: rounded to the nearest, clipped to what the type holds, NaN to 0. */
export function encodeValues(data: Float32Array, { scale, offset }: ValueScale, type: SampleType): void {
  const { max } = sampleRange(type)!;
  for (let i = 0; i < data.length; i++) {
    const step = Math.round((data[i] - offset) / scale);
    data[i] = Number.isNaN(step) ? 0 : Math.min(max, Math.max(1, step));
  }
}

/** From stored samples to values, in place. */
export function decodeValues(data: Float32Array, { scale, offset }: ValueScale): void {
  for (let i = 0; i < data.length; i++) data[i] = data[i] === 0 ? Number.NaN : data[i] * scale + offset;
}

/** What is recorded of a scale. Numbers are written so that they read back exactly. */
export function scaleAnnotations({ scale, offset }: ValueScale): [string, string][] {
  return [
    [keys.how, 'stored x scale + offset; stored 0 is no value'],
    [keys.scale, String(scale)],
    [keys.offset, String(offset)],
  ];
}

/** The scale that a file of integer samples records; undefined where it records none. */
export function recordedScale(
  annotations: ReadonlyMap<string, string>,
  sampleType: SampleType,
): ValueScale | undefined {
  if (sampleRange(sampleType) === undefined) return undefined;
  const scale = Number(annotations.get(keys.scale) ?? Number.NaN);
  const offset = Number(annotations.get(keys.offset) ?? Number.NaN);
  return scale > 0 && Number.isFinite(scale) && Number.isFinite(offset) ? { scale, offset } : undefined;
}
