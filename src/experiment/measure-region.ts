// Use case of the studio: the metrics, distance profile and histogram of a drawn region, quick enough to wait for.
import type { RegionRequest, RegionResult } from '../contract/studio.ts';
import { DataError, UsageError } from '../core/errors.ts';
import type { PixelSource, PyramidLevel } from '../core/pixel-source.ts';
import { channelOf, createRaster, type Region } from '../core/raster.ts';
import { needsResampling } from '../dataset/resampled-source.ts';
import { requireSameSize } from '../evaluation/compare-slide.ts';
import { bias } from '../evaluation/metrics/bias.ts';
import { mae } from '../evaluation/metrics/mae.ts';
import { mse } from '../evaluation/metrics/mse.ts';
import { pearson } from '../evaluation/metrics/pearson.ts';
import { r2 } from '../evaluation/metrics/r2.ts';
import { rmse } from '../evaluation/metrics/rmse.ts';
import { addRow, emptyMoments } from '../evaluation/pair-moments.ts';
import { assignRoles } from '../slide/assign-roles.ts';
import { openSlide } from '../slide/open-slide.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { DistanceMap } from '../spatial/distance-map.ts';
import { maskOutlines } from '../spatial/mask-outlines.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { segmentVessels } from '../spatial/segment-vessels.ts';
import { fillPolygon, type Polygon, polygonBounds } from './polygon-rows.ts';
import { openPrediction, type PredictedSlide, scanTissue } from './slide-layers.ts';

/** Beyond this a coarser level is read, so that an answer comes within a second or two. */
const mostPixels = 4e6;
const histogramBins = 64;
const profileEdgesUm = [0, 2.5, 5, 7.5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150];
/** Vessels this far outside the region still count for distances inside it. */
const haloUm = profileEdgesUm[profileEdgesUm.length - 1];
const mostOutlinePoints = 200_000;

/** What was read: the region with its surroundings, at one level. */
interface Sample {
  readonly level: number;
  /** Slide pixels a sample pixel. */
  readonly reduction: number;
  readonly pixelSizeUm: number;
  /** In pixels of the level. */
  readonly region: Region;
  /** 1 where the pixel is inside the drawn region. */
  readonly inside: Uint8Array;
}

/**
 * @throws UsageError for a polygon that covers no pixel or a channel that is not there; DataError without a pixel size,
 * and for a prediction of another size or of several channels without 'probe'; what opening throws
 */
export async function measureRegion(request: RegionRequest): Promise<RegionResult> {
  const notes: string[] = [];
  const source = await openSlide(request.slide, { pixelSizeUm: request.pixelSizeUm });
  const opened: PixelSource[] = [source];
  try {
    const { pixelSizeUm } = source;
    if (pixelSizeUm === undefined) {
      throw new DataError(
        'the slide does not say how large its pixels are. Give the pixel size under Roles, in micrometres.',
      );
    }
    const prediction =
      request.prediction === undefined ? undefined : await openPrediction(request.prediction, 'probe');
    opened.push(...(prediction ? [prediction.source] : []));
    if (prediction) requireSamePixels(source, pixelSizeUm, prediction.source);
    const sample = chooseSample(source, request.polygon, pixelSizeUm, prediction?.source.levels);
    if (sample.reduction > 1) {
      notes.push(
        `The region is large: measured on the pyramid, at one pixel for ${sample.reduction} in each direction.`,
      );
    }
    const measured = await readRole(source, 'probe', request.roles, sample, notes);
    const predicted = prediction && (await readPrediction(prediction, source, sample));
    const stain = await readRole(source, 'vessel', request.roles, sample, notes);
    const nuclei = await readRole(source, 'nuclei', request.roles, sample, []);
    const vessels = stain === undefined ? undefined : await findVessels(stain, nuclei, sample, notes);
    return summarise(sample, { measured, predicted, vessels }, notes);
  } finally {
    await Promise.all(opened.map((each) => each.close()));
  }
}

/** @throws DataError for a prediction of another slide, or at another pixel size, which a region cannot be measured on */
function requireSamePixels(slide: PixelSource, pixelSizeUm: number, prediction: PixelSource): void {
  const { pixelSizeUm: predictedUm } = prediction;
  const isSameSize = isSame(slide, prediction);
  if (!isSameSize && predictedUm !== undefined && needsResampling(slide.path, pixelSizeUm, predictedUm)) {
    throw new DataError(
      `the prediction was made at ${predictedUm} um a pixel and the slide has ${pixelSizeUm}: regions are measured only where both are alike. Use analyze or evaluate, which resample the slide.`,
    );
  }
  requireSameSize(slide, prediction);
}

/** @param others levels of the prediction, which must have the one that is chosen */
function chooseSample(
  source: PixelSource,
  polygon: Polygon,
  pixelSizeUm: number,
  others: readonly PyramidLevel[] = source.levels,
): Sample {
  const usable = [...source.levels.entries()].filter(([, level]) =>
    others.some((other) => isSame(level, other)),
  );
  for (const [level, { width, height }] of usable) {
    const reduction = Math.max(1, Math.round(source.width / width));
    const scaled = polygon.map(([x, y]) => [x / reduction, y / reduction] as const);
    const bounds = polygonBounds(scaled, width, height);
    if (bounds === undefined) break;
    const halo = Math.ceil(haloUm / (pixelSizeUm * reduction));
    const region = polygonBounds(
      [
        [bounds.x - halo, bounds.y - halo],
        [bounds.x + bounds.width + halo, bounds.y + bounds.height + halo],
      ],
      width,
      height,
    ) as Region;
    if (region.width * region.height > mostPixels && level !== usable.at(-1)?.[0]) continue;
    if (region.width * region.height > 16 * mostPixels) {
      throw new UsageError(
        'the region is too large: the slide, or its prediction, has no smaller level to measure it on. Draw a smaller one.',
      );
    }
    const inside = fillPolygon(scaled, region);
    if (!inside.includes(1)) break;
    return { level, reduction, pixelSizeUm: pixelSizeUm * reduction, region, inside };
  }
  throw new UsageError('the region covers no pixel of the slide. Draw it on the slide, and larger.');
}

/** Undefined, with a note, where the slide has no such channel. */
async function readRole(
  source: PixelSource,
  role: string,
  roles: Readonly<Record<string, string>>,
  sample: Sample,
  notes: string[],
): Promise<Float32Array | undefined> {
  let channel: number;
  try {
    channel = assignRoles(source, [...new Set([role, ...Object.keys(roles)])], roles)[role];
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    notes.push(`No ${role} channel: choose it under Roles to see what depends on it.`);
    return undefined;
  }
  return channelOf(await source.read(sample.region, [channel], { level: sample.level }), 0);
}

const isSame = (one: PyramidLevel, other: PyramidLevel): boolean =>
  one.width === other.width && one.height === other.height;

async function readPrediction(
  { source, channel }: PredictedSlide,
  slide: PixelSource,
  sample: Sample,
): Promise<Float32Array> {
  const level = source.levels.findIndex((each) => isSame(each, slide.levels[sample.level]));
  return channelOf(await source.read(sample.region, [channel], { level }), 0);
}

async function findVessels(
  stain: Float32Array,
  nuclei: Float32Array | undefined,
  { region: { width, height }, pixelSizeUm }: Sample,
  notes: string[],
): Promise<BitMask> {
  const planes = nuclei === undefined ? [stain] : [stain, nuclei];
  const raster = createRaster(planes.length, height, width);
  planes.forEach((plane, c) => {
    raster.data.set(plane, c * width * height);
  });
  const names = ['vessel', 'nuclei'].slice(0, planes.length);
  const source = memorySource({ raster, channelNames: names, pixelSizeUm });
  const inputs = names.map((_, c) => c);
  const tissue = await scanTissue(source, inputs, [], pixelSizeUm, {}).then(
    ({ bits }) => bits,
    (error) => {
      if (!(error instanceof DataError)) throw error;
      notes.push('No tissue stands out from glass here: vessels are looked for as if all of it were tissue.');
      return new BitMask(width, height).inverted();
    },
  );
  return (await segmentVessels({ source, channel: 0, pixelSizeUm, tissue })).mask;
}

interface Planes {
  readonly measured: Float32Array | undefined;
  readonly predicted: Float32Array | undefined;
  readonly vessels: BitMask | undefined;
}

function summarise(sample: Sample, planes: Planes, notes: string[]): RegionResult {
  const { inside, region, reduction, pixelSizeUm } = sample;
  const { measured, predicted, vessels } = planes;
  const pixels = inside.reduce((sum, value) => sum + value, 0);
  return {
    areaUm2: pixels * pixelSizeUm ** 2,
    pixels,
    reduction,
    vesselShare: vessels === undefined ? Number.NaN : shareOf(vessels.toBytes(), inside, pixels),
    measured: measured === undefined ? null : statistics(measured, inside),
    predicted: predicted === undefined ? null : statistics(predicted, inside),
    metrics:
      measured === undefined || predicted === undefined ? null : metricsOf(measured, predicted, inside),
    profile: vessels === undefined ? [] : profileOf(vessels, sample, planes),
    histogram: histogramOf(inside, measured, predicted),
    outlines: vessels === undefined ? [] : outlinesOf(vessels, region, reduction, notes),
    notes,
  };
}

function shareOf(mask: Uint8Array, inside: Uint8Array, pixels: number): number {
  let count = 0;
  for (let i = 0; i < mask.length; i++) count += mask[i] & inside[i];
  return count / pixels;
}

function statistics(values: Float32Array, inside: Uint8Array): NonNullable<RegionResult['measured']> {
  const moments = emptyMoments();
  addRow(moments, values, values, inside);
  const { count, meanMeasured, measuredSquares, minMeasured, maxMeasured } = moments;
  if (count === 0) return { mean: Number.NaN, sd: Number.NaN, min: Number.NaN, max: Number.NaN };
  return { mean: meanMeasured, sd: Math.sqrt(measuredSquares / count), min: minMeasured, max: maxMeasured };
}

function metricsOf(
  measured: Float32Array,
  predicted: Float32Array,
  inside: Uint8Array,
): NonNullable<RegionResult['metrics']> {
  const m = emptyMoments();
  addRow(m, measured, predicted, inside);
  return {
    pixels: m.count,
    mse: mse(m),
    rmse: rmse(m),
    mae: mae(m),
    bias: bias(m),
    r2: r2(m),
    pearson: pearson(m),
  };
}

/**
 * The vessels first, then rings around their walls; beyond the last edge nothing is said. A pixel that is not finite is
 * left out of the mean of its image.
 */
function profileOf(vessels: BitMask, sample: Sample, planes: Planes): RegionResult['profile'] {
  const { inside, pixelSizeUm } = sample;
  const distances = new DistanceMap(vessels).wallUm(0, vessels.height, pixelSizeUm);
  const images = [planes.measured, planes.predicted];
  const bins = profileEdgesUm.map(() => ({ pixels: 0, sums: [0, 0], counts: [0, 0] }));
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] === 0) continue;
    const index = profileEdgesUm.findIndex((edge) => (edge === 0 ? distances[i] === 0 : distances[i] < edge));
    if (index < 0) continue;
    const { sums, counts } = bins[index];
    bins[index].pixels++;
    images.forEach((image, k) => {
      if (image === undefined || !Number.isFinite(image[i])) return;
      sums[k] += image[i];
      counts[k]++;
    });
  }
  return bins.map(({ pixels, sums, counts }, i) => ({
    fromUm: i === 0 ? 0 : profileEdgesUm[i - 1],
    toUm: profileEdgesUm[i],
    pixels,
    measured: sums[0] / counts[0],
    predicted: sums[1] / counts[1],
  }));
}

function histogramOf(
  inside: Uint8Array,
  measured: Float32Array | undefined,
  predicted: Float32Array | undefined,
): RegionResult['histogram'] {
  const planes = [measured, predicted].filter((plane) => plane !== undefined);
  let low = Infinity;
  let high = -Infinity;
  for (const plane of planes) {
    for (let i = 0; i < inside.length; i++) {
      if (inside[i] === 0 || !Number.isFinite(plane[i])) continue;
      low = Math.min(low, plane[i]);
      high = Math.max(high, plane[i]);
    }
  }
  if (low > high) return { edges: [], measured: null, predicted: null };
  const width = (high - low) / histogramBins || 1;
  const count = (plane: Float32Array | undefined): number[] | null => {
    if (plane === undefined) return null;
    const counts = new Array<number>(histogramBins).fill(0);
    for (let i = 0; i < inside.length; i++) {
      if (inside[i] === 0 || !Number.isFinite(plane[i])) continue;
      counts[Math.min(histogramBins - 1, Math.floor((plane[i] - low) / width))]++;
    }
    return counts;
  };
  const edges = Array.from({ length: histogramBins + 1 }, (_, i) => low + i * width);
  return { edges, measured: count(measured), predicted: count(predicted) };
}

function outlinesOf(
  vessels: BitMask,
  region: Region,
  reduction: number,
  notes: string[],
): RegionResult['outlines'] {
  const outlines = maskOutlines(vessels);
  const points = outlines.reduce((sum, { length }) => sum + length, 0);
  if (points > mostOutlinePoints) {
    notes.push('Too many vessels to outline here; draw a smaller region to see them.');
    return [];
  }
  return outlines.map((outline) =>
    outline.map(([x, y]) => [(x + region.x) * reduction, (y + region.y) * reduction]),
  );
}
