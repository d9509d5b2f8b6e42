/**
 * Trains a network on a dataset. The sequence of steps is a function of the settings alone: patches and dropout
 * come from the seed and the step, and the checkpoint holds all that lives from step to step, so a run that was
 * interrupted and resumed ends with the same weights as one that was not.
 */
import { existsSync } from 'node:fs';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { type Clock, wallClock } from '../core/clock.ts';
import { CancelledError, DivergenceError, FileAccessError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { parseAugmentation } from '../dataset/augment.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { type Batch, createPatchStream, type PatchStream } from '../dataset/patch-stream.ts';
import { createGraphSession, createModelSession } from '../engine/graph-session.ts';
import type { Device, Session, TensorData } from '../engine/session.ts';
import { encodeModelFile } from '../model/model-file.ts';
import { layoutOf, type NetworkLayout } from '../model/network.ts';
import type { NetworkModel } from '../model/registry.ts';
import { buildAdversarialStepGraph } from './adversarial-step-graph.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { datasetFor, targetMapFor } from './dataset-view.ts';
import { lossOf } from './losses.ts';
import { modelFacts } from './model-facts.ts';
import { type Pace, PaceMeter, unknownPace } from './pace.ts';
import { learningRateAt, type Recipe } from './recipes.ts';
import { type EpochRecord, type RunSettings, runFiles } from './run-folder.ts';
import { stepFeeds } from './step-feeds.ts';
import { buildStepGraph, type StepGraph } from './step-graph.ts';
import { initialVector, namedTensors, vectorFrom, vectorLength } from './tensors.ts';
import { type ValidationResult, validate } from './validate.ts';

/** An epoch of a small dataset is several passes, so that validation does not outweigh training. */
const minStepsPerEpoch = 50;
const checkpointEverySeconds = 120;

export interface TrainingTask {
  readonly model: NetworkModel;
  /** What the settings do not hold: optimiser, warm-up, clipping, jitter. */
  readonly recipe: Pick<Recipe, 'optimiser' | 'warmUpSteps' | 'clipNorm' | 'jitter'>;
  readonly dataset: Dataset;
  readonly settings: RunSettings;
  /** The run's folder; exists. */
  readonly folder: string;
  readonly threads: number;
  /** 'cpu' unless given. */
  readonly device?: Device;
  /** Tensors to start from, and where they are from; drawn from the seed unless given. */
  readonly initial?: { readonly tensors: ReadonlyMap<string, Float32Array>; readonly path: string };
  readonly timeBudgetSeconds?: number;
  /** What budget, history and speed are counted by, in seconds; the wall clock unless given. */
  readonly clock?: Clock;
  /** Written into the model file. */
  readonly writtenBy: string;
}

/** What lives from step to step besides the vectors. */
interface Standing {
  step: number;
  lossSum: number;
  lossSteps: number;
  seconds: number;
  history: EpochRecord[];
  /** The weights that best.onnx holds: after which step, in which epoch; mse is null without validation. */
  best: { step: number; epoch: number; mse: number | null } | null;
  pace?: Pace;
}

/** The pace is that of this call, or where it had no step left, of the last one that had. */
export interface TrainingOutcome extends Pace {
  readonly steps: number;
  readonly history: readonly EpochRecord[];
  /** Of the weights that are kept. */
  readonly best: EpochRecord | undefined;
  readonly parameters: number;
  readonly seconds: number;
  readonly stoppedBecause: 'schedule done' | 'time budget' | 'no better validation';
}

/** Steps of an epoch of a dataset: one pass over the training windows, at least 50. */
export function stepsPerEpoch(trainingWindows: number, batch: number): number {
  return Math.max(minStepsPerEpoch, Math.ceil(trainingWindows / batch));
}

/**
 * Goes on from the folder's checkpoint where there is one, else starts; writes checkpoint, history and best.onnx.
 * @throws CancelledError after a checkpoint of where it stands; DivergenceError, EngineError and WriteError with the
 * last checkpoint as it was
 */
export async function trainNetwork(task: TrainingTask, work: WorkOptions = {}): Promise<TrainingOutcome> {
  const { model, recipe, settings, folder } = task;
  const dataset = datasetFor(model, task.dataset);
  const files = runFiles(folder);
  const roles = dataset.manifest.inputRoles.length;
  const layout = layoutOf(model.network, roles, model.stride);
  const { batch, patch, microBatch } = settings;
  const step = {
    network: model.network,
    layout,
    optimiser: recipe.optimiser,
    batch: microBatch ?? batch,
    parts: batch / (microBatch ?? batch),
    roles,
    patch,
    clipNorm: recipe.clipNorm,
    averageStatistics: settings.averageDecay > 0,
    loss: lossOf(settings.loss, model.normalized, dataset.manifest.targetMap),
  };
  const stepGraph = model.adversary
    ? buildAdversarialStepGraph({ ...step, ...model.adversary })
    : buildStepGraph(step);
  const { normalized } = model;
  const common = { patch, seed: settings.seed, normalized };
  const stream = createPatchStream(dataset, {
    ...common,
    split: 'train',
    batch,
    augment: parseAugmentation(settings.augment),
    jitter: recipe.jitter,
    balance: settings.balance,
  });
  const validation =
    dataset.manifest.windows.validation.length === 0
      ? undefined
      : createPatchStream(dataset, { ...common, split: 'validation', batch: 1 });

  const isResumed = existsSync(files.checkpoint);
  if (!isResumed && existsSync(files.best)) {
    throw new FileAccessError(
      files.checkpoint,
      `--resume: ${folder} holds a model but not the checkpoint ${files.checkpoint}, from which its training would go on. Put it back, or train in another folder; --from ${files.best} starts with this model's weights.`,
    );
  }
  const { state: standing, vectors } = isResumed
    ? await readCheckpoint<Standing>(files.checkpoint, stepGraph.stateLengths)
    : freshStart(task, layout, stepGraph);
  const session = await createGraphSession(stepGraph.graph, {
    device: task.device,
    threads: task.threads,
    carry: stepGraph.carry,
    memory: settings.memory === null ? undefined : { bytes: settings.memory * 1e6, losses: stepGraph.losses },
  });
  try {
    await session.setState(
      Object.fromEntries([...vectors].map(([name, data]) => [name, { data, shape: [data.length] }])),
    );
    const run = new Run(task, layout, stepGraph, standing, session, stream, validation, work);
    return await run.finish();
  } finally {
    await session.close();
  }
}

function freshStart(
  { settings, initial }: TrainingTask,
  layout: NetworkLayout,
  { stateLengths, drawn = {} }: StepGraph,
): { state: Standing; vectors: Map<string, Float32Array> } {
  const parameters = initial
    ? vectorFrom(layout.parameters, initial.tensors, initial.path)
    : initialVector(layout.parameters, settings.seed);
  const statistics = initial
    ? vectorFrom(layout.statistics, initial.tensors, initial.path)
    : initialVector(layout.statistics, settings.seed);
  const known: Record<string, Float32Array> = { parameters, average: parameters.slice(), statistics };
  for (const [name, specs] of Object.entries(drawn)) known[name] = initialVector(specs, settings.seed);
  const vectors = new Map(
    Object.entries(stateLengths).map(([name, length]) => [name, known[name] ?? new Float32Array(length)]),
  );
  const state = { step: 0, lossSum: 0, lossSteps: 0, seconds: 0, history: [], best: null };
  return { state, vectors };
}

class Run {
  readonly #task: TrainingTask;
  readonly #layout: NetworkLayout;
  readonly #stepGraph: StepGraph;
  readonly #standing: Standing;
  readonly #session: Session;
  readonly #stream: PatchStream;
  readonly #validation: PatchStream | undefined;
  readonly #work: WorkOptions;
  readonly #secondsBefore: number;
  readonly #clock: Clock;
  readonly #started: number;
  #savedAt = performance.now();
  readonly #pace = new PaceMeter();

  constructor(
    task: TrainingTask,
    layout: NetworkLayout,
    stepGraph: StepGraph,
    standing: Standing,
    session: Session,
    stream: PatchStream,
    validation: PatchStream | undefined,
    work: WorkOptions,
  ) {
    this.#task = task;
    this.#layout = layout;
    this.#stepGraph = stepGraph;
    this.#standing = standing;
    this.#session = session;
    this.#stream = stream;
    this.#validation = validation;
    this.#work = work;
    this.#secondsBefore = standing.seconds;
    this.#clock = task.clock ?? wallClock;
    this.#started = this.#clock();
  }

  async finish(): Promise<TrainingOutcome> {
    const standing = this.#standing;
    const { settings, timeBudgetSeconds = Number.POSITIVE_INFINITY } = this.#task;
    const totalSteps = settings.epochs * settings.stepsPerEpoch;
    let next: Promise<Batch> | undefined;
    const isOutOfTime = (): boolean => standing.step > 0 && standing.seconds >= timeBudgetSeconds;
    const isPartDone = (): boolean => isOutOfTime() || this.#isEpochWhole();
    const reason = (): TrainingOutcome['stoppedBecause'] | undefined =>
      this.#reasonToStop(totalSteps) ?? (isOutOfTime() ? 'time budget' : undefined);
    // Where a run was stopped while it validated.
    if (standing.step > 0 && isPartDone() && standing.history.at(-1)?.step !== standing.step) {
      await this.#endEpoch(totalSteps);
    }
    let stoppedBecause = reason();
    while (stoppedBecause === undefined) {
      if (this.#work.signal?.aborted) {
        await this.#save();
        throw new CancelledError('training');
      }
      const began = this.#clock();
      const { step } = standing;
      const batch = await (next ?? this.#stream.load(step));
      const running = this.#step(batch, step, totalSteps);
      // The next batch is made while this one is computed.
      next = step + 1 < totalSteps ? this.#stream.load(step + 1) : undefined;
      next?.catch(() => {});
      const loss = await running;
      if (!Number.isFinite(loss)) throw this.#diverged('the loss', step, totalSteps);
      standing.lossSum += loss;
      standing.lossSteps++;
      standing.step++;
      standing.seconds = this.#secondsSoFar();
      this.#pace.addStep(this.#clock() - began);
      this.#report(totalSteps);
      if (isPartDone()) {
        await this.#endEpoch(totalSteps);
        stoppedBecause = reason();
      } else if (performance.now() - this.#savedAt > checkpointEverySeconds * 1000) {
        await this.#save();
      }
    }
    await next?.catch(() => {});
    return {
      steps: standing.step,
      history: standing.history,
      best: standing.history.find(({ step }) => step === standing.best?.step),
      parameters: vectorLength(this.#layout.parameters),
      ...(this.#pace.of(settings.batch) ?? standing.pace ?? unknownPace),
      seconds: standing.seconds,
      stoppedBecause,
    };
  }

  #secondsSoFar(): number {
    return this.#secondsBefore + this.#clock() - this.#started;
  }

  #isEpochWhole(): boolean {
    return this.#standing.step % this.#task.settings.stepsPerEpoch === 0;
  }

  #diverged(what: string, step: number, totalSteps: number): DivergenceError {
    const rate = this.#learningRate(step, totalSteps).toPrecision(2);
    return new DivergenceError(
      `training diverged: ${what} of step ${step + 1} is not a finite number (learning rate ${rate}). ` +
        'Train anew with a lower --learning-rate, and check that no slide holds values far beyond the others.',
    );
  }

  #reasonToStop(totalSteps: number): TrainingOutcome['stoppedBecause'] | undefined {
    const { best, step } = this.#standing;
    const { stopAfter, stepsPerEpoch } = this.#task.settings;
    if (step >= totalSteps) return 'schedule done';
    if (stopAfter === null || !best || best.mse === null) return undefined;
    return Math.floor(step / stepsPerEpoch) - best.epoch >= stopAfter ? 'no better validation' : undefined;
  }

  /** @returns the loss of the whole batch */
  async #step(batch: Batch, step: number, totalSteps: number): Promise<number> {
    const { settings } = this.#task;
    const learningRate = this.#learningRate(step, totalSteps);
    let sum = 0;
    for (const { feeds, share } of stepFeeds(
      batch,
      this.#stepGraph.dropoutMasks,
      settings,
      step,
      learningRate,
    )) {
      const { loss } = await this.#session.run(feeds);
      sum += Number(loss.data[0]) * share;
    }
    return sum;
  }

  #learningRate(step: number, totalSteps: number): number {
    const { settings, recipe } = this.#task;
    const schedule = { schedule: settings.schedule, warmUpSteps: recipe.warmUpSteps };
    return learningRateAt(schedule, settings.learningRate, step, totalSteps);
  }

  #report(totalSteps: number): void {
    const { step, lossSum, lossSteps, history } = this.#standing;
    const { epochs, stepsPerEpoch } = this.#task.settings;
    const last = history.at(-1)?.validation;
    this.#work.onProgress?.({
      stage: 'training',
      done: step,
      total: totalSteps,
      note:
        `epoch ${Math.ceil(step / stepsPerEpoch)} of ${epochs}, loss ${(lossSum / lossSteps).toPrecision(3)}` +
        (last ? `, validation R2 ${last.r2.toFixed(3)}` : ''),
    });
  }

  /** Validates, keeps the model where it is the best so far, and saves. */
  async #endEpoch(totalSteps: number): Promise<void> {
    const standing = this.#standing;
    const { settings, folder } = this.#task;
    const state = await this.#session.getState();
    // Killed at any moment, a model does not lie there without a checkpoint to go on from.
    if (standing.best === null) await this.#save(state);
    const vector = (name: string): Float32Array => (state[name]?.data ?? new Float32Array(0)) as Float32Array;
    const tensors = namedTensors(this.#layout, vector('average'), vector('statistics'));
    const epoch = Math.ceil(standing.step / settings.stepsPerEpoch);
    const bytes = encodeModelFile(this.#task.model, tensors, modelFacts(this.#task, standing.step, epoch));
    const began = this.#clock();
    const validation = await this.#validate(bytes, state);
    if (validation) this.#pace.addValidation(this.#clock() - began);
    // The budget counts all of the run: it may have ended in this validation.
    standing.seconds = this.#secondsSoFar();
    if (validation && !Number.isFinite(validation.mse)) {
      throw this.#diverged('the validation error', standing.step - 1, totalSteps);
    }
    standing.history.push({
      epoch,
      step: standing.step,
      trainLoss: standing.lossSum / standing.lossSteps,
      validation,
      learningRate: this.#learningRate(standing.step - 1, totalSteps),
      seconds: standing.seconds,
    });
    const mse = validation?.mse ?? null;
    const earlier = standing.best?.mse ?? null;
    // Without validation the last model is the one that is kept.
    if (mse === null || earlier === null || mse < earlier) {
      await writeFileAtomic(runFiles(folder).best, bytes);
      standing.best = { step: standing.step, epoch, mse };
    }
    if (this.#isEpochWhole()) {
      standing.lossSum = 0;
      standing.lossSteps = 0;
    }
    await this.#save(state);
  }

  /** @returns null where the dataset has no validation slides; whatever stops it, the state is kept */
  async #validate(model: Uint8Array, state: Record<string, TensorData>): Promise<ValidationResult | null> {
    if (!this.#validation) return null;
    const session = await createModelSession(model, {
      device: this.#task.device,
      threads: this.#task.threads,
    });
    try {
      const { model: network, dataset } = this.#task;
      return await validate(session, this.#validation, targetMapFor(network, dataset), this.#work.signal);
    } catch (error) {
      await this.#save(state);
      throw error;
    } finally {
      await session.close();
    }
  }

  async #save(state?: Record<string, TensorData>): Promise<void> {
    // A run that is interrupted after its last step measures nothing when it goes on.
    this.#standing.pace = this.#pace.of(this.#task.settings.batch) ?? this.#standing.pace;
    const files = runFiles(this.#task.folder);
    const tensors = Object.entries(state ?? (await this.#session.getState()));
    const lines = this.#standing.history.map((record) => `${JSON.stringify(record)}\n`);
    await writeFileAtomic(files.history, lines.join(''));
    await writeCheckpoint(files.checkpoint, {
      state: this.#standing,
      vectors: new Map(tensors.map(([name, { data }]) => [name, data as Float32Array])),
    });
    this.#savedAt = performance.now();
  }
}
