/**
 * Optimisers as graph nodes over flat vectors: every parameter of a model lies in one vector [P], and so does
 * every kind of optimiser state, which makes an update a handful of long element-wise operations.
 */
import type { Graph, Value } from './graph.ts';
import { add } from './ops/add.ts';
import { div } from './ops/div.ts';
import { mul } from './ops/mul.ts';
import { pow } from './ops/pow.ts';
import { sqrt } from './ops/sqrt.ts';
import { sub } from './ops/sub.ts';

export interface OptimiserInputs {
  /** [P] each. */
  readonly parameters: Value;
  readonly gradient: Value;
  /** Scalar. */
  readonly learningRate: Value;
  /** Scalar: the number of this step, beginning with 1. */
  readonly step: Value;
  /** [P] each, one per entry of the optimiser's `state`, zero at the start. */
  readonly state: readonly Value[];
}

export interface Optimiser {
  /** Names of the state vectors. */
  readonly state: readonly string[];
  /** Adds the update; returns the new parameters and the new state. */
  update(graph: Graph, inputs: OptimiserInputs): { parameters: Value; state: readonly Value[] };
}

/** AdamW (Loshchilov and Hutter 2019), PyTorch's defaults; plain Adam without weight decay. */
export function adamW({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = {}): Optimiser {
  return {
    state: ['adam.m', 'adam.v'],
    update: (graph, { parameters, gradient, learningRate, step, state: [m, v] }) => {
      const number = (value: number): Value => graph.scalar(value);
      const moment = add(graph, mul(graph, m, number(beta1)), mul(graph, gradient, number(1 - beta1)));
      const square = mul(graph, mul(graph, gradient, gradient), number(1 - beta2));
      const second = add(graph, mul(graph, v, number(beta2)), square);
      // Bias corrections 1 - beta^step, with beta^step by the runtime's Pow.
      const correction = (beta: number): Value => sub(graph, number(1), pow(graph, number(beta), step));
      const root = sqrt(graph, div(graph, second, correction(beta2)));
      const scale = div(graph, learningRate, correction(beta1));
      const change = div(graph, mul(graph, moment, scale), add(graph, root, number(epsilon)));
      const decayed =
        weightDecay === 0
          ? parameters
          : mul(graph, parameters, sub(graph, number(1), mul(graph, learningRate, number(weightDecay))));
      return { parameters: sub(graph, decayed, change), state: [moment, second] };
    },
  };
}

/** RMSprop with momentum and coupled weight decay, as PyTorch's `optim.RMSprop`. */
export function rmsProp({ alpha = 0.99, epsilon = 1e-8, momentum = 0, weightDecay = 0 } = {}): Optimiser {
  return {
    state: ['rmsprop.square', 'rmsprop.momentum'],
    update: (graph, { parameters, gradient, learningRate, state: [square, velocity] }) => {
      const number = (value: number): Value => graph.scalar(value);
      const g =
        weightDecay === 0 ? gradient : add(graph, gradient, mul(graph, parameters, number(weightDecay)));
      const mean = add(
        graph,
        mul(graph, square, number(alpha)),
        mul(graph, mul(graph, g, g), number(1 - alpha)),
      );
      const scaled = div(graph, g, add(graph, sqrt(graph, mean), number(epsilon)));
      const moved = add(graph, mul(graph, velocity, number(momentum)), scaled);
      return { parameters: sub(graph, parameters, mul(graph, moved, learningRate)), state: [mean, moved] };
    },
  };
}
