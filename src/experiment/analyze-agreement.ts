// Agreement of a measured and a predicted probe: pixel by pixel, over cells (Bland and Altman 1986), of the distances.
import type { AnalyzeResult } from '../contract/analyze.ts';
import type { WorkOptions } from '../core/progress.ts';
import { compareSlide } from '../evaluation/compare-slide.ts';
import { metricsOf } from '../evaluation/metric-block.ts';
import { icc } from '../evaluation/metrics/icc.ts';
import { addRow, emptyMoments } from '../evaluation/pair-moments.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import type { ProbeImage, SpaceSums } from '../spatial/space-sums.ts';
import { hasVessels, type ProbeMeasures } from './analyze-measures.ts';

/** Means of the cells as they are: to take off each image's own background would hide an offset of the prediction. */
export function cellIntensities({ cellMeans, extravasation }: ProbeMeasures): Float64Array {
  return Float64Array.from(cellMeans, (mean) => mean + extravasation.background);
}

export async function agreementOf(
  measured: ProbeImage,
  predicted: ProbeImage,
  tissue: BitMask,
  vessels: BitMask,
  sums: SpaceSums,
  a: ProbeMeasures,
  b: ProbeMeasures,
  pixelSizeUm: number,
  beyondUm: number,
  work: WorkOptions,
): Promise<AnalyzeResult['agreement']> {
  const { pooled, extravascular } = await compareSlide(
    {
      measured: measured.source,
      measuredChannel: measured.channel,
      predicted: predicted.source,
      predictedChannel: predicted.channel,
      tissue,
      vessels,
      pixelSizeUm,
      beyondUm,
      dataRange: 255,
    },
    work,
  );
  const [all, outside] = [metricsOf(pooled, 255), metricsOf(extravascular, 255)];
  const moments = emptyMoments();
  const known: number[] = [];
  for (let i = 0; i < a.cellMeans.length; i++)
    if (Number.isFinite(a.cellMeans[i] + b.cellMeans[i])) known.push(i);
  const [measuredCells, predictedCells] = [a, b].map(cellIntensities);
  const pick = (cells: Float64Array): Float32Array => Float32Array.from(known, (i) => cells[i]);
  addRow(moments, pick(measuredCells), pick(predictedCells));
  const bias = moments.meanPredicted - moments.meanMeasured;
  const spread = moments.measuredSquares + moments.predictedSquares - 2 * moments.products;
  const sd = Math.sqrt(Math.max(0, spread) / (moments.count - 1));
  const distances: Record<string, { value: number; predicted: number }> = {};
  for (const key of ['meanUm', 'medianUm', 'p90Um', 'halfDistanceUm'] as const)
    distances[key] = { value: a.extravasation[key], predicted: b.extravasation[key] };
  return {
    pixels: {
      r2: all.r2,
      rmse: all.rmse,
      icc: all.icc,
      pearson: all.pearson,
      spearman: all.spearman,
      bias: all.bias,
      extravascularR2: hasVessels(sums) ? outside.r2 : Number.NaN,
      extravascularIcc: hasVessels(sums) ? outside.icc : Number.NaN,
    },
    cells: {
      cellUm: sums.cells.edgePx * pixelSizeUm,
      n: moments.count,
      icc: icc(moments),
      bias,
      low: bias - 1.96 * sd,
      high: bias + 1.96 * sd,
    },
    distances,
  };
}
