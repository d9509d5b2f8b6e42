// Use case `simulate`: slides of tissue whose probe follows from known physics, with that truth beside them.
import { mkdir, readFile, rm } from 'node:fs/promises';
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
import { writeFailure } from '../core/atomic-file.ts';
import { UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { slideModel } from '../tissue/cohort.ts';
import { type Preset, presetOf } from '../tissue/presets.ts';
import type { SlideModel } from '../tissue/slide-model.ts';
import { TilePool } from '../tissue/tile-pool.ts';
import { type SlidePlace, simulateSlide } from './simulate-slide.ts';

/**
 * Slides are made one after another, each tile by tile; what exists is complete. An interrupted run goes on with
 * `resume`, from the tiles it has.
 * @throws UsageError when slides of these names exist and neither `resume` nor `overwrite` is given
 * @throws FileAccessError, WriteError, CancelledError
 */
export async function simulate(given: SimulateOptions, work: WorkOptions = {}): Promise<SimulateResult> {
  const options = parseOptions(simulateCommand, given);
  const started = performance.now();
  const preset = presetOf(options.preset);
  const count = options.slides ?? preset.slides;
  const places = Array.from({ length: count }, (_, i) => placeOf(options.out, i, count));
  await checkPlaces(places, options);
  await mkdir(options.out, { recursive: true }).catch((cause) => {
    throw writeFailure(options.out, cause);
  });

  const slides: SimulateResult['slides'] = [];
  const pool = new TilePool(options.threads ?? availableParallelism());
  try {
    for (const [i, place] of places.entries()) {
      const model = modelOf(options, preset, i);
      const about = { preset: options.preset, particleNm: Number(options.particle), seed: options.seed };
      const existing = await finishedTruth(place);
      if (existing !== undefined && options.resume && existing.model === JSON.stringify(model)) {
        slides.push({ path: place.path, truthPath: place.truthPath, ceilings: existing.ceilings });
        continue;
      }
      if (!options.resume) await clear(place);
      const ceilings = await simulateSlide(
        {
          place,
          model,
          about,
          pool,
          isFull: (options.truth ?? (preset.fullTruth ? 'full' : 'expected')) === 'full',
          resume: options.resume,
          label: `slide ${i + 1} of ${count}`,
        },
        work,
      );
      slides.push({ path: place.path, truthPath: place.truthPath, ceilings });
    }
  } finally {
    await pool.close();
  }
  return {
    slides,
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    files: places.flatMap(({ path, truthPath }) => [path, truthPath]),
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

async function checkPlaces(places: readonly SlidePlace[], options: SimulateSettings): Promise<void> {
  // Both are given where a run that was begun with `overwrite` goes on.
  if (options.resume || options.overwrite) return;
  for (const place of places) {
    if ((await finishedTruth(place)) === undefined) continue;
    throw new UsageError(
      `${place.path} exists already. Choose another --out, or add --resume to go on or --overwrite to replace it.`,
    );
  }
}

/** What truth.json says, where a slide is complete; it is written last. */
async function finishedTruth({
  truthPath,
}: SlidePlace): Promise<{ model: string; ceilings: SimulateCeilings } | undefined> {
  const text = await readFile(join(truthPath, 'truth.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { model, ceilings } = JSON.parse(text);
    return { model: JSON.stringify(model), ceilings };
  } catch {
    return undefined;
  }
}

async function clear({ path, truthPath }: SlidePlace): Promise<void> {
  await rm(truthPath, { recursive: true, force: true });
  await rm(path, { force: true });
}
