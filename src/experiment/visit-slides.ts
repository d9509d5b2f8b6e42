// Runs a model over the tissue of all slides of a split and hands out what it gives beside the measured target.
import type { WorkOptions } from '../core/progress.ts';
import { channelOf, type Raster, type Region } from '../core/raster.ts';
import type { Dataset, OpenDatasetSlide } from '../dataset/open-dataset.ts';
import type { Split } from '../dataset/split.ts';
import { ssimReachPx } from '../evaluation/metrics/ssim.ts';
import type { ModelFile } from '../model/model-file.ts';
import { predictSlide } from '../prediction/predict-slide.ts';
import { asSeenBy } from '../training/dataset-view.ts';
import { atFocus, modelInput } from './model-input.ts';
import { tissueBits } from './slide-layers.ts';

export interface VisitedTile {
  /** Index of the slide in the dataset. */
  readonly slide: number;
  readonly x: number;
  readonly y: number;
  /** Outputs of the model [outputs, height, width]; with quantile heads the spread below and above comes last. */
  readonly predicted: Raster;
  /** [height, width] in stored units. */
  readonly measured: Float32Array;
  /** [height, width], 1 where the pixel is tissue, measured and predicted. */
  readonly counts: Uint8Array;
}

const tilePx = 768;

/**
 * Every tissue pixel of the split comes once, and so does all that SSIM sees around it. Tiles farther from tissue are left out.
 * @returns time in the model and the pixels it computed
 */
export async function visitSlides(
  dataset: Dataset,
  split: Split,
  model: ModelFile,
  threads: number,
  visit: (tile: VisitedTile) => void | Promise<void>,
  work: WorkOptions = {},
): Promise<{ networkSeconds: number; pixels: number }> {
  let [networkSeconds, pixels] = [0, 0];
  const { inputRoles } = dataset.manifest;
  const { roles, inputMaps } = model.manifest;
  const { slides } = asSeenBy(model, dataset);
  const chosen = dataset.slides.flatMap(({ entry }, i) => (entry.split === split ? [i] : []));
  for (const [n, index] of chosen.entries()) {
    const slide = slides[index];
    const { source, mask } = slide;
    const own = roles.map((role) => inputRoles.indexOf(role));
    const channels = own.map((i) => slide.inputChannels[i]);
    const isFitted = 'reaches' in inputMaps;
    const maps = isFitted ? own.map((i) => slide.inputMaps[i]) : inputMaps;
    const focus = own.map((i) => (isFitted ? slide.focus[i] : 0));
    const stains = { source: atFocus(source, channels, focus, maps), channels, maps };
    const ofSlide: WorkOptions = {
      signal: work.signal,
      onProgress: (progress) =>
        work.onProgress?.({ ...progress, stage: `${split} slide ${n + 1} of ${chosen.length}` }),
    };
    const input = await modelInput(
      model,
      stains,
      async () => tissueBits(mask, source.width, source.height),
      ofSlide,
    );
    const done = await predictSlide(
      {
        model,
        ...input,
        tilePx,
        threads,
        spread: model.manifest.spread,
        isWritten: (core) => !isNearTissue(slide, core, ssimReachPx),
        write: async (x, y, predicted) => {
          const { width, height } = predicted;
          pixels += width * height;
          const measured = await source.read({ x, y, width, height }, [slide.targetChannel], work);
          const counts = tissueOf(slide, x, y, width, height);
          const first = channelOf(predicted, 0);
          for (let i = 0; i < counts.length; i++) {
            if (!Number.isFinite(measured.data[i]) || !Number.isFinite(first[i])) counts[i] = 0;
          }
          await visit({ slide: index, x, y, predicted, measured: measured.data, counts });
        },
      },
      ofSlide,
    );
    networkSeconds += done.networkSeconds;
  }
  return { networkSeconds, pixels };
}

function isNearTissue({ mask }: OpenDatasetSlide, region: Region, reachPx: number): boolean {
  const { cellPx, cellsWide, cellsHigh, cells } = mask;
  const cellsOf = (from: number, length: number, most: number): [number, number] => [
    Math.max(0, Math.floor((from - reachPx) / cellPx)),
    Math.min(most, Math.ceil((from + length + reachPx) / cellPx)),
  ];
  const [left, right] = cellsOf(region.x, region.width, cellsWide);
  const [top, bottom] = cellsOf(region.y, region.height, cellsHigh);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      if (cells[row * cellsWide + column] === 1) return true;
    }
  }
  return false;
}

/** 1 for the tissue of a region, [height, width]. */
function tissueOf(slide: OpenDatasetSlide, x: number, y: number, width: number, height: number): Uint8Array {
  const { cellPx, cellsWide, cells } = slide.mask;
  const out = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const cellRow = Math.floor((y + row) / cellPx) * cellsWide;
    for (let column = 0; column < width; column++) {
      out[row * width + column] = cells[cellRow + Math.floor((x + column) / cellPx)];
    }
  }
  return out;
}
