import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedData } from '../../test/shared-data.ts';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { openSlide } from '../slide/open-slide.ts';
import { smooth } from '../spatial/gaussian.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { focusChange, meanSpectrum, measureFocus } from './focus.ts';
import { resampledSource } from './resampled-source.ts';

const fields = sharedData('real/dextran');
const extent = 512;
const whole = { cellPx: extent, cellsWide: 1, cellsHigh: 1, cells: Uint8Array.of(1) };

/** Squares of stain through optics of this standard deviation (pixels), then noise. */
function drawn(seed: number, squares: number, blurPx: number, { gain = 1, noise = 2, edge = 7 } = {}) {
  const rng = new Rng(seed);
  const plane = new Float32Array(extent ** 2);
  for (let n = 0; n < squares; n++) {
    const [x, y, bright] = [rng.integer(extent - edge), rng.integer(extent - edge), rng.uniform(50, 250)];
    for (let k = 0; k < edge ** 2; k++) {
      plane[(y + Math.floor(k / edge)) * extent + x + (k % edge)] = bright;
    }
  }
  const data = smooth(plane, extent, extent, blurPx).map((v) => gain * (v + 20 + rng.normal(0, noise)));
  return memorySource({ raster: createRaster(1, extent, extent, data), channelNames: ['v'] });
}

const spectrumOf = async (...how: Parameters<typeof drawn>) =>
  (await measureFocus(drawn(...how), [0], whole))[0];

describe('focus', () => {
  it('is measured whatever the gain, the noise, and the number and size of structures', async () => {
    const wanted = await spectrumOf(1, 2500, 1);
    for (const [blur, squares, gain, noise, edge, within] of [
      [1, 2500, 1, 2, 7, 0.06],
      [0.8, 4000, 1, 4, 7, 0.06],
      [1.1, 1500, 0.2, 1, 7, 0.06],
      [1.3, 2500, 5, 2, 7, 0.06],
      [1, 2500, 1, 2, 5, 0.15],
      [1, 2500, 1, 2, 9, 0.15],
    ]) {
      const own = await spectrumOf(2, squares, blur, { gain, noise, edge });
      expect(own).not.toBeNull();
      const change = focusChange(own, wanted);
      expect(Math.abs(change - Math.max(-0.3, 1 - blur ** 2))).toBeLessThan(within);
    }
    // Where noise covers the higher frequencies, structures would decide: nothing is said.
    expect(await spectrumOf(2, 2500, 1, { noise: 60 })).toBeNull();
  });

  it('is changed by no more than is safe, and not at all where nothing is known or to be changed', async () => {
    const sharp = await spectrumOf(1, 2500, 0.6);
    const soft = await spectrumOf(2, 2500, 1.2);
    expect(focusChange(soft, sharp)).toBe(-0.3);
    expect(focusChange(sharp, sharp)).toBe(0);
    expect(focusChange(null, sharp)).toBe(0);
    expect(focusChange(soft, meanSpectrum([sharp, null]))).toBe(-0.3);
    expect(focusChange(soft, meanSpectrum([sharp, null, null]))).toBe(0);
    expect(focusChange(sharp, meanSpectrum([sharp, soft]))).toBeCloseTo(focusChange(sharp, soft) / 2, 6);
    // Noise alone, and what is too small.
    expect(await spectrumOf(1, 0, 1)).toBeNull();
    const small = memorySource({ raster: createRaster(1, 100, 300), channelNames: ['v'] });
    expect(await measureFocus(small, [0], whole)).toEqual([null]);
    const resampled = resampledSource(drawn(1, 2500, 0.8), 0.5, 0.6);
    expect(await measureFocus(resampled, [0], whole)).toEqual([null]);
  });

  it('is the same on real fields of one section', async (context) => {
    if (fields === undefined) return context.skip('the real fields are absent (docs/real-fields.md)');
    const cells = { cellPx: 1041, cellsWide: 1, cellsHigh: 1, cells: Uint8Array.of(1) };
    const spectra = await Promise.all(
      [3, 4, 5, 6, 7].map(async (n) => {
        const source = await openSlide(join(fields, `field-0${n}.ome.tif`));
        context.onTestFinished(() => source.close());
        return measureFocus(source, [0, 1], cells);
      }),
    );
    for (const channel of [0, 1]) {
      const wanted = meanSpectrum(spectra.map((own) => own[channel]));
      for (const own of spectra) expect(Math.abs(focusChange(own[channel], wanted))).toBeLessThan(0.06);
    }
  });
});
