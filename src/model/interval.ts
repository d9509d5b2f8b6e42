/** Prediction intervals as a model file carries them: around the prediction, by level and predicted value. */
import { z } from 'zod';

const offsets = z.array(z.number()).min(1);

export const intervalSchema = z.strictObject({
  /** Share of pixels that the interval is to hold, e.g. 0.9. */
  level: z.number().gt(0).lt(1),
  /** Predicted values, rising, in stored units of the target. */
  knots: offsets,
  /** Added to the prediction at each knot for the two ends; between knots on straight lines, beyond them constant. */
  lower: offsets,
  upper: offsets,
  /** Calibration slides (or animals) behind it. */
  slides: z.int().positive(),
  /**
   * 'slides': calibrated over slides, so it is meant for a further slide of the same kind. 'within-cohort': too few
   * slides for the level, so it only describes those of the calibration.
   */
  basis: z.enum(['slides', 'within-cohort']),
});

export type Interval = z.infer<typeof intervalSchema>;

/** Index below and share of the next one, for values between knots. */
function place(knots: readonly number[], value: number): [number, number] {
  let [low, high] = [0, knots.length - 1];
  if (!(value > knots[0])) return [0, 0];
  if (value >= knots[high]) return [high, 0];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (knots[middle] <= value) low = middle;
    else high = middle;
  }
  return [low, (value - knots[low]) / (knots[high] - knots[low])];
}

/** Lower and upper end at a predicted value; NaN for NaN. */
export function intervalAt({ knots, lower, upper }: Interval, predicted: number): [number, number] {
  const [k, share] = place(knots, predicted);
  const at = (values: readonly number[]): number =>
    share === 0 ? values[k] : values[k] + share * (values[k + 1] - values[k]);
  return [predicted + at(lower), predicted + at(upper)];
}
