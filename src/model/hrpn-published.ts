/**
 * HRPN as published: an HRNet (Wang et al. 2020) of widths 18/36/72/144 at 1/4 to 1/32 resolution with one block
 * a branch and one module a stage, whose branches are joined at 1/4 and enlarged four times. Names follow the
 * parts of HRNet. 2,176,824 parameters with two inputs.
 */
import type { Value } from '../engine/graph.ts';
import { add } from '../engine/ops/add.ts';
import { concat } from '../engine/ops/concat.ts';
import { relu } from '../engine/ops/relu.ts';
import { resizeBilinear } from '../engine/ops/resize-bilinear.ts';
import { fanInUniform, type NetworkBuilder } from './network.ts';

const widths = [18, 36, 72, 144];

/** [N, roles, H, W] in grey levels to [N, 1, H, W]; H and W multiples of the stride. */
export function hrpnPublished(b: NetworkBuilder, input: Value): Value {
  const { graph: g } = b;
  const convNorm = (x: Value, name: string, out: number, kernel: number, stride = 1, bias = false): Value =>
    b.convNorm(x, name, `${name}.norm`, { out, kernel, stride, bias, initialize: fanInUniform });
  const enlarge = (x: Value, factor: number): Value => resizeBilinear(g, x, factor, 'align_corners');

  const bottleneck = (x: Value, name: string): Value => {
    let y = relu(g, convNorm(x, `${name}.reduce`, 64, 1));
    y = relu(g, convNorm(y, `${name}.spatial`, 64, 3));
    y = convNorm(y, `${name}.expand`, 256, 1);
    return relu(g, add(g, y, x.shape[1] === 256 ? x : convNorm(x, `${name}.shortcut`, 256, 1)));
  };
  const basicBlock = (x: Value, name: string): Value => {
    const y = relu(g, convNorm(x, `${name}.first`, x.shape[1], 3));
    return relu(g, add(g, convNorm(y, `${name}.second`, x.shape[1], 3), x));
  };
  /** Branch `from` brought to the resolution and width of branch `to`. */
  const exchange = (x: Value, from: number, to: number, name: string): Value => {
    if (from > to) return enlarge(convNorm(x, name, widths[to], 1), 2 ** (from - to));
    let y = x;
    for (let step = from; step < to; step++) {
      const last = step === to - 1;
      y = convNorm(y, `${name}.${step - from}`, last ? widths[to] : widths[from], 3, 2);
      if (!last) y = relu(g, y);
    }
    return y;
  };
  const highResolutionModule = (branches: Value[], name: string): Value[] => {
    const done = branches.map((x, i) => basicBlock(x, `${name}.branch${i}`));
    return done.map((_, to) => {
      const parts = done.map((x, from) =>
        from === to ? x : exchange(x, from, to, `${name}.fuse${to}from${from}`),
      );
      return relu(
        g,
        parts.slice(1).reduce((sum, part) => add(g, sum, part), parts[0]),
      );
    });
  };

  let x = relu(g, convNorm(input, 'stem.0', 64, 3, 2));
  x = relu(g, convNorm(x, 'stem.1', 64, 3, 2));
  for (let i = 0; i < 4; i++) x = bottleneck(x, `layer1.${i}`);
  let branches = [
    relu(g, convNorm(x, 'transition1.0', widths[0], 3)),
    relu(g, convNorm(x, 'transition1.1', widths[1], 3, 2)),
  ];
  for (let stage = 2; stage <= 4; stage++) {
    if (stage > 2) {
      const deeper = convNorm(branches[stage - 2], `transition${stage - 1}`, widths[stage - 1], 3, 2);
      branches = [...branches, relu(g, deeper)];
    }
    branches = highResolutionModule(branches, `stage${stage}`);
  }
  const joined = concat(
    g,
    branches.map((branch, i) => (i === 0 ? branch : enlarge(branch, 2 ** i))),
    1,
  );
  x = relu(g, convNorm(joined, 'head.0', 270, 3, 1, true));
  x = b.channelDropout(x, 'head.dropout', 0.1);
  x = b.conv(x, 'head.1', { out: 1, kernel: 1, bias: false, initialize: fanInUniform });
  return enlarge(x, 4);
}
