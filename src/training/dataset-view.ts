/** A dataset as a model wants to see it. */
import { storedType } from '../core/pixel-source.ts';
import { type AffineMap, identityMap } from '../dataset/normalisation.ts';
import { type Dataset, focusOf } from '../dataset/open-dataset.ts';
import type { ModelFile } from '../model/model-file.ts';
import type { NetworkModel } from '../model/registry.ts';

/** Standard deviations above the mean that a bounded output can still express, where there is no published range. */
const reachedDeviations = 10;

/**
 * The target as a network learns it: in stored units; by mean and standard deviation; or, for a bounded output, divided by its
 * range, 255 for 8 bits, as published, and for other sample types, whose range the probe does not fill, 10 standard
 * deviations above its mean over the training tissue.
 */
export function targetMapFor(
  { normalized, bounded }: Pick<NetworkModel, 'normalized' | 'bounded'>,
  { manifest: { targetMap }, slides }: Dataset,
): AffineMap {
  if (!normalized) return identityMap;
  if (!bounded) return targetMap;
  const isByte = slides.every(
    ({ source, targetChannel }) => storedType(source.channels[targetChannel]) === 'uint8',
  );
  return { offset: 0, scale: isByte ? 255 : targetMap.offset + reachedDeviations * targetMap.scale };
}

/** The dataset with the target's map as a normalised network learns it. */
export function datasetFor(model: NetworkModel, dataset: Dataset): Dataset {
  if (!model.bounded) return dataset;
  return { ...dataset, manifest: { ...dataset.manifest, targetMap: targetMapFor(model, dataset) } };
}

/**
 * The dataset with a trained model's reaches (`stainReach`) and focus, so that stains have the sizes and the sharpness that its
 * weights know. The same dataset for a model with fixed maps or none, which tell nothing of other slides. The fingerprint differs.
 */
export function asSeenBy({ manifest: model }: Pick<ModelFile, 'manifest'>, dataset: Dataset): Dataset {
  if (!('reaches' in model.inputMaps)) return dataset;
  const { manifest, slides } = dataset;
  const { inputRoles } = manifest;
  const reaches = { ...manifest.reaches };
  const spectra = { ...manifest.spectra };
  for (const [i, role] of model.roles.entries()) {
    reaches[role] = model.inputMaps.reaches[i];
    spectra[role] = model.inputMaps.spectra[i];
  }
  const rescaled = ({ offset, scale }: AffineMap, role: string): AffineMap => ({
    offset,
    scale: (scale / manifest.reaches[role]) * reaches[role],
  });
  const sharedMaps =
    manifest.sharedMaps &&
    Object.fromEntries(inputRoles.map((role) => [role, rescaled(manifest.sharedMaps![role], role)]));
  return {
    ...dataset,
    manifest: { ...manifest, reaches, spectra, sharedMaps },
    slides: slides.map((slide) => ({
      ...slide,
      inputMaps: slide.inputMaps.map((map, i) => rescaled(map, inputRoles[i])),
      focus: focusOf({ inputRoles, spectra }, slide.entry),
    })),
  };
}

/** The same for a model that is trained further: inputs whose focus it does not know take the dataset's. */
export function asStartedFrom({ manifest: model }: Pick<ModelFile, 'manifest'>, dataset: Dataset): Dataset {
  const { inputMaps, roles } = model;
  if (!('reaches' in inputMaps)) return dataset;
  const spectra = inputMaps.spectra.map((known, i) => known ?? dataset.manifest.spectra[roles[i]] ?? null);
  return asSeenBy({ manifest: { ...model, inputMaps: { ...inputMaps, spectra } } }, dataset);
}
