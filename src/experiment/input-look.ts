// Whether a slide's inputs look like those a model was trained on, and which are at no known focus: what is left to compare
// after normalisation.
import { focusLimits } from '../dataset/focus.ts';
import type { DatasetManifest } from '../dataset/manifest.ts';
import { tissueSamples } from '../dataset/normalisation.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { type InputLook, lookOf, measureQuality } from '../dataset/quality.ts';
import type { SlideScan } from '../dataset/scan-slide.ts';
import type { TissueMask } from '../dataset/tissue-mask.ts';
import type { ModelManifest } from '../model/model-file.ts';

/**
 * Slack beyond what was seen in training: this share of its spread, and at least so much; less below and above small values,
 * such as the median of a stain that only vessels have, beyond which this share of the value itself is.
 */
const slackShare = 0.5;
const leastSlack = { median: 0.08, sharpness: 0.06 };
const smallSlackShare = 0.6;

/** One a scanned channel. */
export function looksOf(scan: SlideScan, tissue: TissueMask): InputLook[] {
  return measureQuality(scan, tissue, tissueSamples(scan, tissue)).map(lookOf);
}

/** Least and greatest over the training slides, by role, as `prepare` found them; undefined where it did not. */
export function trainedLook({ manifest }: Dataset): ModelManifest['trainedOn'] {
  const { inputRoles } = manifest;
  const training = manifest.slides.filter(({ split }) => split === 'train');
  const looks = training.flatMap((slide) =>
    slide.looks === undefined ? [] : [inputRoles.map((role) => slide.looks![role])],
  );
  if (looks.length < training.length) return undefined;
  const bounds = (values: readonly number[]): { low: number; high: number } => ({
    low: Math.min(...values),
    high: Math.max(...values),
  });
  return Object.fromEntries(
    inputRoles.map((role, i) => {
      const sharpness = looks.flatMap((look) => look[i].sharpness ?? []);
      return [
        role,
        {
          median: bounds(looks.map((look) => look[i].median)),
          sharpness: sharpness.length > 0 ? bounds(sharpness) : null,
        },
      ];
    }),
  );
}

/**
 * One sentence for each way in which a slide lies outside what the model was trained on.
 * @param focus as `fitInputs` finds it: looks are those of the slide as it is, and what a change of focus makes up for is not told
 */
export function strangeInputs(
  trainedOn: NonNullable<ModelManifest['trainedOn']>,
  roles: readonly string[],
  looks: readonly InputLook[],
  focus: readonly (number | null)[],
): string[] {
  const found: string[] = [];
  roles.forEach((role, i) => {
    const trained = trainedOn[role];
    if (trained === undefined) return;
    const { sharpness } = looks[i];
    const median = outside(looks[i].median, trained.median, leastSlack.median);
    if (median !== undefined) {
      found.push(
        sentence(role, median === 'above' ? 'covers more' : 'covers less', looks[i].median, trained.median),
      );
    }
    if (sharpness === null || trained.sharpness === null) return;
    const side = outside(sharpness, trained.sharpness, leastSlack.sharpness);
    const change = focus[i] ?? 0;
    if (side === undefined || (side === 'above' ? change > 0 : change < 0)) return;
    found.push(
      sentence(
        role,
        side === 'above' ? 'is noisier or finer' : 'is more blurred',
        sharpness,
        trained.sharpness,
      ),
    );
  });
  return found;
}

/**
 * One sentence for each input that cannot be brought to the focus of the training slides.
 * @param focus as `fitInputs` finds it
 */
export function focusNotes(roles: readonly string[], focus: readonly (number | null)[]): string[] {
  return roles.flatMap((role, i) => {
    const change = focus[i];
    if (change === null) {
      return [
        `How sharp the input '${role}' is cannot be measured here (too little tissue, too noisy, or resampled): it is read as it is, not at the focus of the training slides.`,
      ];
    }
    if (change > -focusLimits.sharper && change < focusLimits.softer) return [];
    const how = change < 0 ? 'more blurred' : 'sharper';
    return [
      `The input '${role}' is so much ${how} than the training slides that it cannot be brought to their focus: the prediction may not hold here.`,
    ];
  });
}

/** One sentence for each input that cannot be brought to one focus on some slides. */
export function unknownFocus({ inputRoles, slides, spectra }: DatasetManifest): string[] {
  return inputRoles.flatMap((role) => {
    const unknown = slides.filter((slide) => slide.spectra?.[role] === null);
    if (unknown.length === 0) return [];
    const which = spectra[role] === null ? 'all slides' : 'these';
    const names = unknown.map(({ name }) => name).join(', ');
    return [
      `How sharp the input '${role}' is cannot be measured on ${names} (too little tissue, too noisy, or resampled): ${which} are read as they are, not at one focus.`,
    ];
  });
}

function outside(
  value: number,
  { low, high }: { low: number; high: number },
  least: number,
): 'above' | 'below' | undefined {
  const slackAt = (bound: number): number =>
    Math.max(Math.min(least, smallSlackShare * Math.abs(bound)), slackShare * (high - low));
  if (value > high + slackAt(high)) return 'above';
  return value < low - slackAt(low) ? 'below' : undefined;
}

function sentence(
  role: string,
  how: string,
  value: number,
  { low, high }: { low: number; high: number },
): string {
  const seen = low === high ? low.toFixed(2) : `${low.toFixed(2)} to ${high.toFixed(2)}`;
  return `The input '${role}' ${how} than on any slide the model was trained on (${value.toFixed(2)}, there ${seen}): the prediction and its interval may not hold here.`;
}
