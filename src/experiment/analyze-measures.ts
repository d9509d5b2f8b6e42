// From the sums over a slide to what `analyze` reports of one probe image.
import type { AnalyzeResult } from '../contract/analyze.ts';
import {
  addBlocks,
  bootstrapBlocks,
  extravasationOf,
  type Interval,
  leastBlocks,
  type ProfileBin,
  profileOf,
  usedBlocks,
} from '../spatial/extravasation.ts';
import type { GridField } from '../spatial/grid-field.ts';
import { findHotSpots, type HotSpots } from '../spatial/hot-spots.ts';
import { nearnessChance } from '../spatial/nearness-chance.ts';
import { areaNames, type SpaceSums, type VesselSums } from '../spatial/space-sums.ts';
import type { ProbeBackground } from './analyze-background.ts';

export interface ProbeMeasures {
  readonly extravasation: AnalyzeResult['extravasation'];
  readonly subareas: AnalyzeResult['subareas'];
  readonly permeability: AnalyzeResult['permeability'];
  readonly hotSpots: AnalyzeResult['hotSpots'];
  readonly profile: readonly (ProfileBin & { readonly low: number; readonly high: number })[];
  readonly perVessel: readonly VesselSignal[];
  readonly spots: HotSpots;
  /** Mean above background of each cell; NaN where there is too little extravascular tissue. */
  readonly cellMeans: Float64Array;
}

/** What lies around one vessel. */
export interface VesselSignal {
  readonly label: number;
  /** Mean above background inside, within 10 um of the wall, and within 50 um; stored units, NaN for no pixel. */
  readonly inside: number;
  readonly near: number;
  readonly around: number;
  /** Mean distance of the signal within 50 um that is nearer to this vessel than to any other; NaN for no signal. */
  readonly penetrationUm: number;
  readonly isJudged: boolean;
}

export interface MeasureOptions {
  readonly level: number;
  readonly seed: number;
  readonly cellUm: number;
  readonly aroundUm: number;
  readonly pixelSizeUm: number;
}

/** Resamples of the bootstrap: ten lie beyond each end of the interval. */
export const resamplesFor = (level: number): number => Math.ceil(20 / (1 - level) - 1e-9);
const hotSpotRadiusCells = 2;
const leastHotSpotDraws = 199;
/** Share of a cell that must be extravascular tissue to be judged. */
const leastOfCell = 0.25;
/** A vessel is judged by at least this much tissue around it, um2. */
const leastAroundUm2 = 50;
/** A vessel of high permeability has at least so many times the median vessel's signal. */
const highFactor = 2;

export function measureProbe(
  sums: SpaceSums,
  p: number,
  background: ProbeBackground,
  options: MeasureOptions,
): ProbeMeasures {
  const { level, seed, pixelSizeUm, cellUm } = options;
  // Of vessels beside the tissue, distances say nothing.
  const blocks = hasVessels(sums) ? sums.blocks : [];
  const total = addBlocks(blocks);
  const values = extravasationOf(total, p, background.whole.at);
  const { whole, resampled } = background;
  const boot = bootstrapBlocks(
    { blocks, blocksWide: sums.blocksWide },
    p,
    { whole: whole.at, resampled },
    {
      resamples: resamplesFor(level),
      level,
      seed,
    },
  );
  const profile = profileOf(total, p, background.whole.at).map((bin) => ({
    ...bin,
    ...(boot.profile[Math.round(bin.fromUm)] satisfies Interval),
  }));
  const perVessel = vesselSignals(sums.vessels[p], pixelSizeUm, options.aroundUm);
  const { field, cellMeans, cellDistances } = cellField(sums, p);
  const nearnessP = nearnessChance(field, cellDistances, sums.cells.pixels);
  // As many as the level needs to be reached at all.
  const spotLevel = Number((1 - level).toPrecision(12));
  const draws = Math.max(leastHotSpotDraws, Math.ceil(1 / (1 - level) - 1e-9) - 1);
  const spots = findHotSpots(field, {
    radiusCells: hotSpotRadiusCells,
    level: spotLevel,
    draws,
    seed,
  });
  const isJudged = Number.isFinite(spots.threshold);
  const shareOf = (kind: number): number =>
    isJudged ? spots.kind.reduce((n, k) => n + (k === kind ? 1 : 0), 0) / spots.cells : Number.NaN;
  const countOf = (name: 'hot' | 'cold'): number =>
    isJudged ? spots.spots.filter(({ kind }) => kind === name).length : Number.NaN;
  return {
    extravasation: {
      verdict: verdictOf(boot.measures, nearnessP, level),
      ...values,
      nearnessP,
      background: background.value,
      backgroundBasis: background.basis,
      interval: boot.measures,
    },
    subareas: subareasOf(sums, p, pixelSizeUm),
    permeability: permeabilityOf(perVessel, sums.vessels[p], boot.measures.meanSignal.low > 0),
    hotSpots: {
      hot: countOf('hot'),
      cold: countOf('cold'),
      hotAreaShare: shareOf(1),
      coldAreaShare: shareOf(-1),
      cellUm,
      radiusUm: hotSpotRadiusCells * cellUm,
      level: spotLevel,
      draws,
    },
    profile,
    perVessel,
    spots,
    cellMeans,
  };
}

/**
 * Both are asked for: the interval says that the probe is nearer than an even spread by an amount that another piece of the tissue
 * would show too, and errs on fields of few squares; the test keeps its level there.
 */
function verdictOf(
  { meanSignal, closerUm }: AnalyzeResult['extravasation']['interval'],
  nearnessP: number,
  level: number,
): AnalyzeResult['extravasation']['verdict'] {
  if (Number.isNaN(meanSignal.low)) return 'not known';
  // Without a probe above background, distances are those of noise.
  if (meanSignal.low <= 0) return 'no extravasation signal';
  if (Number.isNaN(closerUm.low + nearnessP)) return 'not known';
  return closerUm.low > 0 && nearnessP <= (1 - level) / 2 ? 'extravasation' : 'no extravasation signal';
}

/** Whether any of the tissue is vessel. */
export const hasVessels = ({ areas }: SpaceSums): boolean => areas.vessel.pixels > 0;

/** Why the verdict is 'not known', in a sentence, and what to do. */
export function whyNotKnown(
  sums: SpaceSums,
  { background, backgroundBasis, interval }: AnalyzeResult['extravasation'],
  beyondUm: number,
): string {
  if (sums.tissuePixels === 0) return 'No pixel of the tissue has a finite value. Check the images.';
  if (!hasVessels(sums))
    return 'No vessel was found: distances and all that depends on them are unknown. Check the vessel channel, its threshold or mask.';
  if (sums.areas.vessel.pixels === sums.tissuePixels)
    return 'All of the tissue counts as vessel, so nothing is known of what is outside vessels. Check the vessel channel, its threshold or mask.';
  const blocks = usedBlocks(sums.blocks).length;
  if (blocks < leastBlocks)
    return `The tissue fills only ${blocks} of the squares of ${Math.round(sums.blockUm)} um whose differences say what chance does, and ${leastBlocks} are the least: no interval is known, and so no verdict. Take a larger field.`;
  if (Number.isNaN(background))
    return `The background is not known (${backgroundBasis}), so no probe can be told from it. Give another slide without probe, or --background.`;
  if (Number.isFinite(interval.closerUm.low))
    return `Whether the probe keeps to the vessels more than chance would make it is not known, so there is no verdict: the tissue outside vessels fills too few cells of ${sums.cells.edgePx} px, or the probe hardly varies between them. Take a larger field, or check the probe.`;
  return `No tissue, or too little, lies more than ${beyondUm} um from a vessel's wall and as far from the slide's border, so nothing is known of what is outside vessels. Check the vessels that were found, and --beyond-um.`;
}

/** Whether there is more than background outside the vessels, beyond the interval. */
export function hasSignal({ interval }: Pick<AnalyzeResult['extravasation'], 'interval'>): boolean {
  return interval.meanSignal.low > 0;
}

/** Sub-areas that are told by the distance to a vessel. */
const distanceNames: readonly string[] = areaNames.slice(1, 5);
const nuclearNames: readonly string[] = areaNames.slice(5);

export function subareasOf(sums: SpaceSums, p: number, pixelSizeUm: number): AnalyzeResult['subareas'] {
  const { areas, tissuePixels } = sums;
  const signal = (name: (typeof areaNames)[number]): number => areas[name].probe[p];
  const all = areaNames.slice(0, 5).reduce((sum, name) => sum + signal(name), 0);
  return areaNames.map((name) => {
    const isKnown =
      (hasVessels(sums) || !distanceNames.includes(name)) && (sums.hasNuclei || !nuclearNames.includes(name));
    const pixels = isKnown ? areas[name].pixels : Number.NaN;
    const areaShare = pixels / tissuePixels;
    const signalShare = isKnown && all > 0 ? signal(name) / all : Number.NaN;
    return {
      name,
      pixels,
      areaUm2: pixels * pixelSizeUm ** 2,
      areaShare,
      mean: pixels > 0 ? signal(name) / pixels : Number.NaN,
      signalShare,
      enrichment: signalShare / areaShare,
    };
  });
}

const isWithin = (value: number, most: number): boolean => value >= 0 && value <= most;

function vesselSignals(sums: VesselSums, pixelSizeUm: number, aroundUm: number): VesselSignal[] {
  return Array.from(sums.inside, (_, label) => {
    const mean = (sum: Float64Array, n: Float64Array): number =>
      n[label] > 0 ? sum[label] / n[label] : Number.NaN;
    const signal = sums.around[label];
    const moment = sums.aroundMoment[label];
    return {
      label,
      inside: mean(sums.inside, sums.insidePixels),
      near: mean(sums.near, sums.nearPixels),
      around: mean(sums.around, sums.aroundPixels),
      // Of noise about 0 the ratio can be anything.
      penetrationUm: isWithin(moment / signal, aroundUm) && signal > 0 ? moment / signal : Number.NaN,
      isJudged: sums.insidePixels[label] > 0 && sums.nearPixels[label] * pixelSizeUm ** 2 >= leastAroundUm2,
    };
  });
}

function permeabilityOf(
  all: readonly VesselSignal[],
  sums: VesselSums,
  isSignal: boolean,
): AnalyzeResult['permeability'] {
  const judged = all.filter(({ isJudged }) => isJudged);
  const median = (values: readonly number[]): number => {
    const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
    const n = sorted.length;
    return n > 0 ? (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2 : Number.NaN;
  };
  const medianSignal = median(judged.map(({ near }) => near));
  const isHigh = ({ near }: VesselSignal): boolean => medianSignal > 0 && near >= highFactor * medianSignal;
  const amount = (vessels: readonly VesselSignal[]): number =>
    vessels.reduce((sum, { near, label }) => sum + near * sums.nearPixels[label], 0);
  const high = judged.filter(isHigh);
  return {
    vessels: judged.length,
    medianSignal,
    // Where there is no signal, half of the vessels would have twice the median of noise, and it all the signal.
    highShare: isSignal ? high.length / judged.length : Number.NaN,
    highSignalShare: isSignal ? amount(high) / amount(judged) : Number.NaN,
    medianPenetrationUm: isSignal ? median(judged.map(({ penetrationUm }) => penetrationUm)) : Number.NaN,
  };
}

function cellField(
  sums: SpaceSums,
  p: number,
): { field: GridField; cellMeans: Float64Array; cellDistances: Float64Array } {
  const { wide, high, edgePx, pixels, distance, probe } = sums.cells;
  const least = hasVessels(sums) ? leastOfCell * edgePx * edgePx : Infinity;
  const valid = Uint8Array.from(pixels, (n) => (n >= least ? 1 : 0));
  const cellMeans = Float64Array.from(pixels, (n, i) => (valid[i] === 1 ? probe[p][i] / n : Number.NaN));
  const values = cellMeans.map((mean) => (Number.isNaN(mean) ? 0 : mean));
  return {
    field: { wide, high, valid, values },
    cellMeans,
    cellDistances: distance.map((sum, i) => sum / pixels[i]),
  };
}
