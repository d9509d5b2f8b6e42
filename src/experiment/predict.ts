// Use case `predict`: a model over a whole slide, into a new slide of the same size.
import { access, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { parseOptions } from '../contract/command.ts';
import { commandArguments, shellText } from '../contract/command-line.ts';
import { type PredictOptions, type PredictResult, predictCommand } from '../contract/predict.ts';
import { partialPath } from '../core/atomic-file.ts';
import { CancelledError, HrpnError, UsageError } from '../core/errors.ts';
import { peakResidentBytes } from '../core/peak-resident.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { cropRaster, freeRaster, type Raster } from '../core/raster.ts';
import { fingerprintSlide, withoutQuery } from '../dataset/fingerprint.ts';
import { fitInputs } from '../dataset/normalisation.ts';
import { needsResampling, resampledSource } from '../dataset/resampled-source.ts';
import { derivedRowBytes } from '../model/derived-input.ts';
import { type ModelFile, readModelFile } from '../model/model-file.ts';
import { type InputMap, predictSlide } from '../prediction/predict-slide.ts';
import { tileWithin } from '../prediction/tiles.ts';
import { withInterval } from '../prediction/with-interval.ts';
import { assignRoles } from '../slide/assign-roles.ts';
import {
  countClipped,
  createSlide,
  formatOf,
  isBegun,
  type SlideSink,
  type ValueScale,
  valueScaleFor,
} from '../slide/create-slide.ts';
import { openSlide } from '../slide/open-slide.ts';
import { requirePixelSize } from '../slide/pixel-size.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import { findInterval, intervalCaveat } from './calibrate.ts';
import { focusNotes, looksOf, strangeInputs } from './input-look.ts';
import { atFocus, modelInput } from './model-input.ts';
import { requireWritable } from './output-folder.ts';
import { predictionAnnotations } from './prediction-record.ts';
import { findRoles, scanTissue } from './slide-layers.ts';

const parsePredict = (given: PredictOptions) => parseOptions(predictCommand, given);

/** Orange, as quantum dots are shown. */
const probeColor = 0xff8000;

/**
 * @throws UsageError, FileAccessError, FormatError, DataError, ModelError, EngineError, WriteError, CancelledError;
 * nothing is left behind but the tiles that are done, from which --resume goes on; the message then says so
 */
export function predict(given: PredictOptions, work: WorkOptions = {}): Promise<PredictResult> {
  return writePrediction(given, work, (error) => {
    if (error instanceof CancelledError || !(error instanceof HrpnError)) return;
    error.message += ' What is done is kept; add --resume to go on from there.';
  });
}

/** @param onKept is told why the prediction failed where tiles of it were kept */
export async function writePrediction(
  given: PredictOptions,
  work: WorkOptions,
  onKept: (error: unknown) => void = () => {},
): Promise<PredictResult> {
  const options = parsePredict(given);
  if (!options.overwrite && (await exists(options.out))) {
    throw new UsageError(
      `--out ${options.out} exists already. Choose another name, or add --overwrite to replace it.`,
    );
  }
  for (const read of [options.slide, options.model]) {
    if (await isSamePath(options.out, read)) {
      throw new UsageError(
        `--out ${options.out} is the file that is read, ${read}, and would be lost. Choose another name.`,
      );
    }
  }
  if (resolve(dirname(options.out)) === resolve(options.slide)) {
    throw new UsageError(
      `--out ${options.out} lies in the folder ${options.slide}, which is the slide, and would be read as a part of it. Choose another place.`,
    );
  }
  // Before the slide is read, for what would be refused after it.
  formatOf(options.out);
  await requireWritable(dirname(resolve(options.out)));
  if (!options.resume && !options.overwrite && (await isBegun(options.out))) {
    throw new UsageError(
      `${partialPath(options.out)} holds what an interrupted prediction has done. Add --resume to go on with it, or --overwrite to begin anew.`,
    );
  }
  const model = await readModelFile(options.model);
  const { manifest } = model;
  const interval = options.interval === undefined ? undefined : findInterval(model, options.interval);
  const notes: string[] = [];
  const caveat = interval && intervalCaveat(interval, manifest.training.splitBy);
  if (caveat !== undefined) notes.push(caveat);
  let source: PixelSource = await openSlide(options.slide, {
    pixelSizeUm: options.pixelSizeUm,
    plane: { z: options.z, t: options.t },
  });
  try {
    const ownUm = requirePixelSize(source);
    const pixelSizeUm = manifest.pixelSizeUm;
    // A model that is computed from the vessels takes the tissue from a nuclear stain too, which may have to be named.
    const isNucleiNamed = manifest.derived !== undefined && options.roles.nuclei !== undefined;
    const named = [...new Set([...manifest.roles, ...(isNucleiNamed ? ['nuclei'] : [])])];
    const assigned = assignRoles(source, named, options.roles);
    const channels = manifest.roles.map((role) => assigned[role]);
    const isResampled = needsResampling(options.slide, ownUm, pixelSizeUm);
    // What is near enough to the model's to be read as it is has the slide's pixels.
    const writtenUm = isResampled ? pixelSizeUm : ownUm;
    if (isResampled) {
      source = resampledSource(source, ownUm, pixelSizeUm);
      notes.push(
        `The slide is resampled from ${ownUm} to ${pixelSizeUm} um a pixel, the model's; so is the prediction.`,
      );
    }
    const started = performance.now();
    const { maps, focus, warnings } = await inputsOf(model, source, channels, work);
    notes.push(...warnings);
    const input = await modelInput(
      model,
      { source: atFocus(source, channels, focus, maps), channels, maps },
      () => tissueBeside(source, channels[0], options.roles, pixelSizeUm, work),
      work,
    );
    const valueScale = options.sampleType === 'uint16' ? integerScale(manifest) : undefined;
    let clipped = 0;
    const sink = await createSlide(
      options.out,
      {
        width: source.width,
        height: source.height,
        channels: [
          { name: manifest.targetRole, role: manifest.targetRole, color: probeColor },
          ...(interval ? ['lower', 'upper'] : []).map((end) => ({
            name: `${manifest.targetRole} ${end} ${interval?.level.toFixed(2)}`,
          })),
        ],
        sampleType: options.sampleType,
        valueScale,
        pixelSizeUm: writtenUm,
        description: `${manifest.targetRole} predicted from ${manifest.roles.join(' and ')} by ${manifest.model}`,
        annotations: predictionAnnotations(model, {
          slide: options.slide,
          fingerprint: await fingerprintSlide(options.slide),
          ...{ maps, focus },
          warnings: [...(caveat === undefined ? [] : [caveat]), ...warnings],
          resampledFromUm: isResampled ? ownUm : undefined,
          command: commandOf(options, source, named, assigned),
        }),
      },
      { resume: options.resume },
    );
    try {
      const { tiles, computed, networkSeconds } = await predictSlide(
        {
          model,
          ...input,
          tilePx:
            options.tile ?? tileFor(options.memory, manifest, interval !== undefined, source.width, notes),
          threads: options.threads ?? availableParallelism(),
          spread: interval?.scaled,
          write: async (x, y, raster) => {
            for (const { top, band } of bandsOf(y, raster)) {
              const written = interval ? withInterval(band, interval) : band;
              if (valueScale) clipped += countClipped(written.data, valueScale, 'uint16');
              await sink.write(x, top, written);
              freeRaster(band);
              if (written !== band) freeRaster(written);
            }
          },
          isWritten: (core) => sink.isWritten(core),
        },
        work,
      );
      await sink.finish();
      const seconds = (performance.now() - started) / 1000;
      if (clipped > 0) {
        notes.push(
          `${clipped} values lay beyond what the recorded scale of uint16 holds and were clipped. Use --sample-type float32.`,
        );
      }
      if (valueScale && computed < tiles) {
        notes.push(
          `Values beyond the recorded scale of uint16 were counted in the ${computed} tiles that were still missing, not in those done before.`,
        );
      }
      return {
        prediction: options.out,
        width: source.width,
        height: source.height,
        pixelSizeUm: writtenUm,
        tiles,
        tilesComputed: computed,
        seconds,
        networkSeconds,
        megapixelsPerSecond: ((source.width * source.height) / 1e6 / seconds) * (computed / tiles),
        peakMemoryBytes: peakResidentBytes(),
        notes,
        files: [options.out],
      };
    } catch (error) {
      await sink.suspend();
      if (holdsTiles(sink, source)) onKept(error);
      else await sink.abort();
      throw error;
    }
  } finally {
    await source.close();
  }
}

/** Says what the smallest tiles take where the budget is less. */
function tileFor(
  megabytes: number,
  manifest: ModelFile['manifest'],
  hasInterval: boolean,
  slideWidth: number,
  notes: string[],
): number {
  const rowBytes = manifest.derived === undefined ? 0 : derivedRowBytes[manifest.derived] * slideWidth;
  const { tilePx, bytes } = tileWithin(megabytes * 1e6, manifest, hasInterval, rowBytes);
  if (bytes > megabytes * 1e6) {
    notes.push(
      `--memory ${megabytes}: tiles of ${tilePx} px, the smallest, take about ${Math.ceil(bytes / 1e6)} MB and were used all the same.`,
    );
  }
  return tilePx;
}

/** Whether any tile of the file is done. */
function holdsTiles(sink: SlideSink, { width, height }: PixelSource): boolean {
  for (let y = 0; y < height; y += bandPx) {
    for (let x = 0; x < width; x += bandPx) {
      if (sink.isWritten({ x, y, width: 1, height: 1 })) return true;
    }
  }
  return false;
}

/** Rows written at a time, a row of the file's tiles: what waits to be compressed stays small. */
const bandPx = 512;

/** A predicted tile in bands that end where the file's tiles do; each is copied when its turn comes. */
function* bandsOf(y: number, raster: Raster): Generator<{ top: number; band: Raster }> {
  for (let top = y; top < y + raster.height; ) {
    const bottom = Math.min(y + raster.height, (Math.floor(top / bandPx) + 1) * bandPx);
    const region = { x: 0, y: top - y, width: raster.width, height: bottom - top };
    yield { top, band: cropRaster(raster, region) };
    top = bottom;
  }
}

/** Standard deviations of the training slides' target, below and above its mean, that uint16 samples hold. */
const integerRange = { below: 16, above: 48 };

/** Known before the first tile, so that a resumed prediction has the same; a step is a thousandth of the deviation. */
export function integerScale({
  targetMap,
  targetStatistics,
}: Pick<ModelFile['manifest'], 'targetMap' | 'targetStatistics'>): ValueScale {
  const { offset, scale } = targetStatistics ?? targetMap;
  return valueScaleFor(offset - integerRange.below * scale, offset + integerRange.above * scale, 'uint16');
}

/** Whether two names are of one file that exists. */
async function isSamePath(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((path) => realpath(path).catch(() => undefined)));
  return one !== undefined && one === other;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * The model's own maps, or those and the change of focus that are fitted on this slide's tissue; and why the prediction may
 * not be trusted here.
 */
async function inputsOf(
  { manifest }: ModelFile,
  source: PixelSource,
  channels: readonly number[],
  work: WorkOptions,
): Promise<{ maps: readonly InputMap[]; focus: readonly number[]; warnings: readonly string[] }> {
  const { pixelSizeUm } = manifest;
  const warnings: string[] = [];
  if ('reaches' in manifest.inputMaps) {
    const fitted = await fitInputs(source, channels, manifest.inputMaps, pixelSizeUm, work);
    const { scan, tissue } = fitted;
    if (manifest.trainedOn !== undefined) {
      warnings.push(
        ...strangeInputs(manifest.trainedOn, manifest.roles, looksOf(scan, tissue), fitted.focus),
      );
    }
    warnings.push(...focusNotes(manifest.roles, fitted.focus));
    return { maps: fitted.maps, focus: fitted.focus.map((change) => change ?? 0), warnings };
  }
  if (manifest.derived === undefined && manifest.training.splitBy === 'field') {
    warnings.push(
      'The model was trained on fields of one slide and takes stains to be as bright as there: on other slides the prediction is not to be trusted.',
    );
  }
  // What has nothing to show is refused for these models too; a derived input looks for itself.
  if (manifest.derived === undefined) {
    const any = { reaches: channels.map(() => 1), spectra: channels.map(() => null) };
    await fitInputs(source, channels, any, pixelSizeUm, work);
  }
  return { maps: manifest.inputMaps, focus: channels.map(() => 0), warnings };
}

/** The tissue beside the vessels, by their stain and, where the slide has one, a nuclear stain, as `analyze` finds it. */
async function tissueBeside(
  source: PixelSource,
  vessel: number,
  roles: Readonly<Record<string, string>>,
  pixelSizeUm: number,
  work: WorkOptions,
): Promise<BitMask> {
  const { nuclei } = findRoles(source, [], ['nuclei'], roles);
  const inputs = nuclei === undefined || nuclei === vessel ? [vessel] : [vessel, nuclei];
  return (await scanTissue(source, inputs, [], pixelSizeUm, work)).bits;
}

/** The command that gives this prediction again: with the channels that were read, without what only changes time, memory or names. */
function commandOf(
  { model, slide, pixelSizeUm, z, t, interval, sampleType }: ReturnType<typeof parsePredict>,
  source: PixelSource,
  named: readonly string[],
  assigned: Readonly<Record<string, number>>,
): string {
  const roles = Object.fromEntries(
    named.map((role) => [role, source.channels[assigned[role]].name] as const),
  );
  const given = {
    model: basename(model),
    slide: basename(withoutQuery(slide)),
    roles,
    pixelSizeUm,
    z,
    t,
    interval,
    sampleType,
  };
  return shellText(commandArguments(predictCommand, given));
}
