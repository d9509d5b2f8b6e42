// What a model reads of a slide: its stains, brought to the focus it knows, or the image that is computed from its vessels.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { type AffineMap, identityMap } from '../dataset/normalisation.ts';
import { refocusedSource } from '../dataset/refocus.ts';
import { deriveInput } from '../model/derived-input.ts';
import type { ModelFile } from '../model/model-file.ts';
import type { ModelInput } from '../prediction/predict-slide.ts';
import type { BitMask } from '../spatial/bit-mask.ts';

/**
 * The slide with its stains at another focus (`refocusedSource`); missing pixels count as tissue without stain.
 * @param focus one a channel, squared pixels; @param maps of the channels
 */
export function atFocus(
  source: PixelSource,
  channels: readonly number[],
  focus: readonly number[],
  maps: readonly AffineMap[],
): PixelSource {
  return refocusedSource(
    source,
    channels,
    focus,
    maps.map(({ offset }) => offset),
  );
}

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
