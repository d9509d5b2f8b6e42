// Opens the slides of `prepare` and finds out about each what the dataset needs.
import { DataError, FormatError, throwIfCancelled } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { fingerprintSlide } from '../dataset/fingerprint.ts';
import { measureFocus } from '../dataset/focus.ts';
import { fitStain, type StainFit, type StainSamples } from '../dataset/normalisation.ts';
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
  readonly fingerprint: string;
  /** What the file says, where the user said something else. */
  readonly statedPixelSizeUm: number | undefined;
}

/** A slide that can be used; exactly one of `stains` and `inputSamples` is there. */
export interface SurveyedSlide extends Candidate {
  readonly width: number;
  readonly height: number;
  readonly thumbnail: Thumbnail;
  readonly survey: Omit<SlideSurvey, 'inputSamples'>;
  /** One an input, where each slide has its own maps. */
  readonly stains: readonly StainFit[] | undefined;
  /** One an input, where each slide is brought to one focus. */
  readonly spectra: readonly (number[] | null)[] | undefined;
  /** For fields of one slide, which are fitted together. */
  readonly inputSamples: readonly StainSamples[] | undefined;
}

/** A slide that cannot be used, and why. */
export interface ExcludedSlide extends ListedSlide {
  readonly reason: string;
  /** Undefined where nothing of it can be read. */
  readonly thumbnail: Thumbnail | undefined;
}

/** A copy of another slide, by its name; it looks the same. */
interface Copy extends ListedSlide {
  readonly of: string;
}

/** What can be surveyed, and what need not be. */
export interface OpenedSlides {
  readonly candidates: readonly Candidate[];
  readonly unreadable: readonly ExcludedSlide[];
  readonly copies: readonly Copy[];
}

/**
 * Opens every slide and checks its form, before any pixel is read. A file that cannot be read as a slide, and a copy of
 * another slide, are left out, unless they are named for a split.
 * @throws FileAccessError, FormatError, DataError, UsageError, CancelledError
 */
export async function openCandidates(
  plan: DatasetPlan,
  options: PrepareSettings,
  work: WorkOptions,
): Promise<OpenedSlides> {
  const candidates: Candidate[] = [];
  const unreadable: ExcludedSlide[] = [];
  for (const [i, slide] of plan.slides.entries()) {
    throwIfCancelled(work.signal, 'preparing');
    work.onProgress?.({ stage: 'opening slides', done: i, total: plan.slides.length });
    try {
      candidates.push(await openCandidate(slide, plan.groups[i], plan, options));
    } catch (error) {
      if (!(error instanceof FormatError) || isNeeded(slide, plan)) throw error;
      unreadable.push({ ...slide, reason: error.message, thumbnail: undefined });
    }
  }
  if (candidates.length === 0) throw noneLeft(plan, unreadable);
  return { unreadable, ...withoutCopies(candidates, plan) };
}

/** The same pixels in two splits would be a leak, and twice in one a weight that nobody asked for. */
function withoutCopies(all: readonly Candidate[], plan: DatasetPlan): Omit<OpenedSlides, 'unreadable'> {
  const kept = new Map<string, Candidate>();
  for (const slide of all) {
    const other = kept.get(slide.fingerprint);
    if (other !== undefined && isNeeded(other, plan) && isNeeded(slide, plan)) {
      throw new DataError(
        `${slide.path} is a copy of ${other.path}, and both are named for a split. Name one of them.`,
      );
    }
    if (other === undefined || isNeeded(slide, plan)) kept.set(slide.fingerprint, slide);
  }
  const isKept = (slide: Candidate): boolean => kept.get(slide.fingerprint) === slide;
  return {
    candidates: all.filter(isKept),
    copies: all
      .filter((slide) => !isKept(slide))
      .map(({ path, name, fingerprint }) => ({ path, name, of: kept.get(fingerprint)!.name })),
  };
}

/** Whether a slide is the only one, or was named for a split. */
function isNeeded({ path }: ListedSlide, { slides, named }: DatasetPlan): boolean {
  const validation = Array.isArray(named.validation) ? named.validation : [];
  const isNamed = [...named.test, ...named.calibration, ...validation].some((i) => slides[i].path === path);
  return slides.length === 1 || isNamed;
}

function noneLeft({ slides }: DatasetPlan, excluded: readonly ExcludedSlide[]): DataError {
  return new DataError(`none of the ${slides.length} slides can be used. The first: ${excluded[0].reason}`);
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
    const roles = assignRoles(source, wanted, options.roles);
    return {
      ...slide,
      group,
      pixelSizeUm,
      inputs: inputRoles.map((role) => roles[role]),
      target: roles[targetRole],
      channels: Object.fromEntries(wanted.map((role) => [role, source.channels[roles[role]].name])),
      fingerprint: await fingerprintSlide(slide.path),
      statedPixelSizeUm:
        options.pixelSizeUm === undefined ? undefined : await statedPixelSize(slide.path, options),
    };
  } finally {
    await source.close();
  }
}

/** Undefined where the file says nothing that can be used. */
async function statedPixelSize(path: string, options: PrepareSettings): Promise<number | undefined> {
  const source = await openSlide(path, { plane: planeOf(options) }).catch(() => undefined);
  try {
    return source?.pixelSizeUm;
  } finally {
    await source?.close();
  }
}

/**
 * Surveys slide after slide; only what was found out is kept, never pixels. A slide whose content cannot be used is
 * left out with its reason, unless it is the only one or was named for a split.
 * @throws FormatError, DataError, CancelledError
 */
export async function surveySlides(
  { candidates, unreadable, copies }: OpenedSlides,
  plan: DatasetPlan,
  pixelSizeUm: number,
  options: PrepareSettings,
  work: WorkOptions,
): Promise<{ surveyed: SurveyedSlide[]; excluded: ExcludedSlide[] }> {
  const { splitBy, inputRoles, targetRole } = plan;
  const surveyed: SurveyedSlide[] = [];
  const excluded: ExcludedSlide[] = [...unreadable];
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
      const scan = await scanSlide(source, { inputs, others: [target] }, pixelSizeUm, slideWork).catch(
        (error) => {
          if (!(error instanceof FormatError) || isNeeded(candidate, plan)) throw error;
          return error;
        },
      );
      if (scan instanceof FormatError) {
        excluded.push({ ...candidate, reason: scan.message, thumbnail: undefined });
        continue;
      }
      const draw = (tissue?: TissueMask) => drawThumbnail(scan, [...inputRoles, targetRole], tissue);
      const found = surveyOf(scan, candidate, splitBy, inputRoles, options);
      if (found instanceof DataError) {
        if (isNeeded(candidate, plan)) throw found;
        excluded.push({ ...candidate, reason: found.message, thumbnail: await draw() });
        continue;
      }
      surveyed.push({
        ...candidate,
        ...found,
        spectra:
          splitBy === 'field'
            ? undefined
            : await measureFocus(source, inputs, found.survey.tissue, work.signal),
        thumbnail: await draw(found.survey.tissue),
        width: source.width,
        height: source.height,
      });
    } finally {
      await source.close();
    }
  }
  if (surveyed.length === 0) throw noneLeft(plan, excluded);
  for (const { of, ...copy } of copies) {
    const thumbnail = [...surveyed, ...excluded].find(({ name }) => name === of)?.thumbnail;
    excluded.push({ ...copy, reason: `It is a copy of ${of}.`, thumbnail });
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
): Pick<SurveyedSlide, 'survey' | 'stains' | 'inputSamples'> | DataError {
  try {
    const { inputSamples, ...survey } = surveySlide(scan, options, path);
    if (splitBy === 'field') return { survey, inputSamples, stains: undefined };
    const stains = inputSamples.map((samples, c) => fitStain([samples], channels[inputRoles[c]], path));
    return { survey, inputSamples: undefined, stains };
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
}
