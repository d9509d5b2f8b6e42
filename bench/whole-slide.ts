/**
 * Predicts a large slide by the command line: time with all that belongs to it, share of it in the network, peak memory.
 *   node bench/whole-slide.ts --model RUN/best.onnx --tile SLIDE [--size 8192] [--folder DIR] [-- OPTIONS OF PREDICT]
 * The slide is a mosaic of SLIDE's first two channels (say, of a simulated one of 2048 px), every other copy mirrored,
 * in SLIDE's sample type and compressed as a scanner's would be. It stays in DIR when that is given, and is used again.
 */
import { spawnSync } from 'node:child_process';
import { access, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { channelOf, createRaster, type Raster } from '../src/core/raster.ts';
import { createOmeTiff, type WrittenType } from '../src/slide/create-ome-tiff.ts';
import { openSlide } from '../src/slide/open-slide.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '8192' },
    model: { type: 'string' },
    tile: { type: 'string' },
    folder: { type: 'string' },
  },
});
if (!values.model || !values.tile) {
  console.error('Give a trained model and a slide to be repeated: --model RUN/best.onnx --tile SLIDE');
  process.exit(2);
}
const size = Number(values.size);
const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'hrpn-whole-slide-')));
const slide = join(folder, `slide-${size}.ome.tif`);
const prediction = join(folder, `predicted-${size}.ome.tif`);
const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** The copy at a column and row of the mosaic, cut at the slide's edge. */
function copyOf(tile: Raster, column: number, row: number): Raster {
  const { width, height } = tile;
  const out = createRaster(
    tile.channels,
    Math.min(height, size - row * height),
    Math.min(width, size - column * width),
  );
  for (let c = 0; c < tile.channels; c++) {
    const [from, to] = [channelOf(tile, c), channelOf(out, c)];
    for (let y = 0; y < out.height; y++) {
      const start = (row % 2 === 1 ? height - 1 - y : y) * width;
      for (let x = 0; x < out.width; x++) {
        to[y * out.width + x] = from[start + (column % 2 === 1 ? width - 1 - x : x)];
      }
    }
  }
  return out;
}

async function writeSlide(from: string): Promise<void> {
  const source = await openSlide(from);
  const { width, height, channels, pixelSizeUm = 0.5 } = source;
  const tile = await source.read({ x: 0, y: 0, width, height }, [0, 1]);
  await source.close();
  const sink = await createOmeTiff(slide, {
    width: size,
    height: size,
    channels: channels.slice(0, 2).map(({ name }) => ({ name })),
    sampleType: channels[0].sampleType as WrittenType,
    pixelSizeUm,
  });
  for (let row = 0; row * height < size; row++) {
    for (let column = 0; column * width < size; column++) {
      await sink.write(column * width, row * height, copyOf(tile, column, row));
    }
    process.stderr.write(`\rwriting the slide ${Math.floor((100 * row * height) / size)}%`);
  }
  await sink.finish();
  process.stderr.write('\n');
}

try {
  const isThere = await access(slide).then(
    () => true,
    () => false,
  );
  if (!isThere) await writeSlide(values.tile);
  const before = performance.now();
  const run = spawnSync(
    process.execPath,
    [main, 'predict', values.model, slide, '--out', prediction, '--overwrite', '--json', ...positionals],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const wallSeconds = (performance.now() - before) / 1000;
  if (run.status !== 0) process.exit(1);
  const { files: _, notes: __, ...result } = JSON.parse(run.stdout);
  const { size: predictionBytes } = await stat(prediction);
  const networkShare = result.networkSeconds / result.seconds;
  console.log(JSON.stringify({ ...result, wallSeconds, networkShare, predictionBytes }, null, 1));
} finally {
  if (values.folder === undefined) await rm(folder, { recursive: true });
}
