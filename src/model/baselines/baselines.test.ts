/** The building blocks of the baselines against what they stand for. */
import { expect, it } from 'vitest';
import { Rng } from '../../core/rng.ts';
import { Graph, type Value } from '../../engine/graph.ts';
import { encodeModel } from '../../engine/onnx/encode.ts';
import { createSession } from '../../engine/session.ts';
import { smooth } from '../../spatial/gaussian.ts';
import { PredictionBuilder } from '../network.ts';
import { distance, distanceSteps, stepOf } from './distance.ts';
import { gaussianBlur } from './gaussian-bank.ts';
import { kernelWeights, transportFeatures } from './transport.ts';

async function run(
  extent: number,
  image: Float32Array,
  network: (graph: Graph, x: Value) => Value,
): Promise<Float32Array> {
  const graph = new Graph();
  graph.output('y', network(graph, graph.input('x', [1, 1, extent, extent])));
  const session = await createSession(encodeModel(graph), { threads: 2 });
  const { y } = await session.run({ x: { data: image, shape: [1, 1, extent, extent] } });
  await session.close();
  return y.data as Float32Array;
}

it.each([1.4, 5, 11, 40])('smooths as a Gaussian of %f px does, away from the borders', async (sigma) => {
  const extent = 320;
  const rng = new Rng(3);
  // As smooth as what the wide Gaussians are for: noise of single pixels would show the averaging grid.
  const image = smooth(
    Float32Array.from({ length: extent ** 2 }, () => rng.uniform()),
    extent,
    extent,
    1,
  );
  const found = await run(extent, image.slice(), (graph, x) => gaussianBlur(graph, x, sigma));
  const expected = smooth(image, extent, extent, sigma);
  const spread = Math.max(...expected) - Math.min(...expected);
  for (let y = 136; y < 184; y += 5) {
    for (let x = 136; x < 184; x += 5) {
      const gap = Math.abs(found[y * extent + x] - expected[y * extent + x]);
      // Kernels end at three standard deviations and those of SciPy at four.
      expect(gap).toBeLessThan(0.02 * spread + 2e-3 * expected[y * extent + x]);
    }
  }
});

/** K0 by its integral, the integral from 0 to infinity of exp(-x cosh t). */
function besselK0(x: number): number {
  let sum = 0;
  const step = 1e-3;
  for (let t = step / 2; t < 12; t += step) sum += Math.exp(-x * Math.cosh(t)) * step;
  return sum;
}

it.each([4, 12, 30])(
  'the bank adds up to the kernel of screened diffusion of length %i um',
  async (lengthUm) => {
    const [extent, centre] = [512, 256];
    const point = new Float32Array(extent ** 2);
    point[centre * extent + centre] = 1;
    const weights = kernelWeights(lengthUm);
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    const planes = await run(extent, point, (graph, x) =>
      transportFeatures(1)(new PredictionBuilder(graph, new Map()), x),
    );
    for (const share of [0.5, 1, 2]) {
      const r = Math.round(share * lengthUm);
      // Wide Gaussians see the point as a block of 16 x 16 pixels that begins there; left and right make up for it.
      const [left, right] = [-r, r].map((step) => centre * extent + centre + step);
      const found = weights.reduce(
        (sum, w, k) => sum + (w * (planes[k * extent ** 2 + left] + planes[k * extent ** 2 + right])) / 2,
        0,
      );
      const exact = besselK0(r / lengthUm) / (2 * Math.PI * lengthUm ** 2);
      // Widths in steps of a square root of two, and kernels cut at three deviations.
      expect(Math.abs(found / exact - 1), `at ${r} um`).toBeLessThan(0.06);
    }
  },
);

it('distance looks its profile up, the vessel first and everything beyond the cap last', async () => {
  const profile = Float32Array.from({ length: distanceSteps }, (_, i) => 1000 - i);
  const um = Float32Array.of(0, 0.049, 0.051, 1, 149.99, 150, 151, 1e6, 0.35);
  const found = await run(3, um.slice(), (graph, x) =>
    distance(new PredictionBuilder(graph, new Map([['distance.profile', profile]])), x),
  );
  expect([...found]).toEqual([...um].map((d) => profile[stepOf(d)]));
  expect([...found.slice(0, 4)]).toEqual([1000, 1000, 999, 990]);
  expect([...found.slice(5, 8)]).toEqual([-500, -500, -500]);
});
