// Use case `analyze`: how the probe of a slide, measured or predicted, lies in space; tables, outlines and a report.
import { join } from 'node:path';
import {
  type AnalyzeOptions,
  type AnalyzeResult,
  type AnalyzeSettings,
  analyzeCommand,
} from '../contract/analyze.ts';
import { parseOptions } from '../contract/command.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { DataError } from '../core/errors.ts';
import { peakResidentBytes } from '../core/peak-resident.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { percentText } from '../core/units.ts';
import { type SlideScan, scanSlide } from '../dataset/scan-slide.ts';
import { requireSameSize } from '../evaluation/compare-slide.ts';
import { openSlide } from '../slide/open-slide.ts';
import { requirePixelSize } from '../slide/pixel-size.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import { findComponents } from '../spatial/components.ts';
import { binUm, distanceBins, type ProbeImage, type SpaceSums, sumSpace } from '../spatial/space-sums.ts';
import { measureVessels } from '../spatial/vessel-measures.ts';
import type { Analysis } from './analysis.ts';
import { agreementOf } from './analyze-agreement.ts';
import { knownBackground, type ProbeBackground, percentileBackground } from './analyze-background.ts';
import { calibratedOf } from './analyze-calibrated.ts';
import { refuseBoth, refuseRoles, refuseThresholds } from './analyze-checks.ts';
import { controlOf, howToOpen, openControl, unlikeNote } from './analyze-control.ts';
import { checkOwnMasks, nucleiMask, thresholdMask, vesselMask } from './analyze-masks.ts';
import { hasSignal, measureProbe, type ProbeMeasures, whyNotKnown } from './analyze-measures.ts';
import { methodsOf } from './analyze-methods.ts';
import { writeAnalysis } from './analyze-output.ts';
import { analysedTissue } from './analyze-tissue.ts';
import { checkOutputFolder, writeOutputFolder } from './output-folder.ts';
import { strangerNote } from './prediction-record.ts';
import { findRoles, matchPixelSize, openPrediction } from './slide-layers.ts';

/** Edge of the cells that hot spots are looked for on, um: a few nuclei. */
const cellUm = 20;
/** How far around a vessel its own surroundings reach, um. */
const aroundUm = 50;

const analysisContents = ['report.html', 'result.json', 'tables', 'figures', 'outlines'] as const;

/** @throws UsageError, FileAccessError, FormatError, DataError, WriteError, CancelledError; nothing is left half-written */
export async function analyze(given: AnalyzeOptions, work: WorkOptions = {}): Promise<AnalyzeResult> {
  const options = parseOptions(analyzeCommand, given);
  const output = {
    path: options.out,
    marker: 'result.json',
    contents: analysisContents,
    overwrite: options.overwrite,
  };
  await checkOutputFolder(output);
  refuseBoth(options);
  refuseRoles(options);
  const started = performance.now();
  const opened: PixelSource[] = [];
  try {
    const analysis = await measure(options, opened, started, work);
    return await writeOutputFolder(output, async (folder) => {
      const files = await writeAnalysis(analysis, folder, work);
      const result: AnalyzeResult = {
        ...analysis.result,
        seconds: (performance.now() - started) / 1000,
        peakMemoryBytes: peakResidentBytes(),
        files: ['report.html', ...files, 'result.json'].map((file) => join(options.out, file)),
      };
      await writeFileAtomic(join(folder, 'result.json'), `${JSON.stringify(result, null, 1)}\n`);
      return result;
    });
  } finally {
    await Promise.all(opened.map((source) => source.close()));
  }
}

async function measure(
  options: AnalyzeSettings,
  opened: PixelSource[],
  started: number,
  work: WorkOptions,
): Promise<Analysis> {
  const at = (stage: string): WorkOptions => ({
    signal: work.signal,
    onProgress: (progress) => work.onProgress?.({ ...progress, stage }),
  });
  const warnings: string[] = [];
  const stored = await openSlide(options.slide, howToOpen(options));
  opened.push(stored);
  const ownUm = requirePixelSize(stored);
  const predicted =
    options.prediction === undefined ? undefined : await openPrediction(options.prediction, 'probe');
  if (predicted) opened.push(predicted.source);
  const matched = predicted
    ? matchPixelSize(stored, ownUm, predicted.source)
    : { source: stored, pixelSizeUm: ownUm };
  const { source, pixelSizeUm } = matched;
  if ('note' in matched && matched.note) warnings.push(matched.note);
  if (predicted) {
    requireSameSize(source, predicted.source);
    warnings.push(...predicted.record.warnings);
    const stranger = await strangerNote(predicted.record, options.slide);
    if (stranger !== undefined) warnings.push(stranger);
  }
  const required = [...(options.vesselMask === undefined ? ['vessel'] : []), ...(predicted ? [] : ['probe'])];
  const roles = findRoles(source, required, ['vessel', 'nuclei', 'probe'], options.roles);
  refuseThresholds(options, roles, source);
  await checkOwnMasks(source, options);
  const controlSlide =
    options.backgroundSlide === undefined
      ? undefined
      : await openControl(options.backgroundSlide, options, opened);
  if (controlSlide && 'probe' in roles) {
    const unlike = unlikeNote(source, roles.probe, ownUm, controlSlide);
    if (unlike !== undefined) warnings.push(unlike);
  }
  const inputs = ['vessel', 'nuclei'].flatMap((role) => (role in roles ? [roles[role]] : []));
  if (inputs.length === 0 && !('probe' in roles)) {
    const names = source.channels.map(({ name }) => `'${name}'`).join(', ');
    throw new DataError(
      `no role of the channels ${names} of ${source.path} is known, and tissue is told from a stain. Name one with --role vessel=CHANNEL or --role nuclei=CHANNEL.`,
    );
  }
  const { scan, tissue, solid, isSolid } = await analysedTissue(
    source,
    inputs.length > 0 ? inputs : [roles.probe],
    'probe' in roles ? [roles.probe] : [],
    pixelSizeUm,
    options.tissue,
    at('finding tissue'),
  );

  const ofProbe = 'probe' in roles ? scan.channels[scan.channels.length - 1] : undefined;
  if (ofProbe !== undefined && ofProbe.min === ofProbe.max) {
    warnings.push(
      `The probe channel '${ofProbe.name}' holds one value everywhere, ${ofProbe.min}. Check the channel and the export.`,
    );
  }

  const maskInput = (channel: number | undefined) => ({ source, channel, pixelSizeUm, tissue });
  const vessels = await vesselMask(maskInput(roles.vessel), options, work);
  if (vessels.warning !== undefined) warnings.push(vessels.warning);
  const nuclei = await nucleiMask(maskInput(roles.nuclei), options, work);
  const objects = findComponents(vessels.mask, 8);

  const tissuePixels = tissue.count();
  const tissueEdgeUm = Math.sqrt(tissuePixels) * pixelSizeUm;
  const blockUm = Math.max(80, Math.min(500, tissueEdgeUm / 12));
  const control =
    controlSlide && (await controlOf(controlSlide, options, { blockUm, cellUm, aroundUm }, warnings, work));
  const known = options.background === undefined ? control : knownBackground(options.background);
  const ofPercentile = (own: SlideScan, channel: number): ProbeBackground =>
    percentileBackground(own, channel, isSolid, options.backgroundPercentile ?? 1, blockUm);
  const probes: (ProbeImage & { name: 'measured' | 'predicted'; found: ProbeBackground })[] = [];
  if ('probe' in roles) {
    const found = known ?? ofPercentile(scan, scan.channels.length - 1);
    probes.push({ name: 'measured', source, channel: roles.probe, background: found.whole, found });
  }
  if (predicted) {
    const { source: image, channel } = predicted;
    const reading = at('reading the prediction');
    const found =
      known ?? ofPercentile(await scanSlide(image, { inputs: [channel] }, pixelSizeUm, reading), 0);
    probes.push({ name: 'predicted', source: image, channel, background: found.whole, found });
  }
  const sums = await sumSpace(
    {
      probes,
      tissue,
      solid,
      vessels: vessels.mask,
      nuclei: nuclei?.mask,
      objects,
      pixelSizeUm,
      blockUm,
      cellUm,
      beyondUm: options.beyondUm,
      aroundUm,
    },
    at('measuring around vessels'),
  );
  const { measures: vesselMeasures, vessels: vesselObjects } = measureVessels(
    vessels.mask,
    objects,
    sums.vessels[0].insidePixels,
    sums.tissuePixels,
    pixelSizeUm,
  );

  const measures: { name: 'measured' | 'predicted'; found: ProbeMeasures }[] = [];
  for (const [p, { name, found: background }] of probes.entries()) {
    work.onProgress?.({ stage: `intervals and hot spots, ${name}`, done: p, total: probes.length });
    const found = measureProbe(sums, p, background, {
      level: options.level,
      seed: options.seed,
      cellUm,
      aroundUm,
      pixelSizeUm,
    });
    measures.push({ name, found });
  }
  if (sums.tissuePixels < tissuePixels) {
    const missing = 1 - sums.tissuePixels / tissuePixels;
    warnings.push(
      `In ${percentText(Number(missing.toPrecision(2)))} of the tissue the probe has no finite value; it counts nowhere but in the measures of nuclei.`,
    );
  }
  warn(measures[0].found, sums, vesselMeasures.count, pixelSizeUm, options, warnings);
  const [first, second] = measures;
  const agreement =
    first && second
      ? await agreementOf(
          { source, channel: roles.probe },
          predicted!,
          tissue,
          vessels.mask,
          sums,
          first.found,
          second.found,
          pixelSizeUm,
          options.beyondUm,
          at('comparing'),
        )
      : null;
  const tissueMm2 = (sums.tissuePixels * pixelSizeUm ** 2) / 1e6;
  const calibrated =
    predicted &&
    calibratedOf(
      predicted.record,
      (second ?? first).found,
      options,
      tissueMm2,
      second === undefined,
      warnings,
    );
  const result: AnalyzeResult = {
    slide: options.slide,
    pixelSizeUm,
    tissueMm2,
    vessels: { ...vesselMeasures, tissueMeanDistanceUm: sums.meanDistanceUm },
    nuclei: nuclei
      ? {
          count: nuclei.count ?? null,
          // Over all tissue: what the probe lacks does not matter to nuclei.
          densityPerMm2: (nuclei.count ?? Number.NaN) / ((tissuePixels * pixelSizeUm ** 2) / 1e6),
          areaFraction: countIn(nuclei.mask, tissue) / tissuePixels,
        }
      : null,
    probe: first.name,
    ...publicOf(first.found),
    predicted: second ? publicOf(second.found) : null,
    calibrated: calibrated ?? null,
    agreement,
    fixedAreas: await fixedAreasOf(options, source, roles, vessels.mask, nuclei?.mask, pixelSizeUm, work),
    methods: methodsOf(options, vessels, nuclei, first.found, blockUm, calibrated ?? null),
    warnings,
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: peakResidentBytes(),
    files: [],
  };
  return {
    options,
    result,
    source,
    filePx: source === stored ? 1 : pixelSizeUm / ownUm,
    roles,
    predicted,
    tissue,
    vessels,
    objects,
    vesselObjects,
    sums,
    measures,
  };
}

function publicOf({ extravasation, subareas, permeability, hotSpots }: ProbeMeasures) {
  return { extravasation, subareas, permeability, hotSpots };
}

function countIn(mask: BitMask, tissue: BitMask): number {
  const a = new Uint8Array(mask.width);
  const b = new Uint8Array(mask.width);
  let count = 0;
  for (let y = 0; y < mask.height; y++) {
    mask.readRow(y, a);
    tissue.readRow(y, b);
    for (let x = 0; x < mask.width; x++) count += a[x] & b[x];
  }
  return count;
}

async function fixedAreasOf(
  { vesselThreshold, nucleiThreshold, probeThreshold }: AnalyzeSettings,
  source: PixelSource,
  roles: Readonly<Record<string, number>>,
  vessels: BitMask,
  nuclei: BitMask | undefined,
  pixelSizeUm: number,
  work: WorkOptions,
): Promise<AnalyzeResult['fixedAreas']> {
  const pixels: Record<string, number> = {};
  if (vesselThreshold !== undefined) pixels.vessel = vessels.count();
  if (nucleiThreshold !== undefined && nuclei) pixels.nuclei = nuclei.count();
  if (probeThreshold !== undefined && 'probe' in roles) {
    const probe = await thresholdMask(source, roles.probe, probeThreshold, work);
    pixels.probe = probe.count();
    pixels.probeInVessels = countIn(probe, vessels);
    pixels.probeOutsideVessels = pixels.probe - pixels.probeInVessels;
  }
  if (Object.keys(pixels).length === 0) return null;
  return Object.fromEntries(
    Object.entries(pixels).map(([name, n]) => [name, { pixels: n, areaUm2: n * pixelSizeUm ** 2 }]),
  );
}

/** Fewer vessels than this make every measure a matter of single ones. */
const fewVessels = 20;
/** Below this share of tissue whose distance is certain, the slide's border decides much. */
const leastCertain = 0.5;
/** Larger pixels than this do not show the first 2 um. */
const coarsePixelUm = 2;
/** A larger share of the tissue than this is no vessel. */
const mostVessel = 0.5;

function warn(
  { extravasation }: ProbeMeasures,
  sums: SpaceSums,
  vessels: number,
  pixelSizeUm: number,
  { background, backgroundSlide, beyondUm }: AnalyzeSettings,
  warnings: string[],
): void {
  const isKnown = extravasation.verdict !== 'not known';
  if (!isKnown) warnings.push(whyNotKnown(sums, extravasation, beyondUm));
  const vesselShare = sums.areas.vessel.pixels / sums.tissuePixels;
  if (vesselShare > mostVessel && vesselShare < 1) {
    warnings.push(
      `Vessels cover ${Math.round(100 * vesselShare)}% of the tissue. Check the vessel channel, its threshold or mask; the report shows their outlines.`,
    );
  }
  if (!isKnown) return;
  if (vessels < fewVessels) {
    const were = vessels === 1 ? 'vessel was' : 'vessels were';
    warnings.push(`Only ${vessels} ${were} found: the measures rest on few.`);
  }
  let [certain, all] = [0, 0];
  for (const { pixels } of sums.blocks) for (const n of pixels) certain += n;
  for (const n of sums.cells.pixels) all += n;
  if (certain < leastCertain * all) {
    warnings.push(
      `For ${Math.round(100 - (100 * certain) / all)}% of the extravascular tissue a vessel beyond the slide's border could be nearer; it is left out of profile and distances.`,
    );
  }
  const far = ['medianUm', 'p90Um', 'uniformMedianUm', 'uniformP90Um'] as const;
  if (extravasation.meanSignal > 0 && far.some((key) => Number.isNaN(extravasation[key]))) {
    warnings.push(
      `Much of the tissue lies more than ${(distanceBins - 1) * binUm} um from any vessel that was found: medians and 90th percentiles beyond that are not given. Check the outlines of the vessels.`,
    );
  }
  if (beyondUm >= 10) {
    warnings.push(
      `With --beyond-um ${beyondUm} nothing is left within 10 um of the walls, so nothing is said of vessels one by one, nor of what is near less what is far.`,
    );
  }
  if (pixelSizeUm > coarsePixelUm) {
    warnings.push(
      `Pixels of ${pixelSizeUm} um are coarse for distances from vessel walls: the half-distance, which begins with the first 2 um, is some 10% off.`,
    );
  }
  if (background === undefined && backgroundSlide === undefined) {
    warnings.push(
      'The background is a low percentile of this very slide, so a probe that is everywhere counts as background in part. A slide without probe (--background-slide) makes the distances certain.',
    );
  }
  if (!hasSignal(extravasation))
    warnings.push(
      'Outside the vessels there is no more than background: the distances are those of noise and mean nothing.',
    );
}
