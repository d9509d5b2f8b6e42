// How sharp the inputs of a slide are, against those of the training slides: from the fall of their power spectra.
import { throwIfCancelled } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { channelOf } from '../core/raster.ts';
import { PlaneFft } from '../spatial/fft.ts';
import { taperedPower } from '../spatial/tapered-power.ts';
import type { TissueMask } from './tissue-mask.ts';
import { gridWindows } from './windows.ts';

/** Edge of a window in pixels, how many are taken, and the share of each that is tissue. */
const windowPx = 128;
const mostWindows = 192;
const leastWindows = 8;
const leastTissue = 0.9;
/** Frequencies that are compared, cycles a pixel: below, the kind of tissue decides; above, noise. */
const bands = { from: 0.1, to: 0.4, count: 12 };
/** Beyond this frequency, in the corners of the plane, there is only noise. */
const noiseFrom = 0.55;
/**
 * Power above the noise, as a multiple of it, that a band must have, and how many such bands a slope needs: over fewer the sizes
 * of structures decide it, not the optics.
 */
const leastSignal = 0.05;
const leastBands = 10;
/**
 * Limits of a change, squared pixels: less is within what the measure is worth; a sharpening beyond would bring up more noise
 * than detail, a softening beyond is of no slide worth predicting.
 */
export const focusLimits = { least: 0.02, sharper: 0.3, softer: 1.5 };

/**
 * Natural logarithm of an input's power in tissue less that of its noise, in bands of 0.025 cycles a pixel from 0.1 on, up to the
 * twelfth or the last that rises above the noise; at least ten.
 */
export type FocusSpectrum = readonly number[];

/** Frequency squared at the middle of each band. */
const squaredFrequencies = Array.from(
  { length: bands.count },
  (_, i) => (bands.from + ((i + 0.5) * (bands.to - bands.from)) / bands.count) ** 2,
);

/**
 * @param channels of the source
 * @returns one a channel; null where there is too little tissue or too little above the noise, and for a slide that is resampled, as
 * interpolation changes the noise as well as the image
 */
export async function measureFocus(
  source: PixelSource,
  channels: readonly number[],
  tissue: TissueMask,
  signal?: AbortSignal,
): Promise<(number[] | null)[]> {
  const isResampled = channels.some((channel) => source.channels[channel].storedAs !== undefined);
  if (isResampled || Math.min(source.width, source.height) < windowPx) return channels.map(() => null);
  const { windows } = gridWindows(source.width, source.height, windowPx, tissue, {
    minTissue: leastTissue,
    overlap: 0,
  });
  const every = Math.max(1, windows.length / mostWindows);
  const chosen = Array.from(
    { length: Math.min(windows.length, mostWindows) },
    (_, i) => windows[Math.floor(i * every)],
  );
  if (chosen.length < leastWindows) return channels.map(() => null);
  const transform = new PlaneFft(windowPx, windowPx);
  const sums = channels.map(() => ({ bands: new Float64Array(bands.count), noise: 0 }));
  for (const { x, y } of chosen) {
    throwIfCancelled(signal, 'measuring the focus');
    const region = { x, y, width: windowPx, height: windowPx };
    const raster = await source.read(region, channels, { signal });
    for (const [c, sum] of sums.entries()) addPower(channelOf(raster, c), transform, sum);
  }
  return sums.map(({ bands: power, noise }) => {
    const drowned = power.findIndex((value) => !(value > (1 + leastSignal) * noise));
    const known = power.subarray(0, drowned < 0 ? bands.count : drowned);
    return known.length < leastBands ? null : Array.from(known, (value) => Math.log(value - noise));
  });
}

/** For each coefficient of a window the band it is in, one beyond the last for noise, or -1. */
const bandOf = Int8Array.from({ length: windowPx * windowPx }, (_, i) => {
  const [u, v] = [i % windowPx, Math.floor(i / windowPx)].map((k) => Math.min(k, windowPx - k) / windowPx);
  const frequency = Math.hypot(u, v);
  if (frequency >= noiseFrom) return bands.count;
  const band = Math.floor(((frequency - bands.from) / (bands.to - bands.from)) * bands.count);
  return band < bands.count ? Math.max(-1, band) : -1;
});
const bandSizes = Array.from({ length: bands.count + 1 }, (_, band) =>
  bandOf.reduce((count, own) => count + (own === band ? 1 : 0), 0),
);

/** Adds a window's mean power in each band; one that holds a pixel which is not finite is left out. */
function addPower(
  plane: Float32Array,
  transform: PlaneFft,
  into: { bands: Float64Array; noise: number },
): void {
  const all = taperedPower(plane, transform);
  if (all === undefined) return;
  for (let i = 0; i < all.length; i++) {
    const band = bandOf[i];
    if (band < 0) continue;
    const power = all[i] / bandSizes[band];
    if (band === bands.count) into.noise += power;
    else into.bands[band] += power;
  }
}

/** Mean over the slides of which it is known; null where these are fewer than half. */
export function meanSpectrum(spectra: readonly (FocusSpectrum | null)[]): number[] | null {
  const known = spectra.filter((spectrum) => spectrum !== null);
  if (known.length < spectra.length / 2) return null;
  const bandsOfAll = Math.min(...known.map(({ length }) => length));
  return Array.from({ length: bandsOfAll }, (_, i) => known.reduce((sum, s) => sum + s[i], 0) / known.length);
}

/**
 * By how much the point spread of an input must grow to be that of another: the slope of the difference of their spectra over
 * squared frequency, as a Gaussian one of variance v lets through exp(-4 pi^2 f^2 v) of the power.
 * @returns variance in squared pixels, negative to sharpen; 0 where either is not known or they are alike, and at most -0.3 or 1.5
 */
export function focusChange(own: FocusSpectrum | null, wanted: FocusSpectrum | null): number {
  if (own === null || wanted === null) return 0;
  const both = squaredFrequencies.slice(0, Math.min(own.length, wanted.length));
  if (both.length < leastBands) return 0;
  const mean = both.reduce((sum, f) => sum + f, 0) / both.length;
  let [products, squares] = [0, 0];
  both.forEach((f, i) => {
    products += (f - mean) * (own[i] - wanted[i]);
    squares += (f - mean) ** 2;
  });
  const change = products / squares / (4 * Math.PI ** 2);
  if (Math.abs(change) < focusLimits.least) return 0;
  return Math.min(focusLimits.softer, Math.max(-focusLimits.sharper, change));
}
