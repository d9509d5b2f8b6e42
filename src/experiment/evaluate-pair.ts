// Evaluates a predicted slide against the slide that it was predicted from.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { scanSlide } from '../dataset/scan-slide.ts';
import { findTissue, tissueAreaMm2 } from '../dataset/tissue-mask.ts';
import { Coverage } from '../evaluation/coverage.ts';
import { rolesOf } from '../slide/assign-roles.ts';
import { openSlide } from '../slide/open-slide.ts';
import { requirePixelSize } from '../slide/pixel-size.ts';
import { DerivedCoverage, unlikeCalibration } from './derived-intervals.ts';
import { drawComparison } from './evaluate-picture.ts';
import { type EvaluatedPair, evaluateSlide } from './evaluate-slide.ts';
import { findVessels, openTarget } from './evaluate-target.ts';
import {
  coverageLevel,
  type EvaluateSettings,
  type Evaluation,
  intervalsAreForMeasured,
  isScored,
} from './evaluation.ts';
import { strangerNote } from './prediction-record.ts';
import { peakOf } from './score-slide.ts';
import { matchPixelSize, openPrediction } from './slide-layers.ts';

/** @param out folder for what is to be kept; undefined where nothing is */
export async function evaluatePair(
  options: EvaluateSettings,
  out: string | undefined,
  work: WorkOptions,
): Promise<Evaluation> {
  const [slidePath, predictionPath] = [options.slide as string, options.prediction as string];
  const opened: PixelSource[] = [];
  try {
    const stored = await openSlide(slidePath, {
      pixelSizeUm: options.pixelSizeUm,
      plane: { z: options.z, t: options.t },
    });
    opened.push(stored);
    const prediction = await openPrediction(predictionPath, 'probe');
    const { source: predicted, interval, record } = prediction;
    opened.push(predicted);
    const notes = [...record.warnings];
    const stranger = await strangerNote(record, slidePath);
    if (stranger !== undefined) notes.push(stranger);
    const matched = matchPixelSize(stored, requirePixelSize(stored), predicted);
    const { source: slide, pixelSizeUm } = matched;
    if (matched.note !== undefined) notes.push(matched.note);
    const isMeasured = options.target === 'measured';
    const tally = interval && isScored(interval) && isMeasured ? new Coverage(coverageLevel) : undefined;
    if (interval && !isMeasured) notes.push(intervalsAreForMeasured);
    if (interval && !isScored(interval)) {
      notes.push(
        `The prediction carries intervals of level ${interval.level}; how often they hold is counted for ${coverageLevel} only.`,
      );
    }
    const vessel = findVessels(slide, options.roles, notes);
    const target = await openTarget(slide, slidePath, options, opened);
    const inputs = rolesOf(slide, options.roles).flatMap((role, i) =>
      role === undefined || role === 'probe' || i === target.slideChannel ? [] : [i],
    );
    if (inputs.length === 0) {
      inputs.push(target.slideChannel);
      notes.push(
        `No stain is known on ${slide.path}: where the tissue is was told from the probe. Name the stains with --role.`,
      );
    }
    const scan = await scanSlide(slide, { inputs }, pixelSizeUm, work);
    const tissue = findTissue(scan, inputs.length, slide.path);
    const pair: EvaluatedPair = {
      name: nameOf(slidePath),
      measured: target.source,
      measuredChannel: target.channel,
      predicted,
      predictedChannel: prediction.channel,
      vessel,
      inputs: { source: slide, channels: inputs },
      tissue,
      pixelSizeUm,
      peak: await peakOf([{ source: slide, channel: target.slideChannel }], work),
      coverage: tally && interval && { tally, ends: [interval.lower, interval.upper] },
    };
    const unlike = record.derivedIntervals && unlikeCalibration(record, tissueAreaMm2(tissue, scan));
    if (unlike !== undefined) notes.push(`No intervals of distances and shares: ${unlike}`);
    const ofDerived =
      isMeasured && record.derivedIntervals && unlike === undefined
        ? new DerivedCoverage(record.derivedIntervals, coverageLevel)
        : undefined;
    const found = await evaluateSlide(pair, work);
    const score = ofDerived ? { ...found, derived: ofDerived.add(found.derived) } : found;
    return {
      scores: [score],
      slidePaths: [slidePath],
      isResampled: matched.source !== stored,
      peak: pair.peak,
      floorIs: "the slide's own mean",
      withinSlide: record.isWithinSlide,
      coverage: tally ? tally.table() : null,
      derivedCoverage: ofDerived ? ofDerived.table() : null,
      notes,
      files: out === undefined ? [] : [await drawComparison(pair, score, out)],
    };
  } finally {
    await Promise.all(opened.map((source) => source.close()));
  }
}

const nameOf = (path: string): string =>
  path
    .split(/[\\/]/)
    .filter(Boolean)
    .at(-1)
    ?.replace(/\.(ome\.)?(tiff?|zarr)$/i, '') ?? path;
