// Runs a model over the slides of a split and hands out each predicted slide whole, from a file that is kept for so long.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf, createRaster, type Raster } from '../core/raster.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import type { Split } from '../dataset/split.ts';
import type { ModelFile } from '../model/model-file.ts';
import { ScratchRaster } from './scratch-raster.ts';
import { type VisitedTile, visitSlides } from './visit-slides.ts';

/**
 * @param channelNames of the predicted slide
 * @param takeTile gives what is kept of a tile, one channel a name
 * @param takeSlide gets the index of each slide and its prediction, 0 where no tile was
 * @returns as `visitSlides`
 */
export async function visitPredictions(
  dataset: Dataset,
  split: Split,
  model: ModelFile,
  threads: number,
  channelNames: readonly string[],
  takeTile: (tile: VisitedTile) => Raster,
  takeSlide: (slide: number, predicted: PixelSource) => Promise<void>,
  work: WorkOptions = {},
): Promise<{ networkSeconds: number; pixels: number }> {
  let current: { slide: number; scratch: ScratchRaster } | undefined;
  const finish = async (): Promise<void> => {
    if (!current) return;
    await takeSlide(current.slide, current.scratch.source(channelNames, dataset.manifest.pixelSizeUm));
    await current.scratch.remove();
    current = undefined;
  };
  try {
    const done = await visitSlides(
      dataset,
      split,
      model,
      threads,
      async (tile) => {
        if (current?.slide !== tile.slide) {
          await finish();
          const { width, height } = dataset.slides[tile.slide].source;
          const scratch = await ScratchRaster.create(channelNames.length, height, width);
          current = { slide: tile.slide, scratch };
        }
        await current.scratch.write(tile.x, tile.y, takeTile(tile));
      },
      work,
    );
    await finish();
    return done;
  } finally {
    await current?.scratch.remove();
  }
}

/** The prediction without the spread that may come after it; shares memory. */
export function firstChannel(predicted: Raster): Raster {
  return createRaster(1, predicted.height, predicted.width, channelOf(predicted, 0));
}
