// Use case `prepare`: from slides to a dataset, which is a manifest with windows into the slides and their masks.
import { join } from 'node:path';
import { parseOptions } from '../contract/command.ts';
import { commandArguments, shellText } from '../contract/command-line.ts';
import { type PrepareOptions, type PrepareResult, prepareCommand } from '../contract/prepare.ts';
import type { WorkOptions } from '../core/progress.ts';
import { percentText } from '../core/units.ts';
import { judgeQuality, type QualityWarning } from '../dataset/judge-quality.ts';
import { type DatasetManifest, writeManifest } from '../dataset/manifest.ts';
import { writeMask } from '../dataset/mask-file.ts';
import { needsResampling } from '../dataset/resampled-source.ts';
import { assignSplits } from '../dataset/split.ts';
import { unknownFocus } from './input-look.ts';
import { makeManifest } from './make-manifest.ts';
import { checkOutputFolder, type OutputFolder, writeOutputFolder } from './output-folder.ts';
import { type DatasetPlan, planDataset } from './plan-dataset.ts';
import { openCandidates, type SurveyedSlide, surveySlides } from './survey-slides.ts';
import { reportFiles, writeDatasetReport } from './write-dataset-report.ts';

/**
 * Makes a dataset. What an option can put right (a missing channel, no pixel size, too far from the dataset's pixel
 * size) fails before any pixel is read; a slide that cannot be used (unreadable, damaged, a copy of another, no tissue, a
 * constant input) is left out with its reason, unless it is the only one or was named for a split.
 * @param names of the slides given, in their order, for a dataset made of another one's slides; made from their paths unless given
 * @throws UsageError, FileAccessError, FormatError, DataError, WriteError, CancelledError; nothing is left behind
 */
export async function prepare(
  given: PrepareOptions,
  work: WorkOptions = {},
  names?: readonly string[],
): Promise<PrepareResult> {
  const options = parseOptions(prepareCommand, given);
  const plan = planDataset(options, names);
  const output: OutputFolder = {
    path: options.out,
    marker: 'dataset.json',
    contents: ['dataset.json', 'masks', ...Object.values(reportFiles)],
    overwrite: options.overwrite,
  };
  await checkOutputFolder(output);

  const opened = await openCandidates(plan, options, work);
  const { candidates } = opened;
  const pixelSizeUm = options.datasetPixelSizeUm ?? candidates[0].pixelSizeUm;
  const notes = candidates
    .filter((slide) => needsResampling(slide.path, slide.pixelSizeUm, pixelSizeUm))
    .map((slide) => `${slide.name} is resampled from ${slide.pixelSizeUm} to ${pixelSizeUm} um a pixel.`);
  for (const { name, pixelSizeUm: given, statedPixelSizeUm: stated } of candidates) {
    if (stated !== undefined && Math.abs(stated - given) > 0.01 * given) {
      notes.push(
        `${name} says that its pixels are of ${stated} um; --pixel-size-um ${given} is taken instead.`,
      );
    }
  }

  // What is wrong with the splits that were asked for is said before hours of reading.
  assignSplits(
    candidates.map(({ name, group }) => ({ name, group, patches: 1 })),
    renumber(plan, candidates),
    plan.splitBy,
    options.seed,
  );
  const { surveyed, excluded } = await surveySlides(opened, plan, pixelSizeUm, options, work);
  const splits = assignSplits(
    surveyed.map(({ name, group, survey }) => ({ name, group, patches: survey.windows.length })),
    renumber(plan, surveyed),
    plan.splitBy,
    options.seed,
  );
  if (plan.splitBy === 'field') {
    notes.push(
      'The fields are taken for parts of one slide: their inputs share one normalisation, fitted on the training fields together, and results on them are within-slide.',
    );
  }
  const manifest = makeManifest(surveyed, splits.of, { plan, pixelSizeUm, options, excluded });
  const dropped = surveyed.reduce((sum, { survey }) => sum + survey.dropped, 0);
  if (dropped > 0) {
    const share =
      options.minTissue === 0 ? 'no tissue' : `less than ${percentText(options.minTissue)} tissue`;
    const windows = dropped === 1 ? '1 patch window holds' : `${dropped} patch windows hold`;
    notes.push(`${windows} ${share} (--min-tissue) and ${dropped === 1 ? 'is' : 'are'} left out.`);
  }
  notes.push(...unknownFocus(manifest));
  const roles = [...plan.inputRoles, plan.targetRole];
  const warnings = judgeQuality(
    surveyed.map(({ name, width, height, survey }) => ({
      name,
      widthPx: width,
      heightPx: height,
      quality: survey.quality,
    })),
    roles,
    plan.splitBy === 'field',
  );
  const allNotes = [...notes, ...splits.notes];
  await writeOutputFolder(output, async (folder) => {
    for (const [i, { mask }] of manifest.slides.entries()) {
      await writeMask(join(folder, mask.file), surveyed[i].survey.tissue);
    }
    const commandLine = shellText(commandArguments(prepareCommand, given));
    const findings = { manifest, surveyed, excluded, warnings, notes: allNotes, commandLine };
    await writeDatasetReport(folder, findings);
    await writeManifest(folder, manifest);
  });
  return makeResult(manifest, surveyed, options.out, warnings, allNotes);
}

/** The named splits by index into the slides that are left. */
function renumber({ named, slides }: DatasetPlan, there: readonly { path: string }[]): DatasetPlan['named'] {
  const left = (indices: number[]): number[] =>
    indices.map((index) => there.findIndex((slide) => slide.path === slides[index].path));
  return {
    test: left(named.test),
    calibration: left(named.calibration),
    validation: Array.isArray(named.validation) ? left(named.validation) : named.validation,
  };
}

function makeResult(
  manifest: DatasetManifest,
  surveyed: readonly SurveyedSlide[],
  out: string,
  warnings: readonly QualityWarning[],
  notes: string[],
): PrepareResult {
  const { windows } = manifest;
  return {
    dataset: out,
    splitBy: manifest.splitBy,
    patches: {
      train: windows.train.length,
      validation: windows.validation.length,
      calibration: windows.calibration.length,
      test: windows.test.length,
    },
    slides: manifest.slides.map((slide, i) => ({
      name: slide.name,
      path: slide.path,
      split: slide.split,
      group: slide.group,
      width: slide.width,
      height: slide.height,
      pixelSizeUm: slide.pixelSizeUm,
      channels: slide.channels,
      tissueAreaMm2: slide.tissueAreaMm2,
      patches: surveyed[i].survey.windows.length,
      patchesDropped: surveyed[i].survey.dropped,
    })),
    excluded: manifest.excluded,
    warnings: [...warnings],
    notes,
    files: [reportFiles.report, 'dataset.json', 'masks', reportFiles.figures].map((file) => join(out, file)),
  };
}
