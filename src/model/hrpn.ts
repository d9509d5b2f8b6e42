/**
 * The default network: four parallel streams at 1/2, 1/4, 1/8 and 1/16 resolution that exchange what they know
 * after every block. Pixels enter and leave through space-to-depth, so nothing finer than the first stream is
 * lost and no layer works at full resolution. No layer looks at the whole tile.
 */
import type { Value } from '../engine/graph.ts';
import { add } from '../engine/ops/add.ts';
import { averagePool, resizeNearest } from '../engine/ops/average-pool.ts';
import { relu } from '../engine/ops/relu.ts';
import { depthToSpace, spaceToDepth } from '../engine/ops/space-depth.ts';
import { heNormal, type Initializer, type NetworkBuilder } from './network.ts';

/** Channels of the streams, finest first. */
const widths = [32, 32, 48, 96];
const stages = 3;

const scaled =
  (initializer: Initializer, factor: number): Initializer =>
  (rng, shape) =>
    initializer(rng, shape).map((v) => v * factor);

/** [N, roles, H, W] to [N, 1, H, W], both normalised; H and W multiples of the stride. */
export function hrpn(b: NetworkBuilder, input: Value): Value {
  const { graph: g } = b;
  const convNorm = (x: Value, name: string, out: number, gain = 1): Value =>
    b.convNorm(x, name, `${name}.norm`, { out, gain });
  /** x + two convolutions; the second begins at zero, so that every block begins as the identity. */
  const block = (x: Value, name: string): Value => {
    const y = relu(g, convNorm(x, `${name}.first`, x.shape[1]));
    return relu(g, add(g, x, convNorm(y, `${name}.second`, x.shape[1], 0)));
  };
  // 1 x 1 convolutions on the coarser side of each exchange, where they cost least.
  const mix = { kernel: 1, initialize: scaled(heNormal, 0.5) };
  const down = (x: Value, name: string, out: number): Value =>
    b.conv(averagePool(g, x, 2), name, { out, ...mix });
  const up = (x: Value, name: string, out: number): Value =>
    resizeNearest(g, b.conv(x, name, { out, ...mix }), 2);

  let streams = [relu(g, convNorm(spaceToDepth(g, input, 2), 'stem', widths[0]))];
  for (let i = 1; i < widths.length; i++) {
    streams.push(relu(g, convNorm(averagePool(g, streams[i - 1], 2), `enter${i}`, widths[i])));
  }
  for (let stage = 0; stage < stages; stage++) {
    // The finest stream costs most a layer: one block, then it only takes part in the exchange.
    const done = streams.map((x, i) => (i === 0 && stage > 0 ? x : block(x, `stage${stage}.stream${i}`)));
    if (stage === stages - 1) {
      streams = done;
      break;
    }
    streams = done.map((x, i) => {
      let sum = x;
      if (i > 0) sum = add(g, sum, down(done[i - 1], `stage${stage}.down${i}`, widths[i]));
      if (i < done.length - 1) sum = add(g, sum, up(done[i + 1], `stage${stage}.up${i}`, widths[i]));
      return relu(g, sum);
    });
  }
  // From the coarsest to the finest, so that every stream reaches the output.
  const joined = streams.reduceRight((coarse, x, i) =>
    relu(g, add(g, x, up(coarse, `head.up${i}`, widths[i]))),
  );
  const x = relu(g, convNorm(joined, 'head.0', widths[0]));
  return depthToSpace(g, b.conv(x, 'head.1', { out: 4, initialize: scaled(heNormal, 0.1) }), 2);
}
