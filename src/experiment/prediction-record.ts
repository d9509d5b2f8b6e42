// What a predicted slide says of itself in its file: where it comes from and how far it is to be trusted. Written by
// `predict`, read wherever a prediction is measured or scored.
import { basename } from 'node:path';
import * as z from 'zod';
import { FormatError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { version } from '../core/version.ts';
import { fingerprintSlide, withoutQuery } from '../dataset/fingerprint.ts';
import {
  derivedIntervalsSchema,
  type ModelFile,
  type ModelManifest,
  modelSha256,
} from '../model/model-file.ts';
import type { InputMap } from '../prediction/predict-slide.ts';

export interface PredictionRecord {
  /** Of what is derived from the prediction, where the model has them. */
  readonly derivedIntervals?: ModelManifest['derivedIntervals'];
  /** Tissue of the smallest slide behind those, where the model says. */
  readonly calibrationTissueMm2?: number;
  /** Pixel size of the slide, where it is not the prediction's. */
  readonly resampledFromUm?: number;
  /** Of the slide that it was made of. */
  readonly slide?: { readonly name: string; readonly fingerprint: string };
  /** Reasons not to trust the prediction on this slide, one sentence each. */
  readonly warnings: readonly string[];
  /** The model was trained on fields of one slide. */
  readonly isWithinSlide: boolean;
}

/** Annotations of a predicted slide. */
export function predictionAnnotations(
  file: ModelFile,
  of: {
    readonly slide: string;
    readonly fingerprint: string;
    /** Pixel size of the slide, where it is not the model's. */
    readonly resampledFromUm: number | undefined;
    readonly maps: readonly InputMap[];
    readonly focus: readonly number[];
    readonly warnings: readonly string[];
    readonly command: string;
  },
): Record<string, string> {
  const { manifest } = file;
  const { training, derivedIntervals, calibrationTissueMm2 } = manifest;
  return {
    predictedBy: `hrpn ${version}`,
    slide: basename(withoutQuery(of.slide)),
    slideFingerprint: of.fingerprint,
    model: manifest.model,
    modelSha256: modelSha256(file),
    trainedOn: JSON.stringify(training),
    inputMaps: JSON.stringify(
      Object.fromEntries(
        manifest.roles.map((role, i) => [
          role,
          { ...of.maps[i], ...(of.focus[i] !== 0 && { refocusedPx2: of.focus[i] }) },
        ]),
      ),
    ),
    ...(derivedIntervals && { derivedIntervals: JSON.stringify(derivedIntervals) }),
    ...(calibrationTissueMm2 && { calibrationTissueMm2: `${calibrationTissueMm2}` }),
    ...(of.resampledFromUm && { resampledFromUm: `${of.resampledFromUm}` }),
    ...(of.warnings.length > 0 && { predictionWarnings: JSON.stringify(of.warnings) }),
    command: of.command,
  };
}

const trainedOn = z.looseObject({ splitBy: z.string() });

/**
 * What a predicted slide's file says; of a slide of another program, that nothing is known.
 * @throws FormatError for a record that is damaged
 */
export function readPredictionRecord({ path, annotations }: PixelSource): PredictionRecord {
  const read = <T>(key: string, schema: z.ZodType<T>): T | undefined => {
    const text = annotations?.get(key);
    if (text === undefined || !annotations?.has('predictedBy')) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new FormatError(
        path,
        `what it records of the prediction under '${key}' cannot be read: '${text.slice(0, 40)}'. Run \`hrpn predict\` again.`,
      );
    }
  };
  const derivedIntervals = read('derivedIntervals', derivedIntervalsSchema);
  const calibrationTissueMm2 = read('calibrationTissueMm2', z.number().positive());
  const resampledFromUm = read('resampledFromUm', z.number().positive());
  const [name, fingerprint] = ['slide', 'slideFingerprint'].map((key) => annotations?.get(key));
  return {
    ...(derivedIntervals && { derivedIntervals }),
    ...(calibrationTissueMm2 && { calibrationTissueMm2 }),
    ...(resampledFromUm && { resampledFromUm }),
    ...(name && fingerprint && annotations?.has('predictedBy') && { slide: { name, fingerprint } }),
    warnings: read('predictionWarnings', z.array(z.string())) ?? [],
    isWithinSlide: read('trainedOn', trainedOn)?.splitBy === 'field',
  };
}

/**
 * Said of a prediction beside a slide that it was not made of: fields of one camera have one size, and are easily taken for one
 * another.
 */
export async function strangerNote(record: PredictionRecord, slide: string): Promise<string | undefined> {
  if (record.slide === undefined || (await fingerprintSlide(slide)) === record.slide.fingerprint)
    return undefined;
  return `The prediction was made of another file than this slide, ${record.slide.name}. Unless that shows the same tissue, what is said of both together means nothing.`;
}
