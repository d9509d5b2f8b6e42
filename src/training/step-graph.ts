/**
 * One training step as a graph: forward, loss, gradients, clipping, optimiser, running statistics and the
 * moving average of the parameters. Everything that lives on is an output carried to an input of the next run.
 */
import { assert } from '../core/errors.ts';
import { atLeast } from '../engine/at-least.ts';
import { gradients } from '../engine/autodiff.ts';
import { Graph, sizeOf, type Value } from '../engine/graph.ts';
import { add } from '../engine/ops/add.ts';
import { concat } from '../engine/ops/concat.ts';
import { div } from '../engine/ops/div.ts';
import { mul } from '../engine/ops/mul.ts';
import { reshape } from '../engine/ops/reshape.ts';
import { sqrt } from '../engine/ops/sqrt.ts';
import { sub } from '../engine/ops/sub.ts';
import { reduceSum } from '../engine/ops/sum-expand.ts';
import type { Optimiser } from '../engine/optimisers.ts';
import {
  type DropoutMask,
  type NetworkFunction,
  type NetworkLayout,
  type TensorSpec,
  TrainingBuilder,
} from '../model/network.ts';
import { averaged, CarriedVectors, movedStatistics } from './carried-vectors.ts';
import { type Loss, weightedMse } from './losses.ts';
import { vectorLength } from './tensors.ts';

export interface StepOptions {
  readonly network: NetworkFunction;
  readonly layout: NetworkLayout;
  readonly optimiser: Optimiser;
  /** Patches of a run of the graph. */
  readonly batch: number;
  /** Runs that make up a step, 1 unless given: see `buildStepGraph`. */
  readonly parts?: number;
  readonly roles: number;
  /** Edge of a patch in pixels. */
  readonly patch: number;
  /** Mean squared error unless given. */
  readonly loss?: Loss;
  /** Gradients longer than this are shortened to it; not clipped unless given. */
  readonly clipNorm?: number;
  /**
   * Averages batch statistics as long as the parameters, for a prediction with averaged parameters; else a batch
   * counts for a tenth, as in PyTorch. The mean of a dozen crops is a poor guess at a slide's.
   */
  readonly averageStatistics?: boolean;
}

export interface StepGraph {
  readonly graph: Graph;
  /** Outputs that end the forward pass. */
  readonly losses: readonly string[];
  /** Output name -> the input it becomes in the next step. */
  readonly carry: Readonly<Record<string, string>>;
  /** Lengths of the carried vectors by input name. */
  readonly stateLengths: Readonly<Record<string, number>>;
  readonly dropoutMasks: readonly DropoutMask[];
  /** Carried vectors, by input name, that begin as drawn tensors rather than zeros, beside the network's own. */
  readonly drawn?: Readonly<Record<string, readonly TensorSpec[]>>;
}

/** The gradient of a loss with respect to all parameters of a network, as one vector in the layout's order. */
export function flatGradient(
  graph: Graph,
  loss: Value,
  builder: TrainingBuilder,
  layout: NetworkLayout,
): Value {
  const found = gradients(graph, loss, builder.parameters);
  return concat(
    graph,
    found.map((gradient, i) => {
      assert(gradient, `parameter ${layout.parameters[i].name} does not influence the loss`);
      return reshape(graph, gradient, [sizeOf(gradient.shape)]);
    }),
    0,
  );
}

/** The gradient, no longer than `most`. */
function clipped(graph: Graph, gradient: Value, most: number): Value {
  const norm = sqrt(graph, reduceSum(graph, mul(graph, gradient, gradient)));
  return mul(graph, gradient, div(graph, graph.scalar(most), atLeast(graph, norm, most)));
}

/**
 * Inputs: `inputs` [N, C, P, P], `target` and `weight` [N, 1, P, P], scalars `learningRate`, `step` (from 1),
 * `averageDecay`, the dropout masks, and the carried vectors. Outputs: `loss` (of this batch, before the
 * update) and the carried vectors.
 *
 * A step of several parts holds one part's activations at a time: gradients and batch statistics are summed in
 * carried vectors, and the last run clips and updates once. Two more inputs, scalars: `share` of the run's weights in
 * those of the step, with which the sum is the gradient of the whole batch's mean loss, and `isLast`, 1 in the last
 * run, else 0. Batch normalisation sees one part at a time; running statistics move by the mean over the parts.
 */
export function buildStepGraph(options: StepOptions): StepGraph {
  const { layout, optimiser, batch, roles, patch, parts = 1, loss: lossFrom = weightedMse } = options;
  const graph = new Graph();
  const length = vectorLength(layout.parameters);
  const carried = new CarriedVectors(graph);

  const one = graph.scalar(1);
  const isLast = parts > 1 ? graph.input('isLast', []) : one;
  const isNotLast = sub(graph, one, isLast);
  /** The sum over the runs of a step up to this one. */
  const summed = (name: string, value: Value): Value => {
    if (parts === 1) return value;
    const sum = add(graph, carried.before(name, sizeOf(value.shape)), value);
    carried.after(name, mul(graph, sum, isNotLast));
    return sum;
  };
  /** What a carried vector becomes when the step is done. */
  const settle = (name: string, before: Value, after: Value): void => {
    const value = parts === 1 ? after : add(graph, mul(graph, after, isLast), mul(graph, before, isNotLast));
    carried.after(name, value);
  };

  const parameters = carried.before('parameters', length);
  const builder = new TrainingBuilder(graph, layout, parameters);
  const prediction = options.network(builder, graph.input('inputs', [batch, roles, patch, patch]));
  const plane = [batch, 1, patch, patch];
  const loss = lossFrom(graph, prediction, graph.input('target', plane), graph.input('weight', plane));
  graph.output('loss', loss);

  const own = flatGradient(graph, loss, builder, layout);
  const flat = summed('gradientSum', parts === 1 ? own : mul(graph, own, graph.input('share', [])));
  const { clipNorm } = options;
  const gradient = clipNorm === undefined ? flat : clipped(graph, flat, clipNorm);

  const shapes = layout.parameters.map(({ shape }) => shape);
  const state = carried.optimiserState(optimiser, shapes);
  const updated = optimiser.update(graph, {
    parameters,
    gradient,
    shapes,
    learningRate: graph.input('learningRate', []),
    step: graph.input('step', []),
    state,
  });
  settle('parameters', parameters, updated.parameters);
  for (const [name, value] of Object.entries(updated.state)) settle(name, state[name], value);
  const average = carried.before('average', length);
  const decay = graph.input('averageDecay', []);
  settle('average', average, averaged(graph, average, updated.parameters, decay));

  if (builder.statistics.length > 0) {
    const running = carried.before('statistics', vectorLength(layout.statistics));
    const found = concat(graph, builder.statistics, 0);
    const ofStep = summed('statisticsSum', parts === 1 ? found : mul(graph, found, graph.scalar(1 / parts)));
    const momentumDecay = options.averageStatistics ? decay : undefined;
    settle('statistics', running, movedStatistics(graph, running, ofStep, momentumDecay));
  }
  return {
    graph,
    losses: ['loss'],
    carry: carried.carry,
    stateLengths: carried.lengths,
    dropoutMasks: builder.dropoutMasks,
  };
}
