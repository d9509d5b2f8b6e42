// Scores a model on the slides of a split without writing them: sums that can be merged over slides.
import type { WorkOptions } from '../core/progress.ts';
import { channelOf, createRaster, pasteRaster, type Raster } from '../core/raster.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import type { Split } from '../dataset/split.ts';
import { compareSlide, type SlideComparison } from '../evaluation/compare-slide.ts';
import { Coverage, type CoverageTable } from '../evaluation/coverage.ts';
import type { ModelFile } from '../model/model-file.ts';
import { withInterval } from '../prediction/with-interval.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { DistanceMap } from '../spatial/distance-map.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { segmentVessels } from '../spatial/segment-vessels.ts';
import { peakOf } from './score-slide.ts';
import { tissueOf, visitSlides } from './visit-slides.ts';

export interface ScoredSlide {
  readonly slide: string;
  readonly comparison: SlideComparison;
  /** 0.1st and 99.9th percentiles over tissue. */
  readonly range: {
    readonly predicted: readonly [number, number];
    readonly measured: readonly [number, number];
  };
  /** See `vesselGradient`. */
  readonly gradient: { readonly predicted: number; readonly measured: number };
}

export interface ModelScore {
  /** Of the model's 90% interval; absent where it has none. */
  readonly coverage?: CoverageTable;
  readonly slides: readonly ScoredSlide[];
  /** See `peakOf`. */
  readonly peak: number;
  readonly networkSeconds: number;
  readonly pixels: number;
}

/** Level of the intervals that are scored. */
const scoredLevel = 0.9;
/** Pixels of a slide that its percentiles are taken from. */
const wantedSamples = 500_000;

/**
 * Holds the prediction of one slide at a time in memory, 4 bytes a pixel, 12 with an interval.
 * @param reference the same slides with the role `vessel`, where the dataset lacks it: without vessels all tissue
 * counts as extravascular
 */
export async function scoreModel(
  dataset: Dataset,
  split: Split,
  model: ModelFile,
  threads: number,
  work: WorkOptions = {},
  reference: Dataset = dataset,
): Promise<ModelScore> {
  const slides: ScoredSlide[] = [];
  const interval = model.manifest.intervals?.find(({ level }) => level === scoredLevel);
  const coverage = interval && new Coverage(scoredLevel);
  const scored = dataset.slides.filter(({ entry }) => entry.split === split);
  const peak = await peakOf(
    scored.map(({ source, targetChannel }) => ({ source, channel: targetChannel })),
    work,
  );
  let current: { index: number; raster: Raster } | undefined;
  const finish = async (): Promise<void> => {
    if (current) slides.push(await scoreSlide(reference, current.index, current.raster, peak, coverage, work));
    current = undefined;
  };
  const { networkSeconds, pixels } = await visitSlides(
    dataset,
    split,
    model,
    threads,
    async ({ slide, x, y, predicted }) => {
      if (current?.index !== slide) {
        await finish();
        const { width, height } = dataset.slides[slide].source;
        current = { index: slide, raster: createRaster(interval ? 3 : 1, height, width) };
      }
      const { width, height } = predicted;
      const tile = interval
        ? withInterval(predicted, interval)
        : createRaster(1, height, width, channelOf(predicted, 0));
      pasteRaster(current.raster, tile, x, y);
    },
    work,
  );
  await finish();
  return { slides, peak, networkSeconds, pixels, ...(coverage && { coverage: coverage.table() }) };
}

async function scoreSlide(
  { manifest, slides }: Dataset,
  index: number,
  predicted: Raster,
  peak: number,
  coverage: Coverage | undefined,
  work: WorkOptions,
): Promise<ScoredSlide> {
  const { width, height } = predicted;
  const probe = channelOf(predicted, 0);
  const slide = slides[index];
  const { source, targetChannel, entry } = slide;
  const tissueBytes = tissueOf(slide, 0, 0, width, height);
  const vesselRole = manifest.inputRoles.indexOf('vessel');
  const vessels =
    vesselRole < 0
      ? new BitMask(width, height)
      : (
          await segmentVessels({
            source,
            channel: slide.inputChannels[vesselRole],
            pixelSizeUm: manifest.pixelSizeUm,
          })
        ).mask;
  const comparison = await compareSlide(
    {
      measured: source,
      measuredChannel: targetChannel,
      predicted: memorySource({ raster: createRaster(1, height, width, probe), channelNames: ['probe'] }),
      predictedChannel: 0,
      tissue: BitMask.fromBytes(tissueBytes, width, height),
      vessels,
      pixelSizeUm: manifest.pixelSizeUm,
      dataRange: peak,
    },
    { signal: work.signal },
  );
  const measured = await source.read({ x: 0, y: 0, width, height }, [targetChannel], work);
  const distanceUm = new DistanceMap(vessels).wallUm(0, height, manifest.pixelSizeUm);
  const gradient = (values: Float32Array): number => vesselGradient(values, distanceUm, tissueBytes);
  if (coverage) {
    const inTissue = (values: Float32Array): Float32Array => values.filter((_, i) => tissueBytes[i] === 1);
    const [lower, upper] = [1, 2].map((c) => inTissue(channelOf(predicted, c)));
    coverage.add(entry.name, inTissue(measured.data), inTissue(probe), inTissue(distanceUm), lower, upper);
  }
  const every = Math.max(1, Math.floor(tissueBytes.length / wantedSamples)) | 1;
  const spread = (values: Float32Array): [number, number] => {
    const kept = values
      .filter((v, i) => i % every === 0 && tissueBytes[i] === 1 && Number.isFinite(v))
      .sort();
    return [kept[Math.floor(0.001 * (kept.length - 1))], kept[Math.ceil(0.999 * (kept.length - 1))]];
  };
  return {
    slide: entry.name,
    comparison,
    range: { predicted: spread(probe), measured: spread(measured.data) },
    gradient: { predicted: gradient(probe), measured: gradient(measured.data) },
  };
}

/** Tissue beside the vessels and tissue far from them, in micrometres from the nearest wall. */
const nearUm = [3, 10] as const;
const farUm = 25;

/** Mean 3 to 10 um from a vessel less the mean beyond 25 um, in stored units; NaN where there is none of either. */
function vesselGradient(values: Float32Array, distanceUm: Float32Array, tissue: Uint8Array): number {
  let [near, nearCount, far, farCount] = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    if (tissue[i] === 0 || !Number.isFinite(values[i])) continue;
    const d = distanceUm[i];
    if (d > nearUm[0] && d <= nearUm[1]) {
      near += values[i];
      nearCount++;
    } else if (d > farUm && d < Number.POSITIVE_INFINITY) {
      far += values[i];
      farCount++;
    }
  }
  return near / nearCount - far / farCount;
}
