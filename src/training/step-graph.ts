/**
 * One training step as a graph: forward, loss, gradients, clipping, optimiser, running statistics and the
 * moving average of the parameters. Everything that lives on is an output carried to an input of the next run.
 */
import { assert } from '../core/errors.ts';
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
import { atLeast, type Loss, weightedMse } from './losses.ts';

export interface StepOptions {
  readonly network: NetworkFunction;
  readonly layout: NetworkLayout;
  readonly optimiser: Optimiser;
  readonly batch: number;
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

/**
 * Inputs: `inputs` [N, C, P, P], `target` and `weight` [N, 1, P, P], scalars `learningRate`, `step` (from 1),
 * `averageDecay`, the dropout masks, and the carried vectors. Outputs: `loss` (of this batch, before the
 * update), `gradientNorm`, and the carried vectors.
 */
export function buildStepGraph(options: StepOptions): StepGraph {
  const { layout, optimiser, batch, roles, patch, loss: lossFrom = weightedMse } = options;
  const graph = new Graph();
  const length = layout.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const carry: Record<string, string> = {};
  const stateLengths: Record<string, number> = {};
  const carried = (name: string, size: number): Value => {
    stateLengths[name] = size;
    carry[`${name}.next`] = name;
    return graph.input(name, [size]);
  };

  const parameters = carried('parameters', length);
  const builder = new TrainingBuilder(graph, layout, parameters);
  const prediction = options.network(builder, graph.input('inputs', [batch, roles, patch, patch]));
  const plane = [batch, 1, patch, patch];
  const loss = lossFrom(graph, prediction, graph.input('target', plane), graph.input('weight', plane));
  graph.output('loss', loss);

  const flat = flatGradient(graph, loss, builder, layout);
  const norm = sqrt(graph, reduceSum(graph, mul(graph, flat, flat)));
  graph.output('gradientNorm', norm);
  const { clipNorm } = options;
  const gradient =
    clipNorm === undefined
      ? flat
      : mul(graph, flat, div(graph, graph.scalar(clipNorm), atLeast(graph, norm, clipNorm)));

  const updated = optimiser.update(graph, {
    parameters,
    gradient,
    learningRate: graph.input('learningRate', []),
    step: graph.input('step', []),
    state: optimiser.state.map((name) => carried(name, length)),
  });
  graph.output('parameters.next', updated.parameters);
  updated.state.forEach((value, i) => {
    graph.output(`${optimiser.state[i]}.next`, value);
  });
  const average = carried('average', length);
  const decay = graph.input('averageDecay', []);
  const gap = sub(graph, average, updated.parameters);
  graph.output('average.next', add(graph, updated.parameters, mul(graph, gap, decay)));

  if (builder.statistics.length > 0) {
    const size = layout.statistics.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const running = carried('statistics', size);
    const change = sub(graph, concat(graph, builder.statistics, 0), running);
    const momentum = options.averageStatistics ? sub(graph, graph.scalar(1), decay) : graph.scalar(0.1);
    graph.output('statistics.next', add(graph, running, mul(graph, change, momentum)));
  }
  return { graph, carry, stateLengths, dropoutMasks: builder.dropoutMasks };
}
