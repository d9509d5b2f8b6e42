// Use case `evaluate`: how well a model, or a predicted slide, agrees with what was measured.
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flagOf, parseOptions } from '../contract/command.ts';
import { type EvaluateOptions, type EvaluateResult, evaluateCommand } from '../contract/evaluate.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { DataError, FileAccessError, UsageError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf, type Region } from '../core/raster.ts';
import { type Dataset, openDataset } from '../dataset/open-dataset.ts';
import { needsResampling, resampledSource } from '../dataset/resampled-source.ts';
import { scanSlide } from '../dataset/scan-slide.ts';
import { findTissue } from '../dataset/tissue-mask.ts';
import { bootstrapSlides } from '../evaluation/bootstrap-slides.ts';
import { Coverage } from '../evaluation/coverage.ts';
import { emptyRegion, mergeRegions, metricsOf, type RegionSums } from '../evaluation/metric-block.ts';
import { profileBand } from '../evaluation/profile-band.ts';
import { type ModelFile, readModelFile } from '../model/model-file.ts';
import { writeComparisonFigure } from '../report/comparison-figure.ts';
import { assignRoles, rolesOf } from '../slide/assign-roles.ts';
import { openSlide } from '../slide/open-slide.ts';
import { requirePixelSize } from '../slide/pixel-size.ts';
import { DerivedCoverage } from './derived-intervals.ts';
import { writeEvaluationReport } from './evaluate-report.ts';
import { type EvaluatedPair, evaluateSlide, type SlideEvaluation } from './evaluate-slide.ts';
import { checkOutputFolder, writeOutputFolder } from './output-folder.ts';
import { writePrediction } from './predict.ts';
import { readCeiling, truthFolder } from './read-ceilings.ts';
import { peakOf } from './score-slide.ts';
import { findVesselChannel, matchPixelSize, openPrediction } from './slide-layers.ts';

type Settings = ReturnType<typeof parseOptions<(typeof evaluateCommand)['options']>>;

/** Level of the intervals whose coverage is measured. */
const coverageLevel = 0.9;
const isScored = ({ level }: { readonly level: number }): boolean => Math.abs(level - coverageLevel) < 1e-9;
const intervalsAreForMeasured =
  'Intervals are for what is measured: how often they hold is not counted against the noise-free truth.';
/** Edge of the region shown, in pixels: enough for tissue, small enough for detail. */
const figurePx = 1200;

const evaluationContents = ['report.html', 'metrics.json', 'figures', 'predictions'] as const;

interface Evaluation {
  readonly scores: readonly SlideEvaluation[];
  readonly slidePaths: readonly string[];
  /** What the truth beside the slides says is at their own pixel size. */
  readonly isResampled: boolean;
  readonly peak: number;
  readonly floorIs: string;
  readonly withinSlide: boolean;
  readonly coverage: EvaluateResult['coverage'];
  readonly derivedCoverage: EvaluateResult['derivedCoverage'];
  readonly notes: readonly string[];
  /** In the output folder. */
  readonly files: readonly string[];
}

/**
 * @throws UsageError, FileAccessError, FormatError, DataError, ModelError, EngineError, WriteError, CancelledError
 */
export async function evaluate(given: EvaluateOptions, work: WorkOptions = {}): Promise<EvaluateResult> {
  const options = parseOptions(evaluateCommand, given);
  const isPair = options.prediction !== undefined && options.slide !== undefined;
  const isModel = options.model !== undefined && options.dataset !== undefined;
  if (isPair === isModel || (isPair && options.model !== undefined)) {
    throw new UsageError(
      'evaluate takes either MODEL and DATASET, or --prediction P and --slide S; found ' +
        `${['model', 'dataset', 'prediction', 'slide'].filter((key) => options[key as keyof Settings] !== undefined).join(', ') || 'none of them'}.`,
    );
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
    await writeEvaluationReport(folder, result, evaluation.files);
    await writeFileAtomic(join(folder, 'metrics.json'), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  });
}

/** @param out folder for what is to be kept; undefined where nothing is */
async function evaluatePair(
  options: Settings,
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
    const { source: predicted, interval } = prediction;
    opened.push(predicted);
    const notes: string[] = [];
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
    const score = await evaluateSlide(pair, work);
    return {
      scores: [score],
      slidePaths: [slidePath],
      isResampled: matched.note !== undefined,
      peak: pair.peak,
      floorIs: "the slide's own mean",
      withinSlide: false,
      coverage: tally ? tally.table() : null,
      derivedCoverage: null,
      notes,
      files: out === undefined ? [] : [await drawComparison(pair, score, out)],
    };
  } finally {
    await Promise.all(opened.map((source) => source.close()));
  }
}

/** @param out folder for what is to be kept; undefined where nothing is */
async function evaluateModel(
  options: Settings,
  out: string | undefined,
  work: WorkOptions,
): Promise<Evaluation> {
  const model = await readModelFile(options.model as string);
  const dataset = await openDataset(options.dataset as string);
  const folder = out ?? (await mkdtemp(join(tmpdir(), 'hrpn-evaluate-')));
  try {
    const { manifest } = dataset;
    requireSameTask(model, dataset);
    const chosen = dataset.slides.filter(({ entry }) => entry.split === options.split);
    if (chosen.length === 0) {
      throw new DataError(
        `the dataset ${options.dataset} has no ${options.split} slides. Run \`hrpn prepare\` with --${options.split} SLIDE, or choose another with --split.`,
      );
    }
    const isMeasured = options.target === 'measured';
    const interval = isMeasured ? model.manifest.intervals?.find(isScored) : undefined;
    const tally = interval && new Coverage(coverageLevel);
    const { derivedIntervals } = model.manifest;
    const ofDerived =
      isMeasured && derivedIntervals ? new DerivedCoverage(derivedIntervals, coverageLevel) : undefined;
    const scores: SlideEvaluation[] = [];
    const files: string[] = [];
    const notes = new Set<string>();
    if (!isMeasured && model.manifest.intervals) notes.add(intervalsAreForMeasured);
    const peak = await peakOf(
      chosen.map(({ source, targetChannel }) => ({ source, channel: targetChannel })),
      work,
    );
    for (const [i, slide] of chosen.entries()) {
      const { entry, source } = slide;
      const stage = `slide ${i + 1} of ${chosen.length}, ${entry.name}`;
      const slideWork: WorkOptions = {
        signal: work.signal,
        onProgress: (progress) => work.onProgress?.({ ...progress, stage: `${stage}: ${progress.stage}` }),
      };
      const file = join('predictions', `${entry.name}.ome.tif`);
      const path = join(folder, file);
      const made = await writePrediction(
        {
          model: options.model as string,
          slide: source.path,
          out: path,
          roles: Object.fromEntries(
            [...model.manifest.roles, ...(model.manifest.derived ? ['nuclei'] : [])].flatMap((role) =>
              entry.channels[role] ? [[role, entry.channels[role]]] : [],
            ),
          ),
          pixelSizeUm: entry.givenPixelSizeUm,
          ...entry.plane,
          interval: interval && coverageLevel,
          threads: options.threads,
        },
        slideWork,
      );
      for (const note of made.notes) notes.add(note);
      if (out !== undefined) files.push(file);
      const opened: PixelSource[] = [];
      try {
        const stored = await openSlide(path);
        opened.push(stored);
        const found: string[] = [];
        const vessel = findVessels(source, { ...entry.channels, ...options.roles }, found);
        for (const note of found) notes.add(note);
        const target = await openTarget(source, source.path, options, opened, slide.targetChannel);
        const pair: EvaluatedPair = {
          name: entry.name,
          group: entry.group,
          measured: target.source,
          measuredChannel: target.channel,
          predicted: stored,
          predictedChannel: 0,
          vessel,
          inputs: { source, channels: slide.inputChannels },
          tissue: slide.mask,
          pixelSizeUm: manifest.pixelSizeUm,
          peak,
          constant: manifest.targetMap.offset,
          coverage: tally && { tally, ends: [1, 2] },
        };
        const score = await evaluateSlide(pair, slideWork);
        scores.push(ofDerived ? { ...score, derived: ofDerived.add(score.derived) } : score);
        if (out !== undefined) files.push(await drawComparison(pair, score, out));
      } finally {
        await Promise.all(opened.map((each) => each.close()));
      }
    }
    return {
      scores,
      slidePaths: chosen.map(({ source }) => source.path),
      isResampled: chosen.some(({ entry, source }) =>
        needsResampling(source.path, entry.pixelSizeUm, manifest.pixelSizeUm),
      ),
      peak,
      floorIs: 'the mean of the training slides',
      withinSlide: manifest.splitBy === 'field',
      coverage: tally ? tally.table() : null,
      derivedCoverage: ofDerived ? ofDerived.table() : null,
      notes: [...notes],
      files,
    };
  } finally {
    await dataset.close();
    if (out === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** What would otherwise show only after a whole slide was predicted, or not at all. */
function requireSameTask({ path, manifest: of }: ModelFile, { folder, manifest }: Dataset): void {
  if (needsResampling(folder, manifest.pixelSizeUm, of.pixelSizeUm)) {
    throw new DataError(
      `the model ${path} works at ${of.pixelSizeUm} um a pixel, and the dataset ${folder} is at ${manifest.pixelSizeUm}. Prepare the dataset with --dataset-pixel-size-um ${of.pixelSizeUm}.`,
    );
  }
  if (of.targetRole !== manifest.targetRole) {
    throw new DataError(
      `the model ${path} predicts ${of.targetRole}, and the target of the dataset ${folder} is ${manifest.targetRole}. Prepare the dataset with --target ${of.targetRole}.`,
    );
  }
}

/** The vessel channel; says what follows where there is none. */
function findVessels(
  source: PixelSource,
  roles: Readonly<Record<string, string>>,
  notes: string[],
): EvaluatedPair['vessel'] {
  const channel = findVesselChannel(source, roles);
  if (channel !== undefined) return { source, channel };
  notes.push(`No vessel channel is known on ${source.path}: all tissue counts as extravascular.`);
  return undefined;
}

interface Target {
  readonly source: PixelSource;
  readonly channel: number;
  /** The measured channel of the slide itself, whose sample type gives the peak. */
  readonly slideChannel: number;
}

/** What the prediction is scored against: the slide's own probe, or the noise-free truth beside a simulated slide. */
async function openTarget(
  slide: PixelSource,
  path: string,
  options: Settings,
  opened: PixelSource[],
  probe: number = assignRoles(
    slide,
    ['probe'],
    options.roles.probe ? { probe: options.roles.probe } : {},
  ).probe,
): Promise<Target> {
  if (options.target === 'measured') return { source: slide, channel: probe, slideChannel: probe };
  const truth = join(truthFolder(path), 'expected.ome.tif');
  if (
    !(await access(truth).then(
      () => true,
      () => false,
    ))
  ) {
    throw new FileAccessError(
      truth,
      `--target expected: ${path} has no noise-free truth beside it (looked for ${truth}). Only slides made by \`hrpn simulate\` have one; leave out --target.`,
    );
  }
  let source: PixelSource = await openSlide(truth);
  const [own, wanted] = [requirePixelSize(source), requirePixelSize(slide)];
  if (needsResampling(truth, own, wanted)) source = resampledSource(source, own, wanted);
  opened.push(source);
  return { source, channel: 0, slideChannel: probe };
}

const nameOf = (path: string): string =>
  path
    .split(/[\\/]/)
    .filter(Boolean)
    .at(-1)
    ?.replace(/\.(ome\.)?(tiff?|zarr)$/i, '') ?? path;

/** Draws the middle of the slide, or all of a small one. @returns the file's path in the folder `out` */
async function drawComparison(pair: EvaluatedPair, score: SlideEvaluation, out: string): Promise<string> {
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

async function resultOf(options: Settings, evaluation: Evaluation): Promise<EvaluateResult> {
  const { scores, peak } = evaluation;
  const blocks = (of: 'comparison' | 'floor', chosen: readonly SlideEvaluation[]) => {
    const merged = (region: 'pooled' | 'extravascular') => {
      const sums: RegionSums = emptyRegion();
      for (const score of chosen) mergeRegions(sums, score[of][region]);
      return { ...metricsOf(sums, peak) };
    };
    return { pooled: merged('pooled'), extravascular: merged('extravascular') };
  };
  const ceiling =
    options.target === 'measured' && !evaluation.isResampled
      ? await readCeiling(evaluation.slidePaths)
      : null;
  return {
    target: options.target,
    withinSlide: evaluation.withinSlide,
    ...blocks('comparison', scores),
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
    notes: [...evaluation.notes],
    files: [],
  };
}
