// What a model reads of a slide: its stains, or the image that is computed from its vessels.
import type { WorkOptions } from '../core/progress.ts';
import { identityMap } from '../dataset/normalisation.ts';
import { deriveInput } from '../model/derived-input.ts';
import type { ModelFile } from '../model/model-file.ts';
import type { ModelInput } from '../prediction/predict-slide.ts';
import type { BitMask } from '../spatial/bit-mask.ts';

/**
 * @param stains the slide's channels of the model's roles
 * @param findTissue of the slide, for models that need its vessels
 */
export async function modelInput(
  { manifest: { derived, pixelSizeUm } }: ModelFile,
  stains: ModelInput,
  findTissue: () => Promise<BitMask>,
  work: WorkOptions = {},
): Promise<ModelInput> {
  if (derived === undefined) return stains;
  const { source, channels } = stains;
  const tissue = await findTissue();
  const image = await deriveInput(derived, { source, channel: channels[0], pixelSizeUm, tissue }, work);
  return { source: image, channels: [0], maps: [identityMap] };
}
