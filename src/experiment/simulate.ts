// Use case `simulate`: slides of tissue whose probe follows from known physics, with that truth beside them.
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseOptions } from '../contract/command.ts';
import {
  type SimulateCeilings,
  type SimulateOptions,
  type SimulateResult,
  type SimulateSettings,
  simulateCommand,
} from '../contract/simulate.ts';
import { partialPath, writeFailure } from '../core/atomic-file.ts';
import { UsageError, WriteError } from '../core/errors.ts';
import { peakResidentBytes } from '../core/peak-resident.ts';
import type { WorkOptions } from '../core/progress.ts';
import { isBegun } from '../slide/create-slide.ts';
import { slideModel } from '../tissue/cohort.ts';
import { type Preset, presetOf } from '../tissue/presets.ts';
import type { SlideModel } from '../tissue/slide-model.ts';
import { TilePool } from '../tissue/tile-pool.ts';
import { isOfAnother, journalOf, type SlidePlace, simulateSlide, truthImagesOf } from './simulate-slide.ts';

/** A slide of the cohort: where it goes and what it is of. */
interface Planned {
  readonly place: SlidePlace;
  readonly model: SlideModel;
}

/** What truth.json says; it is written last. */
interface FinishedTruth {
  /** As text; undefined where it cannot be read. */
  readonly model?: string;
  readonly ceilings?: SimulateCeilings;
  /** By which program and with which options, for people; undefined where it cannot be read. */
  readonly made?: string;
}

/**
 * Slides are made one after another, each tile by tile; what exists is complete. An interrupted run goes on with
 * `resume`, from the tiles it has; finished slides of the same options are left as they are, and made again whole
 * where truth images are asked for that they lack.
 * @throws UsageError without `overwrite`: when slides of these names exist, with `resume` when they are of other options
 * @throws FileAccessError, WriteError (what is done is kept, and the message says so), CancelledError
 */
export async function simulate(given: SimulateOptions, work: WorkOptions = {}): Promise<SimulateResult> {
  const options = parseOptions(simulateCommand, given);
  const started = performance.now();
  const preset = presetOf(options.preset);
  const count = options.slides ?? preset.slides;
  const isFull = (options.truth ?? (preset.fullTruth ? 'full' : 'expected')) === 'full';
  const plan = Array.from({ length: count }, (_, i) => ({
    place: placeOf(options.out, i, count),
    model: modelOf(options, preset, i),
  }));
  if (!options.overwrite) await checkPlaces(plan, options);
  await mkdir(options.out, { recursive: true }).catch((cause) => {
    throw writeFailure(options.out, cause);
  });

  const slides: SimulateResult['slides'] = [];
  const pool = new TilePool(options.threads ?? availableParallelism());
  try {
    for (const [i, { place, model }] of plan.entries()) {
      const about = { preset: options.preset, particleNm: Number(options.particle), seed: options.seed };
      const existing = await finishedTruth(place);
      if (options.resume && existing?.ceilings && (await isFinished(place, model, existing, isFull))) {
        slides.push({ path: place.path, truthPath: place.truthPath, ceilings: existing.ceilings });
        // A run that was killed as its last act left it.
        await rm(journalOf(place), { force: true }).catch((cause) => {
          throw writeFailure(journalOf(place), cause);
        });
        continue;
      }
      const ceilings = await simulateSlide(
        {
          place,
          model,
          about,
          pool,
          isFull,
          // An interrupted run has no truth.json: what lies beside one is of an earlier slide.
          resume: options.resume && existing === undefined,
          label: `slide ${i + 1} of ${count}`,
        },
        work,
      );
      slides.push({ path: place.path, truthPath: place.truthPath, ceilings });
    }
  } catch (error) {
    if (error instanceof WriteError)
      error.message += ' What is done is kept; add --resume to go on from there.';
    throw error;
  } finally {
    await pool.close();
  }
  return {
    slides,
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: peakResidentBytes(),
    files: plan.flatMap(({ place }) => [place.path, place.truthPath]),
  };
}

function modelOf(options: SimulateSettings, preset: Preset, slide: number): SlideModel {
  const sizePx = options.size ?? preset.sizePx;
  return slideModel({ preset, seed: options.seed, sizePx, particleNm: Number(options.particle) }, slide);
}

function placeOf(out: string, index: number, count: number): SlidePlace {
  const name = `slide-${String(index + 1).padStart(Math.max(2, String(count).length), '0')}`;
  return { name, path: join(out, `${name}.ome.tif`), truthPath: join(out, `${name}.truth`) };
}

/** Refuses to replace anything but what an interrupted run left, and with `resume` slides of the same options. */
async function checkPlaces(plan: readonly Planned[], options: SimulateSettings): Promise<void> {
  const there = await stat(options.out).catch(() => undefined);
  if (there !== undefined && !there.isDirectory()) {
    throw new UsageError(`--out ${options.out} is a file; expected a folder.`);
  }
  for (const { place, model } of plan) {
    const truth = await finishedTruth(place);
    if (truth === undefined) {
      if (options.resume && (await isOfAnother(place, model))) {
        throw new UsageError(
          `--resume goes on with slides of the same options, but what an interrupted run left of ${place.path} was made with others. Give those, choose another --out, or add --overwrite to replace it.`,
        );
      }
      // An image of an interrupted run has its journal beside it; any other is not ours to replace.
      if (!(await isThere(place.path)) || (await isThere(journalOf(place)))) {
        if (options.resume || !(await isBegun(place.path))) continue;
        throw new UsageError(
          `${partialPath(place.path)} holds what an interrupted run has done. Add --resume to go on with it, or --overwrite to begin anew.`,
        );
      }
    } else if (options.resume && truth.model === JSON.stringify(model)) continue;
    throw new UsageError(refusal(place.path, options.resume, truth?.made));
  }
}

function refusal(path: string, isResumed: boolean, made: string | undefined): string {
  if (made === undefined) {
    return `${path} exists already, and no truth.json beside it says what it is. Choose another --out, or add --overwrite to replace it.`;
  }
  return isResumed
    ? `--resume goes on with slides of the same options, but ${path} was made ${made}. Give those, choose another --out, or add --overwrite to replace it.`
    : `${path} exists already. Choose another --out, or add --resume to go on or --overwrite to replace it.`;
}

/** @returns undefined where there is no truth.json */
async function finishedTruth({ truthPath }: SlidePlace): Promise<FinishedTruth | undefined> {
  try {
    const truth = JSON.parse(await readFile(join(truthPath, 'truth.json'), 'utf8'));
    const { simulatedBy, model, ceilings, preset, seed, particleNm } = truth;
    return {
      model: JSON.stringify(model),
      ceilings,
      made: `by ${simulatedBy} with --preset ${preset} --size ${model.widthPx} --seed ${seed} --particle ${particleNm}`,
    };
  } catch (cause) {
    // Something lies there that says nothing: it is replaced only when the user says so.
    return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : {};
  }
}

/** Whether a slide is of this model and all that is asked for is there. */
async function isFinished(
  place: SlidePlace,
  model: SlideModel,
  truth: FinishedTruth,
  isFull: boolean,
): Promise<boolean> {
  if (truth.model !== JSON.stringify(model)) return false;
  const there = await Promise.all([place.path, ...truthImagesOf(place, isFull)].map(isThere));
  return there.every(Boolean);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
