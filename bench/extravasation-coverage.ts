// How often the interval that `analyze` states holds the extravasation distances of a simulated slide's truth (noise-free
// probe, true vessels), and what the controls give. Run: node bench/extravasation-coverage.ts SLIDES...
// with slides of `hrpn simulate` (full truth).

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scanSlide } from '../src/dataset/scan-slide.ts';
import { analyze } from '../src/experiment/analyze.ts';
import { percentileBackground } from '../src/experiment/analyze-background.ts';
import { scanTissue, tissueBits } from '../src/experiment/slide-layers.ts';
import { openSlide } from '../src/slide/open-slide.ts';
import { BitMask } from '../src/spatial/bit-mask.ts';
import { findComponents } from '../src/spatial/components.ts';
import { addBlocks, type ExtravasationKey, extravasationOf } from '../src/spatial/extravasation.ts';
import { sumSpace } from '../src/spatial/space-sums.ts';

const keys: readonly ExtravasationKey[] = ['meanUm', 'medianUm', 'p90Um', 'halfDistanceUm', 'closerUm'];
const tallies = keys.map((key) => ({ key, held: 0, known: 0, open: 0, width: 0, error: 0 }));
const slides = process.argv.slice(2);
const verdicts: Record<string, number> = {};

/** The same functional on the slide's noise-free probe and true vessels. */
async function truthOf(path: string) {
  const [slide, expected, vessels] = await Promise.all(
    [path, ...['expected', 'vessels'].map((name) => path.replace('.ome.tif', `.truth/${name}.ome.tif`))].map(
      (p) => openSlide(p),
    ),
  );
  const { width, height } = slide;
  const pixelSizeUm = slide.pixelSizeUm as number;
  const { bits, solid } = await scanTissue(slide, [0, 1], [], pixelSizeUm, {});
  const mask = BitMask.fromBytes(
    (await vessels.read({ x: 0, y: 0, width, height }, [0])).data,
    width,
    height,
  );
  const scan = await scanSlide(expected, { inputs: [0] }, pixelSizeUm, {});
  const background = percentileBackground(scan, 0, (cell) => solid.cells[cell] === 1, 1, 80);
  const sums = await sumSpace({
    ...{
      probes: [{ source: expected, channel: 0 }],
      tissue: bits,
      solid: tissueBits(solid, width, height),
      vessels: mask,
      objects: findComponents(mask, 8),
    },
    ...{ pixelSizeUm, blockUm: 80, cellUm: 20, beyondUm: 3, aroundUm: 50 },
  });
  await Promise.all([slide, expected, vessels].map((source) => source.close()));
  return extravasationOf(addBlocks(sums.blocks), 0, background.whole.at);
}

const folder = await mkdtemp(join(tmpdir(), 'hrpn-coverage-'));
for (const [i, slide] of slides.entries()) {
  const { extravasation } = await analyze({ slide, out: join(folder, `${i}`) });
  const truth = await truthOf(slide);
  for (const tally of tallies) {
    const { low, high } = extravasation.interval[tally.key];
    // A half-distance that the truth does not reach has no value to hold.
    if (!Number.isFinite(truth[tally.key])) continue;
    tally.known++;
    // An upper end that is "not reached" lies beyond what the tissue shows.
    if (Number.isNaN(high)) tally.open++;
    else tally.width += high - low;
    tally.error += Math.abs(extravasation[tally.key] - truth[tally.key]);
    if (truth[tally.key] >= low && !(truth[tally.key] > high)) tally.held++;
  }
  verdicts[extravasation.verdict] = (verdicts[extravasation.verdict] ?? 0) + 1;
  const { low, high } = extravasation.interval.meanUm;
  console.log(
    `${slide}: mean ${extravasation.meanUm.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}), truth ${truth.meanUm.toFixed(2)}, even ${extravasation.uniformMeanUm.toFixed(2)}: ${extravasation.verdict}`,
  );
}
await rm(folder, { recursive: true, force: true });
for (const { key, held, known, open, width, error } of tallies)
  console.log(
    `${key}: held ${held} of ${known}${open > 0 ? ` (${open} with an upper end that is not reached)` : ''}, mean width ${(width / (known - open)).toFixed(2)} um, mean error ${(error / known).toFixed(2)} um`,
  );
console.log(verdicts);
