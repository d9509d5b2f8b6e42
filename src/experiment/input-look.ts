// Whether a slide's inputs look like those a model was trained on: what is left to compare after normalisation.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { tissueSamples } from '../dataset/normalisation.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { measureQuality } from '../dataset/quality.ts';
import { scanSlide } from '../dataset/scan-slide.ts';
import { findTissue } from '../dataset/tissue-mask.ts';
import type { ModelManifest } from '../model/model-file.ts';

/** Of one input over the tissue. */
export interface InputLook {
  /** Where the median lies between the 1st percentile, at 0, and the 99th, at 1: how much of the tissue is stained. */
  readonly median: number;
  /** How fine its structure is, 0 to 1 (`ChannelQuality.sharpness`); null where pixels are too large to say. */
  readonly sharpness: number | null;
}

/** Slack beyond what was seen in training: this share of its spread, and at least so much. */
const slackShare = 0.5;
const leastSlack = { median: 0.08, sharpness: 0.06 };

/** @param channels of the inputs. @throws DataError for a slide without tissue */
export async function lookOf(
  source: PixelSource,
  channels: readonly number[],
  pixelSizeUm: number,
  work: WorkOptions = {},
): Promise<InputLook[]> {
  const scan = await scanSlide(source, { inputs: channels }, pixelSizeUm, work);
  const tissue = findTissue(scan, channels.length, source.path);
  return measureQuality(scan, tissue, tissueSamples(scan, tissue)).map(
    ({ percentiles: [low, median, high], sharpness }) => ({
      median: (median - low) / (high - low),
      sharpness,
    }),
  );
}

/** Least and greatest over the training slides, by role. Reads each of them once. */
export async function trainedLook(
  dataset: Dataset,
  work: WorkOptions = {},
): Promise<NonNullable<ModelManifest['trainedOn']>> {
  const { inputRoles, pixelSizeUm } = dataset.manifest;
  const looks: InputLook[][] = [];
  for (const { entry, source, inputChannels } of dataset.slides) {
    if (entry.split === 'train') looks.push(await lookOf(source, inputChannels, pixelSizeUm, work));
  }
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

/** One sentence for each way in which a slide lies outside what the model was trained on. */
export function strangeInputs(
  trainedOn: NonNullable<ModelManifest['trainedOn']>,
  roles: readonly string[],
  looks: readonly InputLook[],
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
    const focus =
      sharpness === null || trained.sharpness === null
        ? undefined
        : outside(sharpness, trained.sharpness, leastSlack.sharpness);
    if (focus !== undefined && sharpness !== null && trained.sharpness !== null) {
      found.push(
        sentence(
          role,
          focus === 'above' ? 'is noisier or finer' : 'is more blurred',
          sharpness,
          trained.sharpness,
        ),
      );
    }
  });
  return found;
}

function outside(
  value: number,
  { low, high }: { low: number; high: number },
  least: number,
): 'above' | 'below' | undefined {
  const slack = Math.max(least, slackShare * (high - low));
  if (value > high + slack) return 'above';
  return value < low - slack ? 'below' : undefined;
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
