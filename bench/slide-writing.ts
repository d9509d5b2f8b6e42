// What it costs to store a prediction, and what is lost, by format, sample type and compression: CPU time of all threads
// together (so that what else runs does not matter), bytes, and the error that integers with a recorded scale add.
//   node bench/slide-writing.ts PREDICTED.ome.tif MODEL
// PREDICTED is what `predict` wrote in float32, MODEL what it was predicted with: its training data give the scale.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cropRaster } from '../src/core/raster.ts';
import { integerScale } from '../src/experiment/predict.ts';
import { readModelFile } from '../src/model/model-file.ts';
import { createSlide, type SlideDescription } from '../src/slide/create-slide.ts';
import { openSlide } from '../src/slide/open-slide.ts';

const [predicted, model] = process.argv.slice(2);
if (model === undefined) {
  console.error('Give a prediction in float32 and its model: PREDICTED.ome.tif MODEL');
  process.exit(2);
}
const { manifest } = await readModelFile(model);
const valueScale = integerScale(manifest);
const source = await openSlide(predicted);
const { width, height } = source;
const whole = { x: 0, y: 0, width, height };
const raster = await source.read(whole, [0]);
await source.close();

const bandPx = 512;
const kinds: [string, 'float32' | 'uint16', NonNullable<SlideDescription['compression']>][] = [
  ['ome.tif', 'float32', 'none'],
  ['ome.tif', 'float32', 'deflate'],
  ['ome.tif', 'float32', 'zstd'],
  ['ome.tif', 'uint16', 'deflate'],
  ['ome.tif', 'uint16', 'zstd'],
  ['ome.zarr', 'float32', 'zstd'],
  ['ome.zarr', 'uint16', 'zstd'],
];

async function bytesOf(path: string): Promise<number> {
  const found = await stat(path);
  if (found.isFile()) return found.size;
  let sum = 0;
  for (const name of await readdir(path, { recursive: true })) {
    const file = await stat(join(path, name));
    if (file.isFile()) sum += file.size;
  }
  return sum;
}

/** Largest and root mean square difference from what was predicted, as shares of the target's standard deviation. */
async function errorsOf(path: string): Promise<string> {
  const stored = await openSlide(path);
  const { data } = await stored.read(whole, [0]);
  await stored.close();
  let [most, squares] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const error = Math.abs(data[i] - raster.data[i]);
    most = Math.max(most, error);
    squares += error * error;
  }
  const share = (error: number): string => (error / manifest.targetMap.scale).toExponential(1);
  return `${share(most)} | ${share(Math.sqrt(squares / data.length))}`;
}

/** @param rows of the prediction that are written */
async function write(
  out: string,
  [, sampleType, compression]: (typeof kinds)[number],
  rows: number,
): Promise<void> {
  const sink = await createSlide(out, {
    width,
    height: rows,
    channels: [{ name: 'probe' }],
    sampleType,
    compression,
    pixelSizeUm: manifest.pixelSizeUm,
    ...(sampleType === 'uint16' && { valueScale }),
  });
  for (let y = 0; y < rows; y += bandPx) {
    const band = Math.min(bandPx, rows - y);
    await sink.write(0, y, cropRaster(raster, { x: 0, y, width, height: band }));
  }
  await sink.finish();
}

console.log('format | samples | compression | CPU s a gigapixel | bytes a pixel | largest error | RMS error');
const folder = await mkdtemp(join(tmpdir(), 'hrpn-bench-'));
for (const kind of kinds) {
  const out = join(folder, `slide.${kind[0]}`);
  // The first rows pay for the compilation of the code.
  await write(out, kind, Math.min(height, 2 * bandPx));
  await rm(out, { recursive: true });
  const start = process.cpuUsage();
  await write(out, kind, height);
  const { user, system } = process.cpuUsage(start);
  const seconds = ((user + system) / 1e6 / width / height) * 1e9;
  const bytes = (await bytesOf(out)) / width / height;
  console.log([...kind, seconds.toFixed(0), bytes.toFixed(2), await errorsOf(out)].join(' | '));
  await rm(out, { recursive: true });
}
await rm(folder, { recursive: true });
