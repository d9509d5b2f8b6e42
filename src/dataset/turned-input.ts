// A control: one input keeps its look and loses its link with everything else.
import { type PixelSource, withPixels } from '../core/pixel-source.ts';
import { channelOf } from '../core/raster.ts';
import type { Dataset } from './open-dataset.ts';

/**
 * The same dataset, but that the image of one input role is turned by half a turn on every slide: its histogram and
 * texture stay, its places do not. What a model gains from the role over this, it gains from where things are.
 * @param role an input of the dataset
 */
export function withTurnedInput(dataset: Dataset, role: string): Dataset {
  const index = dataset.manifest.inputRoles.indexOf(role);
  const slides = dataset.slides.map((slide) => ({
    ...slide,
    source: turned(slide.source, slide.inputChannels[index]),
  }));
  return { ...dataset, slides };
}

/** Only at full resolution, which is all that datasets read. */
function turned(source: PixelSource, turnedChannel: number): PixelSource {
  return withPixels(source, async (region, channels, options) => {
    const raster = await source.read(region, channels, options);
    const at = channels.indexOf(turnedChannel);
    if (at < 0) return raster;
    const x = source.width - region.x - region.width;
    const y = source.height - region.y - region.height;
    const opposite = await source.read({ ...region, x, y }, [turnedChannel], options);
    channelOf(raster, at).set(channelOf(opposite, 0).reverse());
    return raster;
  });
}
