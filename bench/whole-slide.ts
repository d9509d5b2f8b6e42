/**
 * Predicts a large slide by the command line: time, share of it in the network, peak memory.
 *   npm run -s bench:whole-slide -- --model RUN/best.onnx [--size 8192] [--keep]
 * The slide (2 channels, uint8) is a motif of discs of 2048 px, repeated until it fills the size.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { channelOf, createRaster } from '../src/core/raster.ts';
import { Rng } from '../src/core/rng.ts';
import { createOmeTiff } from '../src/slide/create-ome-tiff.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '8192' },
    model: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
if (!values.model) {
  console.error('Give a trained model: --model RUN/best.onnx');
  process.exit(2);
}
const size = Number(values.size);
const folder = await mkdtemp(join(tmpdir(), 'hrpn-whole-slide-'));
const slide = join(folder, 'slide.ome.tif');
const main = new URL('../src/cli/main.ts', import.meta.url).pathname;

/** Bright lines and discs on a dark ground: enough for the reader, writer and network to do their usual work. */
function motif(edge: number): Float32Array[] {
  const rng = new Rng(1);
  return [0, 1].map((channel) => {
    const plane = new Float32Array(edge * edge);
    for (let i = 0; i < plane.length; i++) plane[i] = 8 + rng.uniform(0, 6);
    for (let k = 0; k < (channel === 0 ? 400 : 6000); k++) {
      const [cx, cy, r] = [
        rng.uniform(0, edge),
        rng.uniform(0, edge),
        rng.uniform(3, channel === 0 ? 20 : 9),
      ];
      for (let y = Math.max(0, Math.floor(cy - r)); y < Math.min(edge, cy + r); y++) {
        for (let x = Math.max(0, Math.floor(cx - r)); x < Math.min(edge, cx + r); x++) {
          if ((x - cx) ** 2 + (y - cy) ** 2 < r * r) plane[y * edge + x] += 90;
        }
      }
    }
    return plane;
  });
}

async function writeSlide(): Promise<void> {
  const edge = 2048;
  const planes = motif(edge);
  const sink = await createOmeTiff(slide, {
    width: size,
    height: size,
    channels: [{ name: 'CD31 (vessel)' }, { name: 'DAPI (nuclei)' }],
    sampleType: 'uint8',
    pixelSizeUm: 0.5,
    compression: 'none',
  });
  const step = 2048;
  for (let y = 0; y < size; y += step) {
    for (let x = 0; x < size; x += step) {
      const raster = createRaster(2, Math.min(step, size - y), Math.min(step, size - x));
      planes.forEach((plane, c) => {
        const to = channelOf(raster, c);
        const flip = (x / step) % 2 === 1;
        for (let row = 0; row < raster.height; row++) {
          for (let column = 0; column < raster.width; column++) {
            to[row * raster.width + column] = plane[row * edge + (flip ? edge - 1 - column : column)];
          }
        }
      });
      await sink.write(x, y, raster);
    }
    process.stderr.write(`\rwriting the slide ${Math.floor((100 * y) / size)}%`);
  }
  await sink.finish();
  process.stderr.write('\n');
}

try {
  await writeSlide();
  const run = spawnSync(
    process.execPath,
    [main, 'predict', values.model, slide, '--out', join(folder, 'predicted.ome.tif'), '--json'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (run.status !== 0) process.exit(1);
  const { files: _, notes: __, ...result } = JSON.parse(run.stdout);
  const { size: bytes } = await stat(join(folder, 'predicted.ome.tif'));
  console.log(
    JSON.stringify(
      { ...result, networkShare: result.networkSeconds / result.seconds, predictionBytes: bytes },
      null,
      1,
    ),
  );
} finally {
  if (!values.keep) await rm(folder, { recursive: true });
}
