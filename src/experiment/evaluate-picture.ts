// The picture of an evaluated slide: measured, predicted and the difference.
import { join } from 'node:path';
import type { PixelSource } from '../core/pixel-source.ts';
import { channelOf, type Region } from '../core/raster.ts';
import { metricsOf } from '../evaluation/metric-block.ts';
import { writeComparisonFigure } from '../report/comparison-figure.ts';
import type { EvaluatedPair, SlideEvaluation } from './evaluate-slide.ts';

/** Edge of the region shown, in pixels: enough for tissue, small enough for detail. */
const figurePx = 1200;

/** Draws the middle of the slide, or all of a small one. @returns the file's path in the folder `out` */
export async function drawComparison(
  pair: EvaluatedPair,
  score: SlideEvaluation,
  out: string,
): Promise<string> {
  const { measured, predicted } = pair;
  const [width, height] = [Math.min(figurePx, measured.width), Math.min(figurePx, measured.height)];
  const region: Region = {
    x: Math.floor((measured.width - width) / 2),
    y: Math.floor((measured.height - height) / 2),
    width,
    height,
  };
  const field = async (source: PixelSource, channel: number) => ({
    data: channelOf(await source.read(region, [channel]), 0),
    width,
    height,
  });
  const file = join('figures', `${pair.name}.png`);
  const { r2, rmse } = metricsOf(score.comparison.pooled, pair.peak);
  const outside = metricsOf(score.comparison.extravascular, pair.peak);
  const part = width < measured.width || height < measured.height ? ' (the middle of it is shown)' : '';
  await writeComparisonFigure(join(out, file), {
    measured: await field(measured, pair.measuredChannel),
    predicted: await field(predicted, pair.predictedChannel),
    pixelSizeUm: pair.pixelSizeUm,
    title: pair.name,
    subtitle: `whole slide${part}: R² ${r2.toFixed(3)}, RMSE ${rmse.toPrecision(3)}; extravascular R² ${outside.r2.toFixed(3)}`,
    quantity: `${measured.channels[pair.measuredChannel].name}, stored units`,
  });
  return file;
}
