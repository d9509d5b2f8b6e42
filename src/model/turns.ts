/**
 * The mean of what a network makes of an image in its turns and mirrorings, each turned back. Tissue has no upright, and
 * a network that saw every turn in training still errs differently in each (Timofte, Rothe and Van Gool 2016).
 */
import type { Graph, Value } from '../engine/graph.ts';
import { add } from '../engine/ops/add.ts';
import { mul } from '../engine/ops/mul.ts';
import { flip } from '../engine/ops/slice-pad.ts';
import { transpose } from '../engine/ops/transpose.ts';
import type { NetworkFunction } from './network.ts';

/** How many turns and mirrorings a model can be the mean of; 1 is the image as it is. */
export const turnCounts = [1, 2, 4, 8] as const;
export type TurnCount = (typeof turnCounts)[number];

/** The first two are half a turn apart, the first four keep rows as rows. */
const turns = [false, true].flatMap((exchanged) =>
  [[], [2, 3], [2], [3]].map((flipped) => ({ exchanged, flipped })),
);

/** The same parameters, `count` times as many operations. */
export function meanOverTurns(network: NetworkFunction, count: TurnCount): NetworkFunction {
  if (count === 1) return network;
  return (builder, input) => {
    const { graph } = builder;
    const predictions = turns.slice(0, count).map(({ exchanged, flipped }) => {
      const turned = flip(graph, exchanged ? exchange(graph, input) : input, flipped);
      const back = flip(graph, network(builder, turned), flipped);
      return exchanged ? exchange(graph, back) : back;
    });
    const sum = predictions.reduce((a, b) => add(graph, a, b));
    return mul(graph, sum, graph.scalar(1 / count));
  };
}

/** Rows become columns. */
function exchange(graph: Graph, image: Value): Value {
  return transpose(graph, image, [0, 1, 3, 2]);
}
