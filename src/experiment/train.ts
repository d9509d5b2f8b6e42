// Use case `train`: from a dataset to a model file, resumable.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { flagOf, parseOptions } from '../contract/command.ts';
import { type TrainOptions, type TrainResult, trainCommand } from '../contract/train.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import { UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { version } from '../core/version.ts';
import { augmentationText, parseAugmentation } from '../dataset/augment.ts';
import { type Dataset, openDataset } from '../dataset/open-dataset.ts';
import { countWindows } from '../dataset/patch-stream.ts';
import {
  encodeModelFile,
  type ModelFile,
  modelSha256,
  parseModelFile,
  readModelFile,
} from '../model/model-file.ts';
import { type BaselineModel, findBaseline, type NetworkModel, networkNames } from '../model/registry.ts';
import type { TurnCount } from '../model/turns.ts';
import { asStartedFrom } from '../training/dataset-view.ts';
import { type Recipe, recipeOf } from '../training/recipes.ts';
import {
  createRunFolder,
  datasetFingerprint,
  type RunSettings,
  readRunSettings,
  removeBareRun,
  runFiles,
} from '../training/run-folder.ts';
import { trainSpread } from '../training/train-spread.ts';
import { stepsPerEpoch, trainNetwork } from '../training/trainer.ts';
import { calibratedModel } from './calibrate.ts';
import { fitBaseline, requireVessels } from './fit-baseline.ts';
import { networkFor, requireFittingPatch, requireFittingStart } from './training-checks.ts';

type Settings = ReturnType<typeof parseOptions<(typeof trainCommand)['options']>>;

/**
 * Trains a model, or goes on with an interrupted run.
 * @param open for controls that change what a dataset shows
 * @param clock that the time budget and the times reported are counted by; the wall clock unless given
 * @throws UsageError, FileAccessError, FormatError, DataError, ModelError before anything is written;
 * CancelledError, EngineError, WriteError with the last checkpoint kept
 */
export async function train(
  given: TrainOptions,
  work: WorkOptions = {},
  open: (folder: string) => Promise<Dataset> = openDataset,
  clock?: Clock,
): Promise<TrainResult> {
  const options = parseOptions(trainCommand, given);
  const earlier = options.resume ? await readRunSettings(options.out) : undefined;
  const name = options.model ?? earlier?.model ?? 'hrpn';
  const baseline = findBaseline(name);
  if (baseline) return fitModel(baseline, options, earlier, work, open, clock);
  const recipeName = options.recipe ?? earlier?.recipe ?? 'own';
  const recipe = recipeOf(name, recipeName);
  const model = networkFor(name, recipeName);
  const opened = await open(options.dataset);
  try {
    const start = options.from ?? earlier?.from?.path;
    const initial = start === undefined ? undefined : await readModelFile(start);
    const settings = settingsOf(options, earlier, model, recipe, opened, initial);
    const notes = initial ? requireFittingStart(initial, model, opened.manifest) : [];
    const dataset = initial ? asStartedFrom(initial, opened) : opened;
    if (!earlier) await createRunFolder(options.out, settings);
    const outcome = await trainNetwork(
      {
        model,
        recipe,
        dataset,
        settings,
        folder: options.out,
        device: settings.device,
        threads: options.threads ?? availableParallelism(),
        initial,
        timeBudgetSeconds: options.timeBudgetSeconds,
        clock,
        writtenBy: `hrpn ${version}`,
      },
      work,
    ).catch(async (error) => {
      // Nothing was done that --resume could go on from, and the corrected command must find its folder free.
      if (!earlier) await removeBareRun(options.out);
      throw error;
    });
    const threads = options.threads ?? availableParallelism();
    const files = runFiles(options.out);
    await completeModel(files.best, model, settings, outcome.steps, dataset, threads, work);
    return {
      run: options.out,
      model: files.best,
      steps: outcome.steps,
      epochs: outcome.history.at(-1)?.epoch ?? 0,
      trainLoss: outcome.history.at(-1)?.trainLoss ?? Number.NaN,
      validation: outcome.best?.validation ? { ...outcome.best.validation } : null,
      bestEpoch: outcome.best?.epoch ?? 0,
      secondsPerPatch: outcome.secondsPerPatch,
      validationSeconds: outcome.validationSeconds,
      parameters: outcome.parameters,
      seconds: outcome.seconds,
      stoppedBecause: outcome.stoppedBecause,
      notes,
      files: [files.best, files.history, files.checkpoint, files.settings],
    };
  } finally {
    await opened.close();
  }
}

/** The mean over turns, then quantile heads and intervals for that; the file is replaced when all of it is done. */
async function completeModel(
  path: string,
  model: NetworkModel,
  { patch, seed, turns }: RunSettings,
  steps: number,
  dataset: Dataset,
  threads: number,
  work: WorkOptions,
): Promise<void> {
  let file = await readModelFile(path);
  if (turns !== 1) {
    file = parseModelFile(encodeModelFile(model, file.tensors, { ...file.manifest, turns }), path);
  }
  if (dataset.manifest.windows.calibration.length > 0) {
    const task = { model, file, dataset, patch, steps, seed, threads };
    file = parseModelFile(await trainSpread(task, work), path);
  }
  await writeFileAtomic(path, await calibratedModel(file, dataset, threads, work));
}

/** A baseline takes one pass over the data, so --resume does it again. */
async function fitModel(
  baseline: BaselineModel,
  options: Settings,
  earlier: RunSettings | undefined,
  work: WorkOptions,
  open: (folder: string) => Promise<Dataset>,
  clock: Clock | undefined,
): Promise<TrainResult> {
  const of = [
    'from',
    'epochs',
    'stepsPerEpoch',
    'learningRate',
    'batch',
    'microBatch',
    'memory',
    'patch',
    'stopAfter',
    'timeBudgetSeconds',
    'recipe',
    'augment',
    'balance',
    'loss',
    'schedule',
    'averageDecay',
    'turns',
  ] as const;
  const given = of.find((key) => options[key] !== undefined);
  if (given !== undefined) {
    throw new UsageError(
      `${baseline.name} is fitted in closed form and takes no ${flagOf(given)}. Leave it out, or train ${networkNames.join(' or ')}.`,
    );
  }
  if (options.device === 'webgpu') {
    throw new UsageError(`${baseline.name} is fitted on the CPU. Leave out --device webgpu.`);
  }
  const dataset = await open(options.dataset);
  try {
    const { manifest } = dataset;
    requireVessels(baseline, dataset);
    const settings: RunSettings = {
      model: baseline.name,
      dataset: datasetFingerprint(manifest),
      from: null,
      seed: options.seed ?? earlier?.seed ?? 0,
      epochs: 0,
      stepsPerEpoch: 0,
      batch: 0,
      microBatch: null,
      memory: null,
      patch: manifest.patch,
      learningRate: 0,
      stopAfter: null,
      recipe: 'own',
      schedule: 'constant',
      averageDecay: 0,
      augment: 'none',
      balance: false,
      loss: 'mse',
      turns: 1,
      device: 'cpu',
    };
    if (earlier && earlier.dataset !== settings.dataset) throw anotherDataset(options);
    if (earlier) requireSame(options.out, earlier, { model: baseline.name, seed: options.seed });
    else await createRunFolder(options.out, settings);
    const threads = options.threads ?? availableParallelism();
    const task = {
      baseline,
      dataset,
      settings,
      folder: options.out,
      threads,
      clock,
      writtenBy: `hrpn ${version}`,
    };
    const files = runFiles(options.out);
    const { trainMse, validation, parameters, seconds } = await fitBaseline(task, work).catch(
      async (error) => {
        if (!earlier) await removeBareRun(options.out);
        throw error;
      },
    );
    const fitted = await readModelFile(files.best);
    await writeFileAtomic(files.best, await calibratedModel(fitted, dataset, threads, work));
    return {
      run: options.out,
      model: files.best,
      steps: 0,
      epochs: 0,
      trainLoss: trainMse / manifest.targetMap.scale ** 2,
      validation: validation && { ...validation },
      bestEpoch: 0,
      secondsPerPatch: Number.NaN,
      validationSeconds: 0,
      parameters,
      seconds,
      stoppedBecause: 'fitted',
      notes: [],
      files: [files.best, files.settings],
    };
  } finally {
    await dataset.close();
  }
}

function anotherDataset(options: Settings): UsageError {
  return new UsageError(
    `--resume: the run in ${options.out} was trained on another dataset than ${options.dataset}. Give the same one, or start a new run in another folder.`,
  );
}

/** @param stated on the command line, undefined where nothing was */
function requireSame(out: string, earlier: RunSettings, stated: Partial<RunSettings>): void {
  for (const [key, value] of Object.entries(stated)) {
    const held = earlier[key as keyof RunSettings];
    if (value === undefined || value === held) continue;
    throw new UsageError(
      `--resume: the run in ${out} has ${flagOf(key)} ${held ?? 'not given'}, but ${value} was given. Leave it out, or start a new run in another folder.`,
    );
  }
}

/** It may lie elsewhere than it did, but its weights and what it knows of its inputs must be the same. */
function requireSameStart(out: string, earlier: RunSettings['from'], initial: ModelFile | undefined): void {
  if (initial === undefined || modelSha256(initial) === earlier?.sha256) return;
  throw new UsageError(
    earlier === null
      ? `--resume: the run in ${out} was started without --from. Leave it out, or start a new run in another folder.`
      : `--resume: the run in ${out} was started from ${earlier.path} as it was then, and ${initial.path} holds another model. Give a copy of that one with --from, or start a new run in another folder.`,
  );
}

/** The run's settings; those of the earlier part when it is resumed, which what is given must not contradict. */
function settingsOf(
  options: Settings,
  earlier: RunSettings | undefined,
  model: NetworkModel,
  recipe: Recipe,
  dataset: Dataset,
  initial: ModelFile | undefined,
): RunSettings {
  const { manifest } = dataset;
  const fingerprint = datasetFingerprint(manifest);
  const turns = options.turns && (Number(options.turns) as TurnCount);
  const augment = options.augment && augmentationText(parseAugmentation(options.augment));
  if (earlier) {
    if (earlier.dataset !== fingerprint) throw anotherDataset(options);
    requireSameStart(options.out, earlier.from, initial);
    const stated = {
      model: options.model,
      seed: options.seed,
      epochs: options.epochs,
      stepsPerEpoch: options.stepsPerEpoch,
      batch: options.batch,
      microBatch: options.microBatch,
      memory: options.memory,
      patch: options.patch,
      learningRate: options.learningRate,
      stopAfter: options.stopAfter,
      recipe: options.recipe,
      schedule: options.schedule,
      averageDecay: options.averageDecay,
      augment,
      balance: options.balance,
      loss: options.loss,
      turns,
      device: options.device,
    };
    requireSame(options.out, earlier, stated);
    return earlier;
  }
  const patch = options.patch ?? manifest.patch;
  requireFittingPatch(model, patch);
  if (model.adversary && options.loss !== undefined) {
    throw new UsageError(`--loss: ${model.name} has losses of its own, found ${options.loss}. Leave it out.`);
  }
  if (options.stopAfter !== undefined && manifest.windows.validation.length === 0) {
    throw new UsageError(
      `--stop-after ${options.stopAfter} watches the validation error, and the dataset ${options.dataset} has no validation slides. Prepare it with --validation SLIDE, or leave out --stop-after.`,
    );
  }
  if (model.adversary && options.microBatch !== undefined) {
    throw new UsageError(
      `--micro-batch: ${model.name} trains two networks at once, which only whole batches do, found ${options.microBatch}. Leave it out, or choose a smaller --batch.`,
    );
  }
  const batch = options.batch ?? recipe.batch;
  if (options.microBatch !== undefined && batch % options.microBatch !== 0) {
    throw new UsageError(
      `--micro-batch: expected a divisor of the ${batch} patches of a step, found ${options.microBatch}.`,
    );
  }
  return {
    model: model.name,
    dataset: fingerprint,
    from: initial ? { path: resolve(initial.path), sha256: modelSha256(initial) } : null,
    seed: options.seed ?? 0,
    epochs: options.epochs ?? recipe.epochs,
    stepsPerEpoch: options.stepsPerEpoch ?? stepsPerEpoch(countWindows(dataset, 'train', patch), batch),
    batch,
    microBatch: options.microBatch ?? null,
    memory: options.memory ?? null,
    patch,
    learningRate: options.learningRate ?? recipe.learningRate,
    stopAfter: options.stopAfter ?? null,
    recipe: options.recipe ?? 'own',
    schedule: options.schedule ?? recipe.schedule,
    averageDecay: options.averageDecay ?? recipe.averageDecay,
    augment: augment ?? recipe.augment,
    balance: options.balance ?? recipe.balance,
    loss: options.loss ?? recipe.loss,
    turns: turns ?? 1,
    device: options.device ?? 'cpu',
  };
}
