/** Adds the ends of a prediction interval to predicted pixels. */
import { channelOf, createRaster, type Raster } from '../core/raster.ts';
import { type Interval, intervalAt } from '../model/interval.ts';

/**
 * Prediction [1, H, W], or with the spread below and above it [3, H, W], which a scaled interval needs -> prediction,
 * lower and upper end [3, H, W]; NaN stays NaN.
 */
export function withInterval(predicted: Raster, interval: Interval): Raster {
  const { height, width } = predicted;
  const out = createRaster(3, height, width);
  const [probe, lower, upper] = [0, 1, 2].map((c) => channelOf(out, c));
  probe.set(channelOf(predicted, 0));
  if (interval.scaled) {
    const [below, above] = [1, 2].map((c) => channelOf(predicted, c));
    for (let i = 0; i < probe.length; i++) {
      [lower[i], upper[i]] = intervalAt(interval, probe[i], below[i], above[i]);
    }
  } else {
    for (let i = 0; i < probe.length; i++) [lower[i], upper[i]] = intervalAt(interval, probe[i]);
  }
  return out;
}
