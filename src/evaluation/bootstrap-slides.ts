// How much the metrics would differ with other slides: the bootstrap over whole slides.
import { Rng } from '../core/rng.ts';
import type { SlideComparison } from './compare-slide.ts';
import { emptyRegion, mergeRegions, metricsOf, type RegionSums } from './metric-block.ts';

const resamples = 1000;
const level = 0.95;
const fewestSlides = 3;
const names = ['mse', 'rmse', 'mae', 'bias', 'r2', 'psnr', 'ssim', 'pearson', 'icc'] as const;

export interface SlideBootstrap {
  readonly slides: number;
  readonly level: number;
  readonly resamples: number;
  readonly pooled: Record<string, { low: number; high: number }>;
  readonly extravascular: Record<string, { low: number; high: number }>;
}

/**
 * Percentile intervals of the pooled metrics when slides are drawn with replacement, each with all its pixels: pixels of
 * one slide are alike, so they are never drawn singly. With few slides the interval is too narrow; every slide's own
 * values belong beside it. Null with fewer than three.
 */
export function bootstrapSlides(
  slides: readonly SlideComparison[],
  peak: number,
  seed = 0,
): SlideBootstrap | null {
  if (slides.length < fewestSlides) return null;
  const rng = new Rng(seed).fork('slides');
  const draws = Array.from({ length: resamples }, () => slides.map(() => rng.integer(slides.length)));
  const of = (region: 'pooled' | 'extravascular') => {
    // Ranks cannot be merged cheaply, so Spearman's correlation is left out.
    const parts = slides.map((slide): RegionSums => ({ ...slide[region], sampled: [] }));
    const found = draws.map((draw) => {
      const sums = emptyRegion();
      for (const i of draw) mergeRegions(sums, parts[i]);
      return metricsOf(sums, peak);
    });
    return Object.fromEntries(
      names.map((name) => {
        const sorted = Float64Array.from(found.map((block) => block[name])).sort();
        const at = (q: number): number => sorted[Math.round(q * (sorted.length - 1))];
        return [name, { low: at((1 - level) / 2), high: at(1 - (1 - level) / 2) }];
      }),
    );
  };
  return {
    slides: slides.length,
    level,
    resamples,
    pooled: of('pooled'),
    extravascular: of('extravascular'),
  };
}
