// Fits a baseline in closed form on the training slides of a dataset and writes it as a model file.
import { writeFileAtomic } from '../core/atomic-file.ts';
import { type Clock, wallClock } from '../core/clock.ts';
import { UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { identityMap } from '../dataset/normalisation.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { distanceSteps, stepOf } from '../model/baselines/distance.ts';
import { linearFeatures } from '../model/baselines/linear.ts';
import { transportFeatures } from '../model/baselines/transport.ts';
import { encodeModelFile, type ManifestFacts, type ModelFile, parseModelFile } from '../model/model-file.ts';
import { layoutOf, type NetworkFunction } from '../model/network.ts';
import type { BaselineModel } from '../model/registry.ts';
import { fitTransport } from '../training/fit-transport.ts';
import { isotonic } from '../training/isotonic.ts';
import { slideScales } from '../training/model-facts.ts';
import { NormalEquations } from '../training/normal-equations.ts';
import { type RunSettings, runFiles } from '../training/run-folder.ts';
import { vectorLength } from '../training/tensors.ts';
import { resultOf, type ValidationResult } from '../training/validate.ts';
import { type VisitedTile, visitSlides } from './visit-slides.ts';

/** More rows than this do not make a fit of some twenty numbers better. */
const wantedRows = 2_000_000;
/** Penalty of the ridge regression, as a share of the features' variance. */
const ridge = 1e-4;

export interface FitTask {
  readonly baseline: BaselineModel;
  readonly dataset: Dataset;
  readonly settings: RunSettings;
  /** Of the run; exists. */
  readonly folder: string;
  readonly threads: number;
  /** The wall clock unless given. */
  readonly clock?: Clock;
  readonly writtenBy: string;
}

export interface FitOutcome {
  /** Over the pixels that were fitted, in squared stored units. */
  readonly trainMse: number;
  readonly validation: ValidationResult | null;
  readonly parameters: number;
  readonly seconds: number;
}

/** What a fit gives: the tensors in normalised target units. */
interface Fit {
  readonly tensors: ReadonlyMap<string, Float32Array>;
  readonly fitted?: Readonly<Record<string, number>>;
  /** In squared stored units. */
  readonly trainMse: number;
}

/** @throws UsageError when the baseline is computed from vessels and the dataset has none */
export function requireVessels({ name, derived }: BaselineModel, { folder, manifest }: Dataset): void {
  if (derived === undefined || manifest.inputRoles.includes('vessel')) return;
  throw new UsageError(
    `${name} needs the role 'vessel', but the dataset ${folder} has ${manifest.inputRoles.join(', ')}. ` +
      'Prepare it with --input vessel, or take another model.',
  );
}

/**
 * @param task whose dataset has what the baseline needs (`requireVessels`)
 * @throws CancelledError, EngineError, WriteError
 */
export async function fitBaseline(task: FitTask, work: WorkOptions = {}): Promise<FitOutcome> {
  const { baseline, dataset, clock = wallClock } = task;
  const started = clock();
  const { manifest } = dataset;
  const facts = factsOf(task);
  const { tensors, fitted, trainMse } = await fits[baseline.name](task, facts, work);
  const network = baseline.network(manifest.pixelSizeUm);
  const bytes = encodeModelFile(
    { name: baseline.name, network, stride: baseline.stride, normalized: true },
    tensors,
    { ...facts, ...(fitted && { fitted: { ...fitted } }) },
  );
  const path = runFiles(task.folder).best;
  const model = parseModelFile(bytes, path);
  const validation = manifest.windows.validation.length === 0 ? null : await validationOf(task, model, work);
  await writeFileAtomic(path, bytes);
  return {
    trainMse,
    validation,
    parameters: Math.max(1, vectorLength(layoutOf(network, facts.roles.length, 16).parameters)),
    seconds: clock() - started,
  };
}

function factsOf({ baseline, dataset, settings, writtenBy }: FitTask): ManifestFacts {
  const { manifest } = dataset;
  const { derived } = baseline;
  const shared = manifest.sharedMaps;
  const roles = derived === undefined ? manifest.inputRoles : ['vessel'];
  return {
    writtenBy,
    roles,
    targetRole: manifest.targetRole,
    pixelSizeUm: manifest.pixelSizeUm,
    inputMaps:
      derived !== undefined
        ? [identityMap]
        : shared
          ? roles.map((role) => shared[role])
          : slideScales(manifest, roles),
    targetMap: manifest.targetMap,
    ...(derived && { derived }),
    training: {
      dataset: settings.dataset,
      splitBy: manifest.splitBy,
      slides: manifest.slides.filter(({ split }) => split === 'train').length,
      seed: settings.seed,
      steps: 0,
      epoch: 0,
    },
  };
}

type FitFunction = (task: FitTask, facts: ManifestFacts, work: WorkOptions) => Promise<Fit>;

const fits: Readonly<Record<string, FitFunction>> = {
  async constant(_, facts) {
    return {
      tensors: new Map([
        ['constant.weight', new Float32Array(facts.roles.length)],
        ['constant.bias', Float32Array.of(0)],
      ]),
      trainMse: facts.targetMap.scale ** 2,
    };
  },

  async distance(task, facts, work) {
    const sums = new Float64Array(distanceSteps);
    const counts = new Float64Array(distanceSteps);
    const { offset, scale } = facts.targetMap;
    let squares = 0;
    await visitFeatures(
      task,
      facts,
      (_, input) => input,
      1,
      work,
      ({ predicted, measured, counts: counted }) => {
        for (let i = 0; i < counted.length; i++) {
          if (counted[i] === 0) continue;
          const step = stepOf(predicted.data[i]);
          // Less a value near the mean, so that no digits are lost on a pedestal.
          const value = measured[i] - offset;
          sums[step] += value;
          squares += value * value;
          counts[step]++;
        }
      },
    );
    const profile = isotonic(sums, counts);
    const errors = profile.reduce((sum, v, step) => sum + v * (v * counts[step] - 2 * sums[step]), squares);
    return {
      tensors: new Map([['distance.profile', Float32Array.from(profile, (v) => v / scale)]]),
      trainMse: errors / counts.reduce((sum, count) => sum + count, 0),
    };
  },

  async linear(task, facts, work) {
    const features = linearFeatures(facts.pixelSizeUm);
    const sums = await accumulate(task, facts, features, work);
    const each = Array.from({ length: sums.features }, (_, k) =>
      Float64Array.from({ length: sums.features }, (_, i) => +(i === k)),
    );
    const { intercept, coefficients, mse } = sums.solve(each, ridge);
    return { tensors: pointwise('linear', coefficients, intercept, facts), trainMse: mse };
  },

  async transport(task, facts, work) {
    const sums = await accumulate(task, facts, transportFeatures(facts.pixelSizeUm), work);
    const { weights, background, lengthUm, permeability, intravascular, mse } = fitTransport(sums);
    return {
      tensors: pointwise('transport', weights, background, facts),
      fitted: { lengthUm, permeability, intravascular, background },
      trainMse: mse,
    };
  },
};

/** Weights of features in stored units, as the tensors of a 1 x 1 convolution in normalised ones. */
function pointwise(
  name: string,
  weights: Float64Array,
  intercept: number,
  { targetMap: { offset, scale } }: ManifestFacts,
): Map<string, Float32Array> {
  return new Map([
    [`${name}.weight`, Float32Array.from(weights, (w) => w / scale)],
    [`${name}.bias`, Float32Array.of((intercept - offset) / scale)],
  ]);
}

async function accumulate(
  task: FitTask,
  facts: ManifestFacts,
  features: NetworkFunction,
  work: WorkOptions,
): Promise<NormalEquations> {
  const area = task.dataset.slides.reduce(
    (sum, { entry }) => sum + (entry.split === 'train' ? entry.width * entry.height : 0),
    0,
  );
  // No multiple of a usual width, so that sampled pixels do not line up in columns.
  const every = Math.max(1, Math.ceil(area / wantedRows)) | 1;
  let sums: NormalEquations | undefined;
  let row = new Float64Array(0);
  await visitFeatures(task, facts, features, 16, work, ({ predicted, measured, counts }) => {
    const { channels, data } = predicted;
    if (sums === undefined) {
      sums = new NormalEquations(channels);
      row = new Float64Array(channels + 1);
    }
    const plane = counts.length;
    for (let i = 0; i < plane; i += every) {
      if (counts[i] === 0) continue;
      for (let c = 0; c < channels; c++) row[c] = data[c * plane + i];
      row[channels] = measured[i];
      sums.add(row);
    }
  });
  return sums!;
}

/** Runs a network without parameters over the training slides. */
async function visitFeatures(
  { dataset, threads }: FitTask,
  facts: ManifestFacts,
  network: NetworkFunction,
  stride: number,
  work: WorkOptions,
  visit: (tile: VisitedTile) => void,
): Promise<void> {
  const bytes = encodeModelFile({ name: 'features', network, stride, normalized: true }, new Map(), {
    ...facts,
    targetMap: identityMap,
  });
  await visitSlides(dataset, 'train', parseModelFile(bytes, 'features'), threads, visit, work);
}

async function validationOf(
  { dataset, threads }: FitTask,
  model: ModelFile,
  work: WorkOptions,
): Promise<ValidationResult> {
  let [count, sum, squares, errors] = [0, 0, 0, 0];
  // Deviations from a value near the mean, so that no digits are lost on a pedestal.
  const pedestal = model.manifest.targetMap.offset;
  const add = ({ predicted, measured, counts }: VisitedTile): void => {
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue;
      const value = measured[i] - pedestal;
      count++;
      sum += value;
      squares += value * value;
      errors += (predicted.data[i] - measured[i]) ** 2;
    }
  };
  await visitSlides(dataset, 'validation', model, threads, add, work);
  return resultOf({ count, sum, squares, errors });
}
