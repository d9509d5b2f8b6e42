/** A dataset as a model wants to see it. */
import type { Dataset } from '../dataset/open-dataset.ts';
import type { NetworkModel } from '../model/registry.ts';

/** Standard deviations above the mean that a bounded output can still express, where there is no published range. */
const reachedDeviations = 10;

/**
 * For a network with a bounded output, the target's map becomes a division by its range: 255 for 8 bits, as
 * published; for other sample types, whose range the probe does not fill, 10 standard deviations above its mean
 * over the training tissue. The same dataset otherwise.
 */
export function datasetFor(model: NetworkModel, dataset: Dataset): Dataset {
  if (!model.bounded) return dataset;
  const { manifest, slides } = dataset;
  const isByte = slides.every(
    ({ source, targetChannel }) => source.channels[targetChannel].sampleType === 'uint8',
  );
  const { offset, scale } = manifest.targetMap;
  const range = isByte ? 255 : offset + reachedDeviations * scale;
  return { ...dataset, manifest: { ...manifest, targetMap: { offset: 0, scale: range } } };
}
