// Peak signal-to-noise ratio.
import type { PairMoments } from '../pair-moments.ts';
import { mse } from './mse.ts';

/**
 * 10 log10(peak^2 / MSE) in decibels, of all pixels together; Infinity where there is no error.
 * @param peak largest value that the target can take: 255 for 8 bits, 65535 for 16
 */
export function psnr(m: PairMoments, peak: number): number {
  return 10 * Math.log10((peak * peak) / mse(m));
}
