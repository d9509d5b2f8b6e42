/**
 * One step of adversarial training as a graph: the generator and its discriminator are updated together, each
 * from the other as it was before the step. Losses are those of least-squares GANs (Mao et al. 2017).
 */
import { Graph, type Value } from '../engine/graph.ts';
import { add } from '../engine/ops/add.ts';
import { concat } from '../engine/ops/concat.ts';
import { mul } from '../engine/ops/mul.ts';
import { reduceMean } from '../engine/ops/reduce-mean.ts';
import { sub } from '../engine/ops/sub.ts';
import { layoutOf, type NetworkFunction, TrainingBuilder } from '../model/network.ts';
import { averaged, CarriedVectors, movedStatistics } from './carried-vectors.ts';
import { weightedMse } from './losses.ts';
import { flatGradient, type StepGraph, type StepOptions } from './step-graph.ts';
import { vectorLength } from './tensors.ts';

export interface AdversarialStepOptions extends Omit<StepOptions, 'loss' | 'parts'> {
  /** [N, 1, P, P] -> [N, 1], 1 for a measured target. */
  readonly discriminator: NetworkFunction;
  /** Weight of the pixel error beside the adversarial loss. */
  readonly pixelWeight: number;
}

/**
 * Inputs and outputs as of `buildStepGraph`, whose `loss` is the mean squared error of the pixels; further outputs
 * are `adversarialLoss` (of the generator) and `discriminatorLoss`, and the discriminator's vectors are carried.
 * The generator minimises pixelWeight * loss + adversarialLoss. Gradients are not clipped.
 */
export function buildAdversarialStepGraph(options: AdversarialStepOptions): StepGraph {
  const { layout, optimiser, batch, roles, patch } = options;
  const graph = new Graph();
  const carried = new CarriedVectors(graph);

  const parameters = carried.before('parameters', vectorLength(layout.parameters));
  const generator = new TrainingBuilder(graph, layout, parameters);
  const plane = [batch, 1, patch, patch];
  const drawn = options.network(generator, graph.input('inputs', [batch, roles, patch, patch]));
  const target = graph.input('target', plane);
  const weight = graph.input('weight', plane);
  const judgeLayout = layoutOf(options.discriminator, 1, patch / 2);
  const judgeParameters = carried.before('discriminator.parameters', vectorLength(judgeLayout.parameters));
  const judge = new TrainingBuilder(graph, judgeLayout, judgeParameters);
  const { pixelLoss, adversarialLoss, discriminatorLoss, generatorLoss } = adversarialLosses(
    graph,
    { drawn, target, weight },
    (image) => options.discriminator(judge, image),
    options.pixelWeight,
  );
  graph.output('loss', pixelLoss);
  graph.output('adversarialLoss', adversarialLoss);
  graph.output('discriminatorLoss', discriminatorLoss);

  const learningRate = graph.input('learningRate', []);
  const step = graph.input('step', []);
  const update = (prefix: string, loss: Value, net: typeof generator, flat: Value): Value => {
    const own = net === generator ? layout : judgeLayout;
    const shapes = own.parameters.map(({ shape }) => shape);
    const updated = optimiser.update(graph, {
      parameters: flat,
      shapes,
      // The discriminator's parameters do not reach the drawn image, so no gradient flows into the generator here.
      gradient: flatGradient(graph, loss, net, own),
      learningRate,
      step,
      state: carried.optimiserState(optimiser, shapes, prefix),
    });
    carried.after(`${prefix}parameters`, updated.parameters);
    for (const [name, value] of Object.entries(updated.state)) carried.after(`${prefix}${name}`, value);
    return updated.parameters;
  };
  const next = update('', generatorLoss, generator, parameters);
  update('discriminator.', discriminatorLoss, judge, judgeParameters);

  const average = carried.before('average', vectorLength(layout.parameters));
  const decay = graph.input('averageDecay', []);
  carried.after('average', averaged(graph, average, next, decay));
  const running = carried.before('statistics', vectorLength(layout.statistics));
  const found = concat(graph, generator.statistics, 0);
  const momentumDecay = options.averageStatistics ? decay : undefined;
  carried.after('statistics', movedStatistics(graph, running, found, momentumDecay));
  return {
    graph,
    losses: ['loss', 'adversarialLoss', 'discriminatorLoss'],
    carry: carried.carry,
    stateLengths: carried.lengths,
    dropoutMasks: generator.dropoutMasks,
    drawn: { 'discriminator.parameters': judgeLayout.parameters },
  };
}

export interface AdversarialLosses {
  readonly pixelLoss: Value;
  readonly adversarialLoss: Value;
  /** pixelWeight * pixelLoss + adversarialLoss. */
  readonly generatorLoss: Value;
  readonly discriminatorLoss: Value;
}

/** All scalars, of images [N, 1, P, P] and the weights of their pixels. */
export function adversarialLosses(
  graph: Graph,
  { drawn, target, weight }: { drawn: Value; target: Value; weight: Value },
  judge: (image: Value) => Value,
  pixelWeight: number,
): AdversarialLosses {
  const pixelLoss = weightedMse(graph, drawn, target, weight);
  // Glass around the tissue is blanked in both images: it would give the drawn ones away.
  const ofMeasured = judge(mul(graph, target, weight));
  const ofDrawn = judge(mul(graph, drawn, weight));
  const one = graph.scalar(1);
  const meanSquare = (x: Value): Value => reduceMean(graph, mul(graph, x, x));
  const adversarialLoss = meanSquare(sub(graph, ofDrawn, one));
  const errors = add(graph, meanSquare(sub(graph, ofMeasured, one)), meanSquare(ofDrawn));
  return {
    pixelLoss,
    adversarialLoss,
    generatorLoss: add(graph, mul(graph, pixelLoss, graph.scalar(pixelWeight)), adversarialLoss),
    discriminatorLoss: mul(graph, errors, graph.scalar(0.5)),
  };
}
