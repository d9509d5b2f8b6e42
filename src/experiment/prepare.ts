// Use case `prepare`: from slides to a dataset, which is a manifest with windows into the slides and their masks.
import { join, relative, resolve, sep } from 'node:path';
import { parseOptions } from '../contract/command.ts';
import { type PrepareOptions, type PrepareResult, prepareCommand } from '../contract/prepare.ts';
import { DataError, throwIfCancelled, UsageError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { fingerprintSlide, isUrl } from '../dataset/fingerprint.ts';
import {
  type DatasetManifest,
  type DatasetSlide,
  manifestVersion,
  writeManifest,
} from '../dataset/manifest.ts';
import { writeMask } from '../dataset/mask-file.ts';
import { targetMap } from '../dataset/normalisation.ts';
import { needsResampling, resampledSource } from '../dataset/resampled-source.ts';
import { assignSplits, type Split, type SplitBy } from '../dataset/split.ts';
import { type SlideSurvey, surveySlide, windowRows } from '../dataset/survey-slide.ts';
import { tissueAreaMm2 } from '../dataset/tissue-mask.ts';
import { assignRoles } from '../slide/assign-roles.ts';
import { openSlide } from '../slide/open-slide.ts';
import { requirePixelSize } from '../slide/pixel-size.ts';
import { checkOutputFolder, type OutputFolder, writeOutputFolder } from './output-folder.ts';
import { findSlide, type ListedSlide, listSlides } from './slide-list.ts';

type Settings = ReturnType<typeof parseOptions<(typeof prepareCommand)['options']>>;

/** What holds for the whole dataset. */
interface Plan {
  readonly slides: readonly ListedSlide[];
  readonly named: { test: number[]; calibration: number[]; validation: number[] | 'none' | undefined };
  readonly groups: readonly string[];
  readonly splitBy: SplitBy;
  readonly inputRoles: readonly string[];
  readonly targetRole: string;
}

/** A slide that was opened once and whose form is good. */
interface Candidate extends ListedSlide {
  readonly group: string;
  readonly pixelSizeUm: number;
  /** Channel indices. */
  readonly inputs: readonly number[];
  readonly target: number;
  /** Role to channel name. */
  readonly channels: Readonly<Record<string, string>>;
}

interface SurveyedSlide extends Candidate {
  readonly width: number;
  readonly height: number;
  readonly fingerprint: string;
  readonly survey: SlideSurvey;
}

/**
 * Makes a dataset. What is wrong with a slide's form (unreadable, a missing channel, no pixel size, too far from
 * the dataset's pixel size) fails before any pixel is read; a slide whose content cannot be used (no tissue, a
 * constant input) is left out with its reason, unless it is the only one or was named for a split.
 * @throws UsageError, FileAccessError, FormatError, DataError, WriteError, CancelledError; nothing is left behind
 */
export async function prepare(given: PrepareOptions, work: WorkOptions = {}): Promise<PrepareResult> {
  const options = parseOptions(prepareCommand, given);
  const plan = planDataset(options);
  const output: OutputFolder = {
    path: options.out,
    marker: 'dataset.json',
    contents: ['dataset.json', 'masks'],
    overwrite: options.overwrite,
  };
  await checkOutputFolder(output);

  const candidates: Candidate[] = [];
  for (const [i, slide] of plan.slides.entries()) {
    throwIfCancelled(work.signal, 'preparing');
    work.onProgress?.({ stage: 'opening slides', done: i, total: plan.slides.length });
    candidates.push(await openCandidate(slide, plan.groups[i], plan, options));
  }
  const pixelSizeUm = options.datasetPixelSizeUm ?? candidates[0].pixelSizeUm;
  const notes = candidates
    .filter((slide) => needsResampling(slide.path, slide.pixelSizeUm, pixelSizeUm))
    .map((slide) => `${slide.name} is resampled from ${slide.pixelSizeUm} to ${pixelSizeUm} um a pixel.`);

  const { surveyed, excluded } = await surveyAll(candidates, plan, pixelSizeUm, options, work);
  const splits = assignSplits(
    surveyed.map(({ name, group, survey }) => ({ name, group, patches: survey.windows.length })),
    renumber(plan, surveyed),
    plan.splitBy,
    options.seed,
  );
  const manifest = makeManifest(surveyed, splits.of, { plan, pixelSizeUm, options, excluded });
  await writeOutputFolder(output, async (folder) => {
    for (const [i, { mask }] of manifest.slides.entries()) {
      await writeMask(join(folder, mask.file), surveyed[i].survey.tissue);
    }
    await writeManifest(folder, manifest);
  });
  return makeResult(manifest, surveyed, options.out, [...notes, ...splits.notes]);
}

function planDataset(options: Settings): Plan {
  const isNone = options.validation?.length === 1 && options.validation[0] === 'none';
  const validation = isNone ? [] : (options.validation ?? []);
  const given = listSlides(options.slides);
  // A slide may be named for a split without being listed again.
  const further = [...options.test, ...options.calibration, ...validation].filter(
    (path, i, all) => findSlide(given, path) < 0 && all.indexOf(path) === i,
  );
  const slides = listSlides([...options.slides, ...further]);
  const indices = (paths: readonly string[]): number[] => paths.map((path) => findSlide(slides, path));
  const grouped = new Map<number, string>();
  for (const [path, animal] of Object.entries(options.groups)) {
    const index = findSlide(slides, path);
    if (index < 0) {
      const known = slides.map(({ name }) => name).join(', ');
      throw new UsageError(`--group ${path}=${animal} names no slide given. The slides are: ${known}.`);
    }
    grouped.set(index, animal);
  }
  const splitBy = options.splitBy ?? (grouped.size > 0 ? 'animal' : 'slide');
  if (splitBy === 'animal') {
    const without = slides.find((_, i) => !grouped.has(i));
    if (without !== undefined) {
      throw new UsageError(
        `the split is by animal, but ${without.name} has none. Add --group ${without.path}=ANIMAL, or --split-by slide.`,
      );
    }
  } else if (grouped.size > 0) {
    throw new UsageError(`--group is for a split by animal, not by ${splitBy}. Leave out one of the two.`);
  }
  const inputRoles = options.inputs ?? [
    ...new Set(['vessel', 'nuclei', ...Object.keys(options.roles).filter((role) => role !== options.target)]),
  ];
  if (inputRoles.includes(options.target)) {
    throw new UsageError(`the role '${options.target}' is the --target and cannot be an --input as well.`);
  }
  return {
    slides,
    named: {
      test: indices(options.test),
      calibration: indices(options.calibration),
      validation: isNone ? 'none' : options.validation === undefined ? undefined : indices(validation),
    },
    groups: slides.map(({ name }, i) => grouped.get(i) ?? name),
    splitBy,
    inputRoles,
    targetRole: options.target,
  };
}

async function openCandidate(
  slide: ListedSlide,
  group: string,
  { inputRoles, targetRole }: Plan,
  options: Settings,
): Promise<Candidate> {
  const source = await openSlide(slide.path, { pixelSizeUm: options.pixelSizeUm });
  try {
    const pixelSizeUm = requirePixelSize(source);
    const wanted = [...inputRoles, targetRole];
    const explicit = Object.entries(options.roles).filter(([role]) => wanted.includes(role));
    const roles = assignRoles(source, wanted, Object.fromEntries(explicit));
    return {
      ...slide,
      group,
      pixelSizeUm,
      inputs: inputRoles.map((role) => roles[role]),
      target: roles[targetRole],
      channels: Object.fromEntries(wanted.map((role) => [role, source.channels[roles[role]].name])),
    };
  } finally {
    await source.close();
  }
}

async function surveyAll(
  candidates: readonly Candidate[],
  { named }: Plan,
  pixelSizeUm: number,
  options: Settings,
  work: WorkOptions,
): Promise<{ surveyed: SurveyedSlide[]; excluded: DatasetManifest['excluded'] }> {
  const isNamed = new Set([
    ...named.test,
    ...named.calibration,
    ...(Array.isArray(named.validation) ? named.validation : []),
  ]);
  const surveyed: SurveyedSlide[] = [];
  const excluded: DatasetManifest['excluded'] = [];
  for (const [i, candidate] of candidates.entries()) {
    const stage = `reading ${candidate.name} (${i + 1} of ${candidates.length})`;
    const slideWork: WorkOptions = {
      signal: work.signal,
      onProgress: (progress) => work.onProgress?.({ ...progress, stage }),
    };
    let source: PixelSource = await openSlide(candidate.path, { pixelSizeUm: options.pixelSizeUm });
    try {
      if (needsResampling(candidate.path, candidate.pixelSizeUm, pixelSizeUm)) {
        source = resampledSource(source, candidate.pixelSizeUm, pixelSizeUm);
      }
      const survey = await surveySlide(source, candidate, { ...options, pixelSizeUm }, slideWork);
      surveyed.push({
        ...candidate,
        width: source.width,
        height: source.height,
        fingerprint: await fingerprintSlide(candidate.path),
        survey,
      });
    } catch (error) {
      if (!(error instanceof DataError) || candidates.length === 1 || isNamed.has(i)) throw error;
      excluded.push({ slide: candidate.path, reason: error.message });
    } finally {
      await source.close();
    }
  }
  if (surveyed.length === 0) {
    throw new DataError(
      `none of the ${candidates.length} slides can be used. The first: ${excluded[0].reason}`,
    );
  }
  return { surveyed, excluded };
}

/** The named splits by index into the slides that are left. */
function renumber({ named, slides }: Plan, surveyed: readonly SurveyedSlide[]): Plan['named'] {
  const left = (indices: number[]): number[] =>
    indices.map((index) => surveyed.findIndex((slide) => slide.path === slides[index].path));
  return {
    test: left(named.test),
    calibration: left(named.calibration),
    validation: Array.isArray(named.validation) ? left(named.validation) : named.validation,
  };
}

function makeManifest(
  surveyed: readonly SurveyedSlide[],
  splitOf: readonly Split[],
  made: { plan: Plan; pixelSizeUm: number; options: Settings; excluded: DatasetManifest['excluded'] },
): DatasetManifest {
  const { plan, pixelSizeUm, options, excluded } = made;
  const isIn = (split: Split) => (_: unknown, i: number) => splitOf[i] === split;
  const windows = (split: Split) =>
    surveyed.flatMap(({ survey }, i) => (splitOf[i] === split ? windowRows(i, survey.windows) : []));
  const training = surveyed.filter(isIn('train'));
  return {
    format: 'hrpn dataset',
    version: manifestVersion,
    createdBy: 'hrpn prepare',
    inputRoles: [...plan.inputRoles],
    targetRole: plan.targetRole,
    pixelSizeUm,
    patch: options.patch,
    minTissue: options.minTissue,
    overlap: options.overlap,
    splitBy: plan.splitBy,
    seed: options.seed,
    targetMap: targetMap(
      training.map(({ survey }) => survey.moments),
      training[0].channels[plan.targetRole],
    ),
    slides: surveyed.map((slide, i) => slideEntry(slide, splitOf[i], plan, options)),
    windows: {
      train: windows('train'),
      validation: windows('validation'),
      calibration: windows('calibration'),
      test: windows('test'),
    },
    excluded,
  };
}

function slideEntry(slide: SurveyedSlide, split: Split, plan: Plan, options: Settings): DatasetSlide {
  const { tissue, inputMaps } = slide.survey;
  return {
    name: slide.name,
    path: slide.path,
    ...(isUrl(slide.path)
      ? {}
      : { relativePath: relative(resolve(options.out), slide.path).split(sep).join('/') }),
    fingerprint: slide.fingerprint,
    width: slide.width,
    height: slide.height,
    pixelSizeUm: slide.pixelSizeUm,
    ...(options.pixelSizeUm === undefined ? {} : { givenPixelSizeUm: options.pixelSizeUm }),
    channels: { ...slide.channels },
    group: slide.group,
    split,
    maps: Object.fromEntries(plan.inputRoles.map((role, i) => [role, inputMaps[i]])),
    mask: {
      file: `masks/${slide.name}.png`,
      cellPx: tissue.cellPx,
      cellsWide: tissue.cellsWide,
      cellsHigh: tissue.cellsHigh,
    },
    tissueAreaMm2: tissueAreaMm2(tissue, slide.survey.scan),
  };
}

function makeResult(
  manifest: DatasetManifest,
  surveyed: readonly SurveyedSlide[],
  out: string,
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
    notes,
    files: [join(out, 'dataset.json'), join(out, 'masks')],
  };
}
