/** Batch normalisation: with the statistics of the batch (training) and with fixed ones (prediction). */
import { assert } from '../../core/errors.ts';
import { type Graph, type Node, type Op, sizeOf, type Value } from '../graph.ts';
import { add } from './add.ts';
import { div } from './div.ts';
import { mul } from './mul.ts';
import { reduceMean } from './reduce-mean.ts';
import { reshape } from './reshape.ts';
import { sqrt } from './sqrt.ts';
import { sub } from './sub.ts';
import { reduceSum } from './sum-expand.ts';

/** Keeps a channel that does not vary from dividing by zero; PyTorch's default. */
const epsilon = 1e-5;
const spatial = [0, 2, 3];
const perChannel = (graph: Graph, v: Value): Value => reshape(graph, v, [1, sizeOf(v.shape), 1, 1]);

/** x [N, C, H, W], scale [C], bias [C] -> y, centred x, 1 / sqrt(var + eps) [1, C, 1, 1], mean, var [C]. */
const batchNormalizationOp: Op = {
  name: 'BatchNormalizationTraining',
  infer: ([x]) => {
    const c = x.shape[1];
    const types = [x.shape, x.shape, [1, c, 1, 1], [c], [c]];
    return types.map((shape) => ({ shape, dtype: 'float32' as const }));
  },
  expand: (graph, node) => {
    const [x, scale, bias] = node.inputs;
    const mean = reduceMean(graph, x, spatial, true);
    const centred = sub(graph, x, mean);
    const variance = reduceMean(graph, mul(graph, centred, centred), spatial, true);
    const inverse = div(graph, graph.scalar(1), sqrt(graph, add(graph, variance, graph.scalar(epsilon))));
    const y = add(
      graph,
      mul(graph, centred, mul(graph, perChannel(graph, scale), inverse)),
      perChannel(graph, bias),
    );
    const flat = [x.shape[1]];
    return [y, centred, inverse, reshape(graph, mean, flat), reshape(graph, variance, flat)];
  },
  gradient: (graph, node, [dy, ...others]) => {
    assert(
      others.every((other) => other === undefined),
      'no gradient is known through the statistics of a batch',
    );
    return dy ? [...graph.addAll(gradientOp, gradientInputs(node, dy))] : [];
  },
};

function gradientInputs(node: Node, dy: Value): Value[] {
  return [dy, node.outputs[1], node.outputs[2], node.inputs[1]];
}

/** dy, centred x, inverse deviation, scale -> dx, dscale, dbias. */
const gradientOp: Op = {
  name: 'BatchNormalizationTrainingGradient',
  infer: ([dy, , , scale]) =>
    [dy.shape, scale.shape, scale.shape].map((shape) => ({ shape, dtype: 'float32' as const })),
  expand: (graph, node) => {
    const [dy, centred, inverse, scale] = node.inputs;
    const sumDy = reduceSum(graph, dy, spatial, true);
    const sumDyCentred = reduceSum(graph, mul(graph, dy, centred), spatial, true);
    const count = graph.scalar(scale.shape[0] / sizeOf(dy.shape));
    const slope = mul(graph, perChannel(graph, scale), inverse);
    // dx = slope * (dy - mean(dy) - centred * inverse^2 * mean(dy * centred)), gathered into a dy + b centred + c.
    const b = mul(
      graph,
      mul(graph, mul(graph, slope, mul(graph, inverse, inverse)), mul(graph, sumDyCentred, count)),
      graph.scalar(-1),
    );
    const c = mul(graph, mul(graph, slope, mul(graph, sumDy, count)), graph.scalar(-1));
    const dx = add(graph, add(graph, mul(graph, dy, slope), mul(graph, centred, b)), c);
    return [
      dx,
      reshape(graph, mul(graph, sumDyCentred, inverse), scale.shape),
      reshape(graph, sumDy, scale.shape),
    ];
  },
};

const fixedOp: Op = { name: 'BatchNormalization', infer: ([x]) => [{ shape: x.shape, dtype: 'float32' }] };

/** Normalises every channel of x [N, C, H, W] with fixed statistics [C]; it cannot be differentiated. */
export function batchNormalizationFixed(
  graph: Graph,
  x: Value,
  statistics: { scale: Value; bias: Value; mean: Value; variance: Value },
): Value {
  const { scale, bias, mean, variance } = statistics;
  return graph.add(fixedOp, [x, scale, bias, mean, variance], { epsilon: { float: epsilon } });
}

/**
 * Normalises every channel over batch and space, then scales and shifts it (Ioffe and Szegedy 2015).
 * @returns y [N, C, H, W] and the batch's mean and biased variance, each [C]
 */
export function batchNormalization(
  graph: Graph,
  x: Value,
  scale: Value,
  bias: Value,
): { y: Value; mean: Value; variance: Value } {
  const [y, , , mean, variance] = graph.addAll(batchNormalizationOp, [x, scale, bias], {
    epsilon: { float: epsilon },
  });
  return { y, mean, variance };
}
