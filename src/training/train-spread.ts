/**
 * Trains quantile heads (src/model/spread.ts) for a trained network by the pinball loss (Koenker and Bassett 1978), on the
 * patches that the network was trained on; the network itself stays as it is. Patches come from seed and step, so the
 * same seed gives the same heads.
 */
import { CancelledError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import type { AffineMap } from '../dataset/normalisation.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { type Batch, createPatchStream } from '../dataset/patch-stream.ts';
import { atLeast } from '../engine/at-least.ts';
import type { Graph, Value } from '../engine/graph.ts';
import { createGraphSession, createModelSession } from '../engine/graph-session.ts';
import { add } from '../engine/ops/add.ts';
import { div } from '../engine/ops/div.ts';
import { mul } from '../engine/ops/mul.ts';
import { relu } from '../engine/ops/relu.ts';
import { split } from '../engine/ops/split.ts';
import { sub } from '../engine/ops/sub.ts';
import { reduceSum } from '../engine/ops/sum-expand.ts';
import { adamW } from '../engine/optimisers.ts';
import type { Session, TensorData } from '../engine/session.ts';
import { encodeModelFile, type ModelFile } from '../model/model-file.ts';
import { layoutOf } from '../model/network.ts';
import type { NetworkModel } from '../model/registry.ts';
import { spreadLevels, spreadNetwork, spreadStride, spreadTensors } from '../model/spread.ts';
import { datasetFor, targetMapFor } from './dataset-view.ts';
import type { Loss } from './losses.ts';
import { learningRateAt } from './recipes.ts';
import { buildStepGraph } from './step-graph.ts';
import { initialVector, namedTensors } from './tensors.ts';

/** Enough for the pinball loss of a small network to level off. */
const mostSteps = 300;
const batchSize = 2;
const learningRate = 5e-3;
const schedule = { schedule: 'cosine', warmUpSteps: 20 } as const;
const averageDecay = 0.98;
/** Batches that means, deviations and the size of the errors are taken from. */
const scaleBatches = 8;

export interface SpreadTask {
  readonly model: NetworkModel;
  /** The trained network. */
  readonly file: ModelFile;
  readonly dataset: Dataset;
  /** Edge of a patch in pixels, as the network was trained. */
  readonly patch: number;
  /** No more steps than the network was trained for. */
  readonly steps: number;
  readonly seed: number;
  readonly threads: number;
}

/** r = error - quantile costs level * r above the quantile and (level - 1) * r below it; all of one shape. */
export function pinball(graph: Graph, error: Value, quantile: Value, level: number): Value {
  const above = sub(graph, error, quantile);
  const below = relu(graph, sub(graph, quantile, error));
  return add(graph, mul(graph, above, graph.scalar(level)), below);
}

/** Of the heads' output [N, 2, H, W] for errors [N, 1, H, W]: mean over the pixels that count. */
const spreadLoss: Loss = (graph, spread, error, weight) => {
  const [below, above] = split(graph, spread, [1, 1], 1);
  const lower = sub(graph, graph.scalar(0), below);
  const both = add(
    graph,
    pinball(graph, error, lower, spreadLevels[0]),
    pinball(graph, error, above, spreadLevels[1]),
  );
  const sum = reduceSum(graph, mul(graph, both, weight));
  return div(graph, sum, atLeast(graph, reduceSum(graph, weight), 1));
};

/** @returns the bytes of the same model with quantile heads and without intervals. @throws CancelledError, EngineError */
export async function trainSpread(task: SpreadTask, work: WorkOptions = {}): Promise<Uint8Array> {
  const { model, file, patch, seed, threads } = task;
  const dataset = datasetFor(model, task.dataset);
  const roles = dataset.manifest.inputRoles.length;
  const stream = createPatchStream(dataset, {
    split: 'train',
    batch: batchSize,
    patch,
    seed,
    normalized: model.normalized,
    augment: true,
    jitter: true,
  });
  const layout = layoutOf(spreadNetwork, roles + 1, spreadStride);
  const step = buildStepGraph({
    network: spreadNetwork,
    layout,
    optimiser: adamW({ weightDecay: 0.01 }),
    batch: batchSize,
    roles: roles + 1,
    patch,
    clipNorm: 1,
    loss: spreadLoss,
  });
  const network = await createModelSession(file.bytes, { threads, outputs: ['probe'] });
  try {
    const load = async (index: number): Promise<Sample> => {
      if (work.signal?.aborted) throw new CancelledError('training');
      return sampleOf(await stream.load(index), network, targetMapFor(model, task.dataset));
    };
    const scales = scalesOf(
      await Promise.all(Array.from({ length: scaleBatches }, (_, i) => load(i))),
      roles,
    );
    const session = await createGraphSession(step.graph, { threads, carry: step.carry });
    try {
      const parameters = initialVector(layout.parameters, seed);
      await session.setState(
        Object.fromEntries(
          Object.entries(step.stateLengths).map(([name, length]) => {
            const drawn = name === 'parameters' || name === 'average';
            return [name, { data: drawn ? parameters : new Float32Array(length), shape: [length] }];
          }),
        ),
      );
      const total = Math.min(mostSteps, task.steps);
      for (let i = 0; i < total; i++) {
        const scalar = (value: number): TensorData => ({ data: Float32Array.of(value), shape: [] });
        await session.run({
          ...feedsOf(await load(i), scales),
          learningRate: scalar(learningRateAt(schedule, learningRate, i, total)),
          step: scalar(i + 1),
          averageDecay: scalar(i === 0 ? 0 : averageDecay),
        });
        work.onProgress?.({ stage: 'training the intervals', done: i + 1, total });
      }
      const { average } = await session.getState();
      const tensors = new Map([
        ...file.tensors,
        ...namedTensors(layout, average.data as Float32Array, new Float32Array(0)),
        ...scales.tensors,
      ]);
      const { intervals: _, derivedIntervals: __, ...facts } = file.manifest;
      return encodeModelFile(model, tensors, facts);
    } finally {
      await session.close();
    }
  } finally {
    await network.close();
  }
}

/** A batch and what the network makes of it, [N, 1, P, P] in stored units. */
interface Sample {
  readonly batch: Batch;
  readonly predicted: Float32Array;
  readonly measured: Float32Array;
}

async function sampleOf(batch: Batch, network: Session, targetMap: AffineMap): Promise<Sample> {
  const { batch: n, inputs: roles, height, width } = batch.shape;
  const { probe } = await network.run({
    // Copied: what is fed moves to the session.
    pixels: { data: batch.inputs.slice(), shape: [n, roles, height, width] },
    offset: { data: new Float32Array(roles), shape: [roles] },
    scale: { data: new Float32Array(roles).fill(1), shape: [roles] },
  });
  const { offset, scale } = targetMap;
  return {
    batch,
    predicted: probe.data as Float32Array,
    measured: batch.target.map((value) => value * scale + offset),
  };
}

/** What standardises inputs, prediction and errors. */
interface Scales {
  readonly inputs: { readonly center: Float32Array; readonly scale: Float32Array };
  readonly probe: { readonly center: Float32Array; readonly scale: Float32Array };
  readonly unit: Float32Array;
  readonly tensors: readonly [string, Float32Array][];
}

function scalesOf(samples: readonly Sample[], roles: number): Scales {
  const moments = Array.from({ length: roles + 1 }, () => ({ sum: 0, squares: 0 }));
  let [count, errors] = [0, 0];
  for (const { batch, predicted, measured } of samples) {
    const plane = batch.shape.height * batch.shape.width;
    for (let i = 0; i < predicted.length; i++) {
      if (batch.weight[i] === 0) continue;
      count++;
      errors += (measured[i] - predicted[i]) ** 2;
      const patch = Math.floor(i / plane);
      moments.forEach((of, c) => {
        const value =
          c === roles ? predicted[i] : batch.inputs[(patch * roles + c) * plane + (i - patch * plane)];
        of.sum += value;
        of.squares += value * value;
      });
    }
  }
  // An input or a prediction that is the same everywhere has no deviation; 1 then changes nothing.
  const center = Float32Array.from(moments, ({ sum }) => sum / count);
  const scale = Float32Array.from(
    moments,
    ({ sum, squares }) => Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)) || 1,
  );
  const inputs = { center: center.slice(0, roles), scale: scale.slice(0, roles) };
  const probe = { center: center.slice(roles), scale: scale.slice(roles) };
  const unit = Float32Array.of(Math.sqrt(errors / count) || 1);
  return {
    inputs,
    probe,
    unit,
    tensors: [
      [spreadTensors.inputs.center, inputs.center],
      [spreadTensors.inputs.scale, inputs.scale],
      [spreadTensors.probe.center, probe.center],
      [spreadTensors.probe.scale, probe.scale],
      [spreadTensors.unit, unit],
    ],
  };
}

/** Standardised: inputs with the prediction behind them, and errors as the target. */
function feedsOf({ batch, predicted, measured }: Sample, scales: Scales): Record<string, TensorData> {
  const { batch: n, inputs: roles, height, width } = batch.shape;
  const plane = height * width;
  const inputs = new Float32Array(n * (roles + 1) * plane);
  for (let p = 0; p < n; p++) {
    for (let c = 0; c <= roles; c++) {
      const isInput = c < roles;
      const from = isInput
        ? batch.inputs.subarray((p * roles + c) * plane, (p * roles + c + 1) * plane)
        : predicted.subarray(p * plane, (p + 1) * plane);
      const { center, scale } = isInput ? scales.inputs : scales.probe;
      const [middle, deviation] = isInput ? [center[c], scale[c]] : [center[0], scale[0]];
      const to = inputs.subarray((p * (roles + 1) + c) * plane, (p * (roles + 1) + c + 1) * plane);
      for (let i = 0; i < plane; i++) to[i] = (from[i] - middle) / deviation;
    }
  }
  const [unit] = scales.unit;
  return {
    inputs: { data: inputs, shape: [n, roles + 1, height, width] },
    target: {
      data: measured.map((value, i) => (value - predicted[i]) / unit),
      shape: [n, 1, height, width],
    },
    weight: { data: batch.weight, shape: [n, 1, height, width] },
  };
}
