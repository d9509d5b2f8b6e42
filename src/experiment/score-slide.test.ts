import { expect, it } from 'vitest';
import type { SampleType } from '../core/pixel-source.ts';
import { createRaster } from '../core/raster.ts';
import { resampledSource } from '../dataset/resampled-source.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { peakOf } from './score-slide.ts';

it('peakOf: the range of integers, resampled ones too; the largest value of all slides of floating point', async () => {
  const target = (values: number[], sampleType: SampleType) => ({
    source: memorySource({
      raster: createRaster(1, 1, values.length, Float32Array.from(values)),
      channelNames: ['probe'],
      sampleType,
      pixelSizeUm: 0.5,
    }),
    channel: 0,
  });
  const whole = target([3, 700, 20, 5], 'uint16');
  const resampled = { ...whole, source: resampledSource(whole.source, 0.5, 0.8) };
  expect(await peakOf([target([3, 7], 'uint8')])).toBe(255);
  expect(await peakOf([resampled])).toBe(65_535);
  const [dim, bright] = [target([0.5, Number.NaN], 'float32'), target([2.5, Infinity], 'float64')];
  expect(await peakOf([dim, bright])).toBe(2.5);
  expect(await peakOf([bright, dim])).toBe(2.5);
  expect(await peakOf([dim])).toBe(0.5);
});
