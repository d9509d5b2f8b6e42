// What a predicted slide says of itself in its file: where it comes from and how far it is to be trusted. Written by
// `predict`, read wherever a prediction is measured or scored.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import * as z from 'zod';
import { FormatError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { version } from '../core/version.ts';
import { derivedIntervalsSchema, type ModelFile, type ModelManifest } from '../model/model-file.ts';
import type { InputMap } from '../prediction/predict-slide.ts';

export interface PredictionRecord {
  /** Of what is derived from the prediction, where the model has them. */
  readonly derivedIntervals?: ModelManifest['derivedIntervals'];
  /** Reasons not to trust the prediction on this slide, one sentence each. */
  readonly warnings: readonly string[];
  /** The model was trained on fields of one slide. */
  readonly isWithinSlide: boolean;
}

/** Annotations of a predicted slide. */
export function predictionAnnotations(
  { manifest, bytes }: ModelFile,
  of: {
    readonly slide: string;
    readonly fingerprint: string;
    readonly maps: readonly InputMap[];
    readonly focus: readonly number[];
    readonly warnings: readonly string[];
    readonly command: string;
  },
): Record<string, string> {
  const { training, derivedIntervals } = manifest;
  return {
    predictedBy: `hrpn ${version}`,
    slide: basename(of.slide),
    slideFingerprint: of.fingerprint,
    model: manifest.model,
    modelSha256: createHash('sha256').update(bytes).digest('hex'),
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
  return {
    ...(derivedIntervals && { derivedIntervals }),
    warnings: read('predictionWarnings', z.array(z.string())) ?? [],
    isWithinSlide: read('trainedOn', trainedOn)?.splitBy === 'field',
  };
}
