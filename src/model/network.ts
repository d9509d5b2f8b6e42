/**
 * How a network is written: once, as a function of a `NetworkBuilder`, which turns it into a training graph
 * (parameters come from one flat vector, batch normalisation uses the batch) or a prediction graph (parameters
 * are constants, batch normalisation uses running statistics).
 */
import { assert } from '../core/errors.ts';
import type { Rng } from '../core/rng.ts';
import { Graph, type Shape, sizeOf, type Value } from '../engine/graph.ts';
import { batchNormalization, batchNormalizationFixed } from '../engine/ops/batch-normalization.ts';
import { type ConvolutionOptions, conv } from '../engine/ops/convolution.ts';
import { dropout } from '../engine/ops/dropout.ts';
import { reshape } from '../engine/ops/reshape.ts';
import { split } from '../engine/ops/split.ts';

/** Draws a parameter's first value. */
export type Initializer = (rng: Rng, shape: Shape) => Float32Array;

export interface TensorSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly initialize: Initializer;
}

/** What a network consists of: `parameters` are learnt, `statistics` are running means and variances. */
export interface NetworkLayout {
  readonly parameters: readonly TensorSpec[];
  readonly statistics: readonly TensorSpec[];
}

/** Input [N, roles, H, W], normalised, H and W multiples of the network's stride -> output [N, 1, H, W]. */
export type NetworkFunction = (builder: NetworkBuilder, input: Value) => Value;

export interface ConvLayerOptions extends ConvolutionOptions {
  readonly out: number;
  readonly kernel?: number;
  readonly bias?: boolean;
  readonly initialize?: Initializer;
  /** First value of the scale of a batch normalisation; 1 unless given. */
  readonly gain?: number;
}

export interface NetworkBuilder {
  readonly graph: Graph;
  parameter(name: string, shape: Shape, initialize: Initializer): Value;
  /** Convolution with a learnt weight `name.weight` and, unless switched off, bias `name.bias`. */
  conv(x: Value, name: string, options: ConvLayerOptions): Value;
  /** Convolution, without bias unless asked, and batch normalisation `normName`. */
  convNorm(x: Value, name: string, normName: string, options: ConvLayerOptions): Value;
  /** Drops whole channels at random while training. */
  channelDropout(x: Value, name: string, rate: number): Value;
}

/** He et al. 2015: normal with variance 2 / fan-in. */
export const heNormal: Initializer = (rng, shape) => {
  const sd = Math.sqrt(2 / sizeOf(shape.slice(1)));
  return Float32Array.from({ length: sizeOf(shape) }, () => rng.normal(0, sd));
};

/** PyTorch's default for convolutions: uniform within 1 / sqrt(fan-in). */
export const fanInUniform: Initializer = (rng, shape) => {
  const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
  return Float32Array.from({ length: sizeOf(shape) }, () => rng.uniform(-bound, bound));
};

export const filled =
  (value: number): Initializer =>
  (_, shape) =>
    new Float32Array(sizeOf(shape)).fill(value);

abstract class BuilderBase implements NetworkBuilder {
  readonly graph: Graph;
  constructor(graph: Graph) {
    this.graph = graph;
  }
  abstract parameter(name: string, shape: Shape, initialize: Initializer): Value;
  abstract convNorm(x: Value, name: string, normName: string, options: ConvLayerOptions): Value;
  abstract channelDropout(x: Value, name: string, rate: number): Value;

  conv(x: Value, name: string, options: ConvLayerOptions): Value {
    const { weight, bias } = this.convParameters(x, name, { bias: true, ...options });
    return conv(this.graph, x, weight, bias, options);
  }

  protected convParameters(
    x: Value,
    name: string,
    options: ConvLayerOptions,
  ): { weight: Value; bias?: Value } {
    const { out, kernel = 3, initialize = heNormal } = options;
    const weight = this.parameter(`${name}.weight`, [out, x.shape[1], kernel, kernel], initialize);
    return options.bias ? { weight, bias: this.parameter(`${name}.bias`, [out], filled(0)) } : { weight };
  }
}

/** Records what a network consists of; its graph is thrown away. */
class LayoutBuilder extends BuilderBase {
  readonly parameters: TensorSpec[] = [];
  readonly statistics: TensorSpec[] = [];
  parameter(name: string, shape: Shape, initialize: Initializer): Value {
    this.parameters.push({ name, shape, initialize });
    return this.graph.input(name, shape);
  }
  convNorm(x: Value, name: string, normName: string, options: ConvLayerOptions): Value {
    const { weight, bias } = this.convParameters(x, name, options);
    const scale = this.parameter(`${normName}.weight`, [options.out], filled(options.gain ?? 1));
    const shift = this.parameter(`${normName}.bias`, [options.out], filled(0));
    this.statistics.push({ name: `${normName}.mean`, shape: [options.out], initialize: filled(0) });
    this.statistics.push({ name: `${normName}.variance`, shape: [options.out], initialize: filled(1) });
    return batchNormalization(this.graph, conv(this.graph, x, weight, bias, options), scale, shift).y;
  }
  channelDropout(x: Value): Value {
    return x;
  }
}

/** The parameters and statistics of a network for the given number of input roles. */
export function layoutOf(network: NetworkFunction, roles: number, stride: number): NetworkLayout {
  const builder = new LayoutBuilder(new Graph());
  network(builder, builder.graph.input('input', [1, roles, stride * 2, stride * 2]));
  return builder;
}

/** A mask that training must feed: entries 0 or 1 / (1 - rate). */
export interface DropoutMask {
  readonly name: string;
  readonly shape: Shape;
  readonly rate: number;
}

/** Writes a network into a training graph. */
export class TrainingBuilder extends BuilderBase {
  /** One value per parameter of the layout, in its order. */
  readonly parameters: readonly Value[];
  /** The batch's statistics, in the order of the layout's. */
  readonly statistics: Value[] = [];
  readonly dropoutMasks: DropoutMask[] = [];
  readonly #byName: ReadonlyMap<string, Value>;

  /** @param flat all parameters in one vector, in the layout's order */
  constructor(graph: Graph, layout: NetworkLayout, flat: Value) {
    super(graph);
    const parts = split(
      graph,
      flat,
      layout.parameters.map(({ shape }) => sizeOf(shape)),
      0,
    );
    this.parameters = layout.parameters.map(({ shape }, i) => reshape(graph, parts[i], shape));
    this.#byName = new Map(layout.parameters.map(({ name }, i) => [name, this.parameters[i]]));
  }
  parameter(name: string): Value {
    const value = this.#byName.get(name);
    assert(value, `the network has no parameter ${name}`);
    return value;
  }
  convNorm(x: Value, name: string, normName: string, options: ConvLayerOptions): Value {
    const { weight, bias } = this.convParameters(x, name, options);
    const { y, mean, variance } = batchNormalization(
      this.graph,
      conv(this.graph, x, weight, bias, options),
      this.parameter(`${normName}.weight`),
      this.parameter(`${normName}.bias`),
    );
    this.statistics.push(mean, variance);
    return y;
  }
  channelDropout(x: Value, name: string, rate: number): Value {
    const shape = [x.shape[0], x.shape[1], 1, 1];
    this.dropoutMasks.push({ name, shape, rate });
    return dropout(this.graph, x, this.graph.input(name, shape));
  }
}

/** Writes a network into a prediction graph with its parameters as constants. */
export class PredictionBuilder extends BuilderBase {
  readonly #tensors: ReadonlyMap<string, Float32Array>;
  readonly #constants = new Map<string, Value>();

  /** @param tensors values of all parameters and statistics of the layout, by name */
  constructor(graph: Graph, tensors: ReadonlyMap<string, Float32Array>) {
    super(graph);
    this.#tensors = tensors;
  }
  parameter(name: string, shape: Shape): Value {
    // Once, for networks that are applied several times.
    const known = this.#constants.get(name) ?? this.graph.constant(this.#tensor(name), shape, name);
    this.#constants.set(name, known);
    return known;
  }
  /** The runtime folds the normalisation into the convolution when it loads the model. */
  convNorm(x: Value, name: string, normName: string, options: ConvLayerOptions): Value {
    const { weight, bias } = this.convParameters(x, name, options);
    const perChannel = (part: string): Value => this.parameter(`${normName}.${part}`, [options.out]);
    return batchNormalizationFixed(this.graph, conv(this.graph, x, weight, bias, options), {
      scale: perChannel('weight'),
      bias: perChannel('bias'),
      mean: perChannel('mean'),
      variance: perChannel('variance'),
    });
  }
  channelDropout(x: Value): Value {
    return x;
  }
  #tensor(name: string): Float32Array {
    const tensor = this.#tensors.get(name);
    assert(tensor, `the network has no parameter ${name}`);
    return tensor;
  }
}
