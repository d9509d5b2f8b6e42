/**
 * Optimisers as graph nodes over flat vectors: every parameter of a model lies in one vector [P], and so does
 * every kind of optimiser state, which makes an update a handful of long element-wise operations. `muon.ts` has one that
 * looks at whole matrices.
 */
import { type Graph, type Shape, sizeOf, type Value } from './graph.ts';
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
  /** Of the parameters, in their order in the vector. */
  readonly shapes: readonly Shape[];
  /** Scalar. */
  readonly learningRate: Value;
  /** Scalar: the number of this step, beginning with 1. */
  readonly step: Value;
  /** Vectors of `stateLengths`, zero at the start. */
  readonly state: Readonly<Record<string, Value>>;
}

export interface Optimiser {
  /** Lengths of the state vectors, by name, for parameters of these shapes. */
  stateLengths(shapes: readonly Shape[]): Readonly<Record<string, number>>;
  /** Adds the update; returns the new parameters and the new state. */
  update(
    graph: Graph,
    inputs: OptimiserInputs,
  ): { parameters: Value; state: Readonly<Record<string, Value>> };
}

const lengthOf = (shapes: readonly Shape[]): number => shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);

/** AdamW (Loshchilov and Hutter 2019), PyTorch's defaults; plain Adam without weight decay. */
export function adamW({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = {}): Optimiser {
  return {
    stateLengths: (shapes) => ({ 'adam.m': lengthOf(shapes), 'adam.v': lengthOf(shapes) }),
    update: (graph, { parameters, gradient, learningRate, step, state }) => {
      const { 'adam.m': m, 'adam.v': v } = state;
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
      return { parameters: sub(graph, decayed, change), state: { 'adam.m': moment, 'adam.v': second } };
    },
  };
}

/** RMSprop with momentum and coupled weight decay, as PyTorch's `optim.RMSprop`. */
export function rmsProp({ alpha = 0.99, epsilon = 1e-8, momentum = 0, weightDecay = 0 } = {}): Optimiser {
  return {
    stateLengths: (shapes) => ({
      'rmsprop.square': lengthOf(shapes),
      'rmsprop.momentum': lengthOf(shapes),
    }),
    update: (graph, { parameters, gradient, learningRate, state }) => {
      const { 'rmsprop.square': square, 'rmsprop.momentum': velocity } = state;
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
      return {
        parameters: sub(graph, parameters, mul(graph, moved, learningRate)),
        state: { 'rmsprop.square': mean, 'rmsprop.momentum': moved },
      };
    },
  };
}
