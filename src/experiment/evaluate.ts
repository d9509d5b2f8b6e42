// Use case `evaluate`: how well a model, or a predicted slide, agrees with what was measured.
import { join } from 'node:path';
import { flagOf, parseOptions } from '../contract/command.ts';
import { commandArguments, shellText } from '../contract/command-line.ts';
import { type EvaluateOptions, type EvaluateResult, evaluateCommand } from '../contract/evaluate.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { DataError, UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { bootstrapSlides } from '../evaluation/bootstrap-slides.ts';
import { emptyRegion, mergeRegions, metricsOf, type RegionSums } from '../evaluation/metric-block.ts';
import { profileBand } from '../evaluation/profile-band.ts';
import { evaluateModel } from './evaluate-model.ts';
import { evaluatePair } from './evaluate-pair.ts';
import { writeEvaluationReport } from './evaluate-report.ts';
import type { SlideEvaluation } from './evaluate-slide.ts';
import type { EvaluateSettings, Evaluation } from './evaluation.ts';
import { checkOutputFolder, writeOutputFolder } from './output-folder.ts';
import { readCeiling } from './read-ceilings.ts';

const evaluationContents = ['report.html', 'metrics.json', 'figures', 'predictions'] as const;

/**
 * @throws UsageError, FileAccessError, FormatError, DataError, ModelError, EngineError, WriteError, CancelledError
 */
export async function evaluate(given: EvaluateOptions, work: WorkOptions = {}): Promise<EvaluateResult> {
  const options = parseOptions(evaluateCommand, given);
  const found = (['model', 'dataset', 'prediction', 'slide'] as const)
    .filter((key) => options[key] !== undefined)
    .join(', ');
  const isPair = found === 'prediction, slide';
  const isModel = found === 'model, dataset';
  if (!isPair && !isModel) {
    throw new UsageError(
      `evaluate takes either MODEL and DATASET, or --prediction P and --slide S; found ${found || 'none of them'}.`,
    );
  }
  if (isPair && options.split !== undefined) {
    throw new UsageError(
      '--split is for MODEL and DATASET. A prediction is scored on its one slide; leave it out.',
    );
  }
  if (isPair && options.threads !== undefined) {
    throw new UsageError('--threads is for MODEL and DATASET. A prediction is only scored; leave it out.');
  }
  const ofPair = (['pixelSizeUm', 'z', 't'] as const).find((key) => options[key] !== undefined);
  if (isModel && ofPair !== undefined) {
    throw new UsageError(
      `${flagOf(ofPair)} is for --prediction and --slide. A dataset knows it of each slide; leave it out.`,
    );
  }
  const unused = Object.keys(options.roles).find((role) => role !== 'vessel');
  if (isModel && unused !== undefined) {
    throw new UsageError(
      `--role ${unused}=... is for --prediction and --slide. A dataset knows its channels, only the role vessel can be given; leave it out.`,
    );
  }
  const measure = isPair ? evaluatePair : evaluateModel;
  const { out } = options;
  if (out === undefined) return resultOf(options, await measure(options, undefined, work));
  const output = {
    path: out,
    marker: 'metrics.json',
    contents: evaluationContents,
    overwrite: options.overwrite,
  };
  await checkOutputFolder(output);
  return writeOutputFolder(output, async (folder) => {
    const evaluation = await measure(options, folder, work);
    const files = ['report.html', ...evaluation.files, 'metrics.json'];
    const result = {
      ...(await resultOf(options, evaluation)),
      files: files.map((file) => join(out, file)),
    };
    await writeEvaluationReport(
      folder,
      result,
      evaluation.files,
      shellText(commandArguments(evaluateCommand, options)),
    );
    await writeFileAtomic(join(folder, 'metrics.json'), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  });
}

async function resultOf(options: EvaluateSettings, evaluation: Evaluation): Promise<EvaluateResult> {
  const { scores, peak } = evaluation;
  const blocks = (of: 'comparison' | 'floor', chosen: readonly SlideEvaluation[]) => {
    const merged = (region: 'pooled' | 'extravascular') => {
      const sums: RegionSums = emptyRegion();
      for (const score of chosen) mergeRegions(sums, score[of][region]);
      return { ...metricsOf(sums, peak) };
    };
    return { pooled: merged('pooled'), extravascular: merged('extravascular') };
  };
  const all = blocks('comparison', scores);
  const ceiling =
    options.target === 'measured' && !evaluation.isResampled
      ? await readCeiling(evaluation.slidePaths)
      : null;
  return {
    target: options.target,
    withinSlide: evaluation.withinSlide,
    ...all,
    perSlide: scores.map((score) => ({
      slide: score.name,
      group: score.group,
      ...blocks('comparison', [score]),
      derived: { ...score.derived },
      profile: [...score.profile],
      spectrum: score.spectrum,
    })),
    perAnimal: [...new Set(scores.map(({ group }) => group))].map((animal) => {
      const own = scores.filter(({ group }) => group === animal);
      return { animal, slides: own.length, ...blocks('comparison', own) };
    }),
    profile: profileBand(scores),
    bootstrap: bootstrapSlides(
      scores.map(({ comparison }) => comparison),
      peak,
    ),
    floor: { ...blocks('floor', scores), constant: evaluation.floorIs },
    ceiling: ceiling && { ...ceiling },
    coverage: evaluation.coverage,
    derivedCoverage: evaluation.derivedCoverage,
    peak,
    notes: [...evaluation.notes, ...leftOutNotes(all.pooled)],
    files: [],
  };
}

/** @throws DataError where no pixel is left to be scored */
function leftOutNotes({
  pixels,
  pixelsNotFinite,
}: Pick<EvaluateResult['pooled'], 'pixels' | 'pixelsNotFinite'>): string[] {
  if (pixelsNotFinite === 0) return [];
  const all = (pixels + pixelsNotFinite).toLocaleString('en');
  if (pixels === 0) {
    throw new DataError(
      `none of the ${all} pixels of tissue has both a measured and a predicted value that is a finite number: there is nothing to score. Check the prediction and the channel of the probe.`,
    );
  }
  return [
    `${pixelsNotFinite.toLocaleString('en')} of the ${all} pixels of tissue are left out: measured or predicted, they are no finite number.`,
  ];
}
