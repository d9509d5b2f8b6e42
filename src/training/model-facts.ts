// What a trained network's model file says of itself: its inputs, its intensities and its training.
import { sampleRange, storedType } from '../core/pixel-source.ts';
import type { DatasetManifest } from '../dataset/manifest.ts';
import { identityMap } from '../dataset/normalisation.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import type { ManifestFacts } from '../model/model-file.ts';
import type { NetworkModel } from '../model/registry.ts';
import { targetMapFor } from './dataset-view.ts';
import type { RunSettings } from './run-folder.ts';

interface TrainedBy {
  readonly model: NetworkModel;
  readonly dataset: Dataset;
  readonly settings: RunSettings;
  /** Program and version. */
  readonly writtenBy: string;
}

/** @param step steps done @param epoch the one they ended in, from 1 */
export function modelFacts(
  { model, dataset, settings, writtenBy }: TrainedBy,
  step: number,
  epoch: number,
): ManifestFacts {
  const { manifest } = dataset;
  const shared = manifest.sharedMaps;
  const targetMap = targetMapFor(model, dataset);
  const least = dataset.slides.map(
    ({ source, targetChannel }) => sampleRange(storedType(source.channels[targetChannel]))?.min,
  );
  // A bound that float32 cannot add to a prediction without rounding it away, that of int32, is none.
  const isBounded = least[0] !== undefined && least[0] > -(2 ** 24);
  return {
    writtenBy,
    roles: manifest.inputRoles,
    targetRole: manifest.targetRole,
    pixelSizeUm: manifest.pixelSizeUm,
    inputMaps: !model.normalized
      ? manifest.inputRoles.map(() => identityMap)
      : shared
        ? manifest.inputRoles.map((role) => shared[role])
        : slideScales(manifest, manifest.inputRoles),
    targetMap,
    ...(targetMap !== manifest.targetMap && { targetStatistics: manifest.targetMap }),
    ...(isBounded && least.every((min) => min === least[0]) && { targetMin: least[0] }),
    training: {
      dataset: settings.dataset,
      splitBy: manifest.splitBy,
      slides: manifest.slides.filter(({ split }) => split === 'train').length,
      seed: settings.seed,
      steps: step,
      epoch,
    },
  };
}

/** By which a model's inputs are fitted on every slide anew: how bright stains are and how sharp. */
export function slideScales(
  { reaches, spectra }: DatasetManifest,
  roles: readonly string[],
): Extract<ManifestFacts['inputMaps'], { reaches: unknown }> {
  return {
    reaches: roles.map((role) => reaches[role]),
    spectra: roles.map((role) => spectra[role] ?? null),
  };
}
