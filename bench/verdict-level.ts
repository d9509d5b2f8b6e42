// How often a patchy probe that knows nothing of the vessels is called extravasated, and how often one that does is found, by the
// size of the field. Run: node bench/verdict-level.ts [FIELDS [SEED]]; a tenth of a second to two a field.
import { Rng } from '../src/core/rng.ts';
import { BitMask } from '../src/spatial/bit-mask.ts';
import { findComponents } from '../src/spatial/components.ts';
import { DistanceMap, wallDistanceUm } from '../src/spatial/distance-map.ts';
import { bootstrapBlocks, usedBlocks } from '../src/spatial/extravasation.ts';
import { smooth } from '../src/spatial/gaussian.ts';
import { memorySource } from '../src/spatial/memory-source.ts';
import { nearnessChance } from '../src/spatial/nearness-chance.ts';
import { sumSpace } from '../src/spatial/space-sums.ts';

const fields = Number(process.argv[2] ?? 200);
const rng = new Rng(Number(process.argv[3] ?? 1));
const [pixelSizeUm, background, mean, patches, noise] = [3, 80, 100, 10, 2];
/** Vessels a square millimetre, their radius, and the length over which a probe that comes from them falls off, um. */
const [density, radiusUm, lengthUm] = [400, 6, 12];

/** Round vessels anywhere. */
function drawVessels(edge: number): BitMask {
  const mask = new BitMask(edge, edge);
  const radius = radiusUm / pixelSizeUm;
  for (let i = 0; i < density * (edge * pixelSizeUm * 1e-3) ** 2; i++) {
    const [cx, cy] = [rng.uniform(0, edge), rng.uniform(0, edge)];
    for (let y = Math.max(0, Math.floor(cy - radius)); y < Math.min(edge, cy + radius); y++)
      for (let x = Math.max(0, Math.floor(cx - radius)); x < Math.min(edge, cx + radius); x++)
        if (Math.hypot(x + 0.5 - cx, y + 0.5 - cy) <= radius) mask.set(x, y, true);
  }
  return mask;
}

/** Smoothed noise of variance 1, cut from the middle of a larger field. */
function drawPatches(edge: number, sigmaUm: number): Float32Array {
  const margin = Math.ceil((4 * sigmaUm) / pixelSizeUm);
  const size = edge + 2 * margin;
  const white = Float32Array.from({ length: size * size }, () => rng.normal());
  const all = smooth(white, size, size, sigmaUm / pixelSizeUm);
  const sd = Math.sqrt(all.reduce((sum, v) => sum + v * v, 0) / all.length);
  return Float32Array.from(
    { length: edge * edge },
    (_, i) => all[(Math.floor(i / edge) + margin) * size + (i % edge) + margin] / sd,
  );
}

async function fieldOf(edge: number, sigmaUm: number, effect: number) {
  const vessels = drawVessels(edge);
  const squared = new Float64Array(edge * edge);
  new DistanceMap(vessels).squared(0, edge, squared, new Float64Array(edge * edge));
  const data = drawPatches(edge, sigmaUm).map((patch, i) => {
    const fall = Math.exp(-wallDistanceUm(squared[i], pixelSizeUm) / lengthUm);
    return mean + patches * patch + effect * fall + noise * rng.normal();
  });
  const raster = { channels: 1, height: edge, width: edge, data };
  const all = new BitMask(edge, edge).inverted();
  const sums = await sumSpace({
    probes: [{ source: memorySource({ raster, channelNames: ['probe'], pixelSizeUm }), channel: 0 }],
    ...{ tissue: all, solid: all, vessels, objects: findComponents(vessels, 8), pixelSizeUm },
    // As `analyze` takes them.
    blockUm: Math.max(80, Math.min(500, (edge * pixelSizeUm) / 12)),
    ...{ cellUm: 20, beyondUm: 3, aroundUm: 50 },
  });
  const { wide, high, edgePx, pixels, probe, distance } = sums.cells;
  const valid = Uint8Array.from(pixels, (n) => (n >= 0.25 * edgePx ** 2 ? 1 : 0));
  const values = pixels.map((n, i) => (valid[i] === 1 ? probe[0][i] / n : 0));
  const p = nearnessChance(
    { wide, high, valid, values },
    pixels.map((n, i) => distance[i] / n),
    pixels,
  );
  const options = { resamples: 400, level: 0.95, seed: 0 };
  const { closerUm } = bootstrapBlocks(
    sums,
    0,
    { whole: () => background, resampled: () => () => background },
    options,
  ).measures;
  return {
    blocks: usedBlocks(sums.blocks).length,
    isBeyond: closerUm.low > 0,
    isBelow: closerUm.high < 0,
    isUnlikely: p <= 0.025,
  };
}

console.log(
  '| field, um | patches of, um | squares | probe at walls | interval below 0 | interval above 0 | test alone | both |',
);
console.log('|---|---|---|---|---|---|---|---|');
for (const [edge, sigmaUm, effect] of [
  [54, 15, 0],
  [80, 15, 0],
  [160, 15, 0],
  [160, 30, 0],
  [240, 30, 0],
  [333, 30, 0],
  [80, 15, 20],
  [160, 15, 20],
  [160, 30, 20],
  [160, 30, 10],
] as const) {
  const found: Awaited<ReturnType<typeof fieldOf>>[] = [];
  for (let i = 0; i < fields; i++) found.push(await fieldOf(edge, sigmaUm, effect));
  const share = (is: (each: (typeof found)[number]) => boolean): string =>
    `${((100 * found.filter(is).length) / fields).toFixed(1)}%`;
  const cells = [
    edge * pixelSizeUm,
    sigmaUm,
    found[0].blocks,
    effect > 0 ? `+${effect}` : 'as elsewhere',
    share(({ isBelow }) => isBelow),
    share(({ isBeyond }) => isBeyond),
    share(({ isUnlikely }) => isUnlikely),
    share(({ isBeyond, isUnlikely }) => isBeyond && isUnlikely),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
