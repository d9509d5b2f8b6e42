/** Prediction intervals as a model file carries them: around the prediction, by level and predicted value. */
import { z } from 'zod';

const offsets = z.array(z.number()).min(1);

export const intervalSchema = z.strictObject({
  /** Share of pixels that the interval is to hold, e.g. 0.9. */
  level: z.number().gt(0).lt(1),
  /** Predicted values, rising, in stored units of the target. */
  knots: offsets,
  /**
   * Added to the prediction at each knot for the two ends; between knots on straight lines, beyond them constant. In
   * stored units, or, where `scaled` is set, in units of the model's spread at the pixel: below it where negative.
   */
  lower: offsets,
  upper: offsets,
  scaled: z.literal(true).optional(),
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

/**
 * Lower and upper end at a predicted value; NaN for NaN.
 * @param below spread of the pixel on either side, in stored units; 1 for an interval that is not scaled
 */
export function intervalAt(
  { knots, lower, upper }: Interval,
  predicted: number,
  below = 1,
  above = 1,
): [number, number] {
  const [k, share] = place(knots, predicted);
  const at = (values: readonly number[]): number => {
    const offset = share === 0 ? values[k] : values[k] + share * (values[k + 1] - values[k]);
    return predicted + offset * (offset < 0 ? below : above);
  };
  return [at(lower), at(upper)];
}

/** An error (measured less predicted) in units of the spread on its side, as a scaled interval counts. */
export function scaledError(error: number, below: number, above: number): number {
  return error / (error < 0 ? below : above);
}
