// All metrics of one set of pixels, with a reason for each that is not defined there.
import { bias } from './metrics/bias.ts';
import { icc } from './metrics/icc.ts';
import { mae } from './metrics/mae.ts';
import { mse } from './metrics/mse.ts';
import { nrmse } from './metrics/nrmse.ts';
import { pearson } from './metrics/pearson.ts';
import { psnr } from './metrics/psnr.ts';
import { r2 } from './metrics/r2.ts';
import { rmse } from './metrics/rmse.ts';
import { type PairParts, spearman } from './metrics/spearman.ts';
import { emptyMoments, mergeMoments, type PairMoments } from './pair-moments.ts';

/** The pixels of one region, accumulated: moments of the pairs, the sum of the SSIM map, and pairs for their ranks. */
export interface RegionSums {
  readonly moments: PairMoments;
  ssimSum: number;
  ssimCount: number;
  /** Pairs on a regular grid of pixels, all of them on slides of up to a million. */
  readonly sampled: PairParts[number][];
}

/** Of no pixels yet. */
export function emptyRegion(): RegionSums {
  return { moments: emptyMoments(), ssimSum: 0, ssimCount: 0, sampled: [] };
}

/** Adds the sums of other pixels, in any order. */
export function mergeRegions(into: RegionSums, other: RegionSums): void {
  mergeMoments(into.moments, other.moments);
  into.ssimSum += other.ssimSum;
  into.ssimCount += other.ssimCount;
  into.sampled.push(...other.sampled);
}

/**
 * The metrics of a region. In stored units, decibels (psnr), or none. A metric that is not defined on these
 * pixels is NaN (null in JSON) and `undefinedBecause` says why.
 */
export interface MetricBlock {
  readonly pixels: number;
  /** Pixels of the region left out because measured or predicted is NaN or infinite there. */
  readonly pixelsNotFinite: number;
  readonly mse: number;
  readonly rmse: number;
  readonly nrmse: number;
  readonly mae: number;
  readonly bias: number;
  readonly r2: number;
  readonly psnr: number;
  readonly ssim: number;
  readonly pearson: number;
  readonly spearman: number;
  readonly icc: number;
  readonly measuredMean: number;
  readonly measuredSd: number;
  readonly undefinedBecause: Readonly<Record<string, string>>;
}

/** @param peak largest value that the target can take, for PSNR */
export function metricsOf(region: RegionSums, peak: number): MetricBlock {
  const m = region.moments;
  const values = {
    mse: mse(m),
    rmse: rmse(m),
    nrmse: nrmse(m),
    mae: mae(m),
    bias: bias(m),
    r2: r2(m),
    psnr: psnr(m, peak),
    ssim: region.ssimCount > 0 ? region.ssimSum / region.ssimCount : Number.NaN,
    pearson: pearson(m),
    spearman: spearman(region.sampled),
    icc: icc(m),
    measuredMean: m.count > 0 ? m.meanMeasured : Number.NaN,
    measuredSd: Math.sqrt(m.measuredSquares / m.count),
  };
  const undefinedBecause: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isFinite(value)) undefinedBecause[name] = reason(name, m);
  }
  return { pixels: m.count, pixelsNotFinite: m.notFinite, ...values, undefinedBecause };
}

function reason(name: string, m: PairMoments): string {
  if (m.count === 0) {
    return m.notFinite === 0 ? 'the region has no pixels' : 'no pixel of the region has a finite value';
  }
  if (name === 'psnr') return 'the prediction is exact, so the ratio is infinite';
  if (name === 'ssim') return 'the window around every pixel holds one that is not finite';
  if (m.maxMeasured === m.minMeasured) return `every measured value is ${m.minMeasured}`;
  if (m.maxPredicted === m.minPredicted) return `every predicted value is ${m.minPredicted}`;
  return 'too few pixels';
}
