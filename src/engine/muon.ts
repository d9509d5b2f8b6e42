/**
 * Muon (Jordan et al. 2024): the step of a weight is its averaged gradient, as a matrix, with all singular values made
 * alike, so that what the gradient shows only faintly is learnt as fast as what dominates it. Scaled to the size of
 * Adam's steps (Liu et al. 2025), so that one learning rate serves both; what is no matrix follows AdamW.
 */
import { type Graph, type Shape, sizeOf, type Value } from './graph.ts';
import { add } from './ops/add.ts';
import { concat } from './ops/concat.ts';
import { div } from './ops/div.ts';
import { matMul } from './ops/mat-mul.ts';
import { mul } from './ops/mul.ts';
import { reshape } from './ops/reshape.ts';
import { split } from './ops/split.ts';
import { sqrt } from './ops/sqrt.ts';
import { sub } from './ops/sub.ts';
import { reduceSum } from './ops/sum-expand.ts';
import { transpose } from './ops/transpose.ts';
import { adamW, type Optimiser } from './optimisers.ts';

/** x -> a x + b x^3 + c x^5, five times, takes (0.01, 1] to about 1 (0.68 to 1.13): Jordan's coefficients. */
const [a, b, c] = [3.4445, -4.775, 2.0315];
const iterations = 5;
/** Root mean square of a step, in units of the learning rate. */
const stepSize = 0.2;
/** Convolutions with fewer outputs or inputs have hardly any directions to tell apart: the output layer. */
const leastExtent = 8;

/** The shape of a convolution's weight as a matrix, one row an entry of the first axis (an output; an input of a transposed convolution); undefined for what is not treated as one. */
function matrixOf(shape: Shape): readonly [rows: number, columns: number] | undefined {
  if (shape.length !== 4) return undefined;
  const matrix = [shape[0], sizeOf(shape.slice(1))] as const;
  return Math.min(...matrix) < leastExtent ? undefined : matrix;
}

/** The last two axes of x with their singular values made alike, by Newton and Schulz's iteration on its Gram matrix. */
export function orthogonalize(graph: Graph, x: Value): Value {
  const [rows, columns] = x.shape.slice(-2);
  const [first, last] = [x.shape.length - 2, x.shape.length - 1];
  const swapped = (y: Value): Value =>
    transpose(graph, y, [...y.shape.keys()].slice(0, -2).concat(last, first));
  if (rows > columns) return swapped(orthogonalize(graph, swapped(x)));
  const norm = sqrt(graph, reduceSum(graph, mul(graph, x, x), [first, last], true));
  const unit = div(graph, x, add(graph, norm, graph.scalar(1e-12)));
  // Every iteration multiplies by a polynomial of the Gram matrix G, which follows along: rows is often far below columns.
  const times = (factor: number, y: Value): Value => mul(graph, y, graph.scalar(factor));
  const diagonal = graph.constant(
    Float32Array.from({ length: rows * rows }, (_, i) => (i % (rows + 1) === 0 ? a : 0)),
    [rows, rows],
  );
  const polynomial = (gram: Value): Value => {
    const even = add(graph, times(b, gram), times(c, matMul(graph, gram, gram)));
    return add(graph, even, diagonal);
  };
  let gram = matMul(graph, unit, swapped(unit));
  let factor = polynomial(gram);
  let product = factor;
  for (let i = 1; i < iterations; i++) {
    gram = matMul(graph, factor, matMul(graph, factor, gram));
    factor = polynomial(gram);
    product = matMul(graph, factor, product);
  }
  return matMul(graph, product, unit);
}

interface Arrangement {
  /** Indices of the matrices, those of one shape side by side. */
  readonly matrices: readonly number[];
  /** [count, rows, columns] of those that are side by side. */
  readonly stacks: readonly (readonly [number, number, number])[];
  /** Indices of all other parameters. */
  readonly rest: readonly number[];
}

function arrange(shapes: readonly Shape[]): Arrangement {
  const alike = new Map<string, number[]>();
  const rest: number[] = [];
  shapes.forEach((shape, i) => {
    const key = matrixOf(shape)?.join();
    if (key === undefined) rest.push(i);
    else alike.set(key, [...(alike.get(key) ?? []), i]);
  });
  const stacks = [...alike.values()].map(
    (members) => [members.length, ...(matrixOf(shapes[members[0]]) ?? [0, 0])] as const,
  );
  return { matrices: [...alike.values()].flat(), stacks, rest };
}

/** @param momentum share of the average that stays in a step; @param weightDecay decoupled, times the learning rate */
export function muon({ momentum = 0.95, weightDecay = 0 } = {}): Optimiser {
  const adam = adamW({ weightDecay });
  return {
    stateLengths: (shapes) => {
      const { stacks, rest } = arrange(shapes);
      const length = stacks.reduce((sum, stack) => sum + sizeOf(stack), 0);
      return { 'muon.m': length, ...adam.stateLengths(rest.map((i) => shapes[i])) };
    },
    update: (graph, { parameters, gradient, shapes, learningRate, step, state }) => {
      const { matrices, stacks, rest } = arrange(shapes);
      const sizes = shapes.map(sizeOf);
      const join = (values: readonly Value[]): Value => concat(graph, values, 0);
      const pick = (values: readonly Value[], indices: readonly number[]): Value =>
        join(indices.map((i) => values[i]));
      const before = split(graph, parameters, sizes, 0);
      const slopes = split(graph, gradient, sizes, 0);

      const { 'muon.m': m, ...adamState } = state;
      const slope = pick(slopes, matrices);
      const towardsSlope = (from: Value): Value =>
        add(graph, mul(graph, from, graph.scalar(momentum)), mul(graph, slope, graph.scalar(1 - momentum)));
      const moment = towardsSlope(m);
      // Nesterov's: where the average will be after one more gradient like this one.
      const steps = split(graph, towardsSlope(moment), stacks.map(sizeOf), 0).map((piece, i) => {
        const stack = stacks[i];
        const scale = graph.scalar(stepSize * Math.sqrt(Math.max(stack[1], stack[2])));
        const even = orthogonalize(graph, reshape(graph, piece, stack));
        return reshape(graph, mul(graph, even, scale), [sizeOf(stack)]);
      });
      const keep = sub(graph, graph.scalar(1), mul(graph, learningRate, graph.scalar(weightDecay)));
      const kept = mul(graph, pick(before, matrices), keep);
      const moved = sub(graph, kept, mul(graph, join(steps), learningRate));

      const others = adam.update(graph, {
        parameters: pick(before, rest),
        gradient: pick(slopes, rest),
        shapes: rest.map((i) => shapes[i]),
        learningRate,
        step,
        state: adamState,
      });
      const order = [...matrices, ...rest];
      const after = split(
        graph,
        join([moved, others.parameters]),
        order.map((i) => sizes[i]),
        0,
      );
      return {
        parameters: pick(
          after,
          shapes.map((_, i) => order.indexOf(i)),
        ),
        state: { 'muon.m': moment, ...others.state },
      };
    },
  };
}
