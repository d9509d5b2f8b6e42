// Opens the slides of `prepare` and finds out about each what the dataset needs.
import { DataError, throwIfCancelled } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { fingerprintSlide } from '../dataset/fingerprint.ts';
import { type AffineMap, fitMap } from '../dataset/normalisation.ts';
import { needsResampling, resampledSource } from '../dataset/resampled-source.ts';
import { type SlideScan, scanSlide } from '../dataset/scan-slide.ts';
import type { SplitBy } from '../dataset/split.ts';
import { type SlideSurvey, surveySlide } from '../dataset/survey-slide.ts';
import { drawThumbnail } from '../dataset/thumbnail.ts';
import type { TissueMask } from '../dataset/tissue-mask.ts';
import { assignRoles } from '../slide/assign-roles.ts';
import { openSlide } from '../slide/open-slide.ts';
import { requirePixelSize } from '../slide/pixel-size.ts';
import { type DatasetPlan, type PrepareSettings, planeOf } from './plan-dataset.ts';
import type { ListedSlide } from './slide-list.ts';

type Thumbnail = Awaited<ReturnType<typeof drawThumbnail>>;

/** A slide that was opened once and whose form is good. */
export interface Candidate extends ListedSlide {
  readonly group: string;
  readonly pixelSizeUm: number;
  /** Channel indices. */
  readonly inputs: readonly number[];
  readonly target: number;
  /** Role to channel name. */
  readonly channels: Readonly<Record<string, string>>;
}

/** A slide that can be used; exactly one of `ownMaps` and `inputSamples` is there. */
export interface SurveyedSlide extends Candidate {
  readonly width: number;
  readonly height: number;
  readonly fingerprint: string;
  readonly thumbnail: Thumbnail;
  readonly survey: Omit<SlideSurvey, 'inputSamples'>;
  /** Where each slide has maps of its own, one an input. */
  readonly ownMaps: readonly AffineMap[] | undefined;
  /** For fields of one slide, whose maps are fitted together. */
  readonly inputSamples: readonly Float32Array[] | undefined;
}

/** A slide whose content cannot be used, and why. */
export interface ExcludedSlide extends Candidate {
  readonly reason: string;
  readonly thumbnail: Thumbnail;
}

/**
 * Opens every slide and checks its form, before any pixel is read.
 * @throws FileAccessError, FormatError, DataError, UsageError, CancelledError
 */
export async function openCandidates(
  plan: DatasetPlan,
  options: PrepareSettings,
  work: WorkOptions,
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const [i, slide] of plan.slides.entries()) {
    throwIfCancelled(work.signal, 'preparing');
    work.onProgress?.({ stage: 'opening slides', done: i, total: plan.slides.length });
    candidates.push(await openCandidate(slide, plan.groups[i], plan, options));
  }
  return candidates;
}

async function openCandidate(
  slide: ListedSlide,
  group: string,
  { inputRoles, targetRole }: DatasetPlan,
  options: PrepareSettings,
): Promise<Candidate> {
  const source = await openSlide(slide.path, { pixelSizeUm: options.pixelSizeUm, plane: planeOf(options) });
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

/**
 * Surveys slide after slide; only what was found out is kept, never pixels. A slide whose content cannot be used is
 * left out with its reason, unless it is the only one or was named for a split.
 * @throws FormatError, DataError, CancelledError
 */
export async function surveySlides(
  candidates: readonly Candidate[],
  { named, splitBy, inputRoles, targetRole }: DatasetPlan,
  pixelSizeUm: number,
  options: PrepareSettings,
  work: WorkOptions,
): Promise<{ surveyed: SurveyedSlide[]; excluded: ExcludedSlide[] }> {
  const isNamed = new Set([
    ...named.test,
    ...named.calibration,
    ...(Array.isArray(named.validation) ? named.validation : []),
  ]);
  const surveyed: SurveyedSlide[] = [];
  const excluded: ExcludedSlide[] = [];
  for (const [i, candidate] of candidates.entries()) {
    const stage = `reading ${candidate.name} (${i + 1} of ${candidates.length})`;
    const slideWork: WorkOptions = {
      signal: work.signal,
      onProgress: (progress) => work.onProgress?.({ ...progress, stage }),
    };
    let source: PixelSource = await openSlide(candidate.path, {
      pixelSizeUm: options.pixelSizeUm,
      plane: planeOf(options),
    });
    try {
      if (needsResampling(candidate.path, candidate.pixelSizeUm, pixelSizeUm)) {
        source = resampledSource(source, candidate.pixelSizeUm, pixelSizeUm);
      }
      const { inputs, target } = candidate;
      const scan = await scanSlide(source, { inputs, others: [target] }, pixelSizeUm, slideWork);
      const draw = (tissue?: TissueMask) => drawThumbnail(scan, [...inputRoles, targetRole], tissue);
      const found = surveyOf(scan, candidate, splitBy, inputRoles, options);
      if (found instanceof DataError) {
        if (candidates.length === 1 || isNamed.has(i)) throw found;
        excluded.push({ ...candidate, reason: found.message, thumbnail: await draw() });
        continue;
      }
      surveyed.push({
        ...candidate,
        ...found,
        thumbnail: await draw(found.survey.tissue),
        width: source.width,
        height: source.height,
        fingerprint: await fingerprintSlide(candidate.path),
      });
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

/** What the scan says, or why the slide cannot be used. */
function surveyOf(
  scan: SlideScan,
  { path, channels }: Candidate,
  splitBy: SplitBy,
  inputRoles: readonly string[],
  options: PrepareSettings,
): Pick<SurveyedSlide, 'survey' | 'ownMaps' | 'inputSamples'> | DataError {
  try {
    const { inputSamples, ...survey } = surveySlide(scan, options, path);
    if (splitBy === 'field') return { survey, inputSamples, ownMaps: undefined };
    const ownMaps = inputSamples.map((samples, c) => fitMap([samples], channels[inputRoles[c]], path));
    return { survey, inputSamples: undefined, ownMaps };
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
}
