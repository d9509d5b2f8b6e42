/**
 * Predicts or analyses a large slide by the command line: time with all that belongs to it, share of it in the network, peak memory.
 *   node bench/whole-slide.ts --model RUN/best.onnx --tile SLIDE [--size 8192] [--folder DIR] [-- OPTIONS OF PREDICT]
 *   node bench/whole-slide.ts --tile SLIDE [--size 8192] [--folder DIR] [-- OPTIONS OF ANALYZE]
 * The slide is a mosaic of SLIDE (say, a simulated one of 2048 px): its first two channels to predict from, all of them to
 * analyse; every other copy mirrored, in SLIDE's sample type and compressed as a scanner's would be. It stays in DIR when that is
 * given, and is used again.
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
if (!values.tile) {
  console.error(
    'Give a slide to be repeated, --tile SLIDE, and to predict a trained model, --model RUN/best.onnx',
  );
  process.exit(2);
}
const size = Number(values.size);
const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'hrpn-whole-slide-')));
const { model } = values;
const mostChannels = model ? 2 : 3;
const slide = join(folder, `slide-${size}-${mostChannels}.ome.tif`);
const prediction = join(folder, `predicted-${size}.ome.tif`);
const analysis = join(folder, `analysis-${size}`);
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
  const shown = channels.slice(0, mostChannels);
  const tile = await source.read({ x: 0, y: 0, width, height }, [...shown.keys()]);
  await source.close();
  const sink = await createOmeTiff(slide, {
    width: size,
    height: size,
    channels: shown.map(({ name }) => ({ name })),
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
  const command = model
    ? ['predict', model, slide, '--out', prediction]
    : ['analyze', slide, '--out', analysis];
  const before = performance.now();
  const run = spawnSync(process.execPath, [main, ...command, '--overwrite', '--json', ...positionals], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const wallSeconds = (performance.now() - before) / 1000;
  if (run.status !== 0) process.exit(1);
  const { files: _, notes: __, methods: ___, ...result } = JSON.parse(run.stdout);
  const ofModel = model && {
    networkShare: result.networkSeconds / result.seconds,
    predictionBytes: (await stat(prediction)).size,
  };
  console.log(JSON.stringify({ ...result, wallSeconds, ...ofModel }, null, 1));
} finally {
  if (values.folder === undefined) await rm(folder, { recursive: true });
}
