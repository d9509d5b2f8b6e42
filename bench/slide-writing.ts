// What it costs to write a prediction: CPU time of all threads together (so that what else runs does not matter) and
// bytes, by format, sample type and compression. Run: node bench/slide-writing.ts SLIDE [CHANNEL]
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSlide, type SlideDescription } from '../src/slide/create-slide.ts';
import { openSlide } from '../src/slide/open-slide.ts';

const [path, channelName] = process.argv.slice(2);
const source = await openSlide(path);
const channel = Math.max(
  0,
  source.channels.findIndex(({ name }) => name === channelName),
);
const size = Math.min(512, source.width, source.height);
const { data } = await source.read({ x: 0, y: 0, width: size, height: size }, [channel]);
await source.close();

/** As a network gives it: smooth where the slide is, and with every bit of the mantissa in use. */
const prediction = new Float32Array(size * size);
for (let y = 0; y < size; y++) {
  for (let x = 0; x < size; x++) {
    let sum = 0;
    let count = 0;
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) {
        const [yy, xx] = [y + dy, x + dx];
        if (yy < 0 || xx < 0 || yy >= size || xx >= size) continue;
        const weight = Math.exp(-(dx * dx + dy * dy) / 3);
        sum += weight * data[yy * size + xx];
        count += weight;
      }
    }
    prediction[y * size + x] = sum / count;
  }
}
const max = prediction.reduce((most, value) => Math.max(most, value), 0);

/** Edge of the slide that is written, in pixels. */
const edge = 2048;
const kinds: [string, SlideDescription['sampleType'], NonNullable<SlideDescription['compression']>][] = [
  ['ome.tif', 'float32', 'none'],
  ['ome.tif', 'float32', 'deflate'],
  ['ome.tif', 'float32', 'zstd'],
  ['ome.tif', 'uint16', 'deflate'],
  ['ome.tif', 'uint16', 'zstd'],
  ['ome.tif', 'uint8', 'deflate'],
  ['ome.zarr', 'float32', 'zstd'],
  ['ome.zarr', 'float32', 'deflate'],
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

console.log('format | samples | compression | CPU seconds a gigapixel | bytes a pixel');
// Every kind twice; the first time pays for the compilation of the code.
for (const [i, [ending, sampleType, compression]] of kinds.flatMap((kind) => [kind, kind]).entries()) {
  const folder = await mkdtemp(join(tmpdir(), 'hrpn-bench-'));
  const out = join(folder, `slide.${ending}`);
  const start = process.cpuUsage();
  const sink = await createSlide(out, {
    width: edge,
    height: edge,
    channels: [{ name: 'probe' }],
    sampleType,
    compression,
    pixelSizeUm: 0.5,
  });
  for (let y = 0; y < edge; y += size) {
    for (let x = 0; x < edge; x += size) {
      // uint16 over its whole range, as with a recorded scale; and no tile like another.
      const scale = (sampleType === 'uint16' ? 65_535 / max : 1) * (1 - (y * edge + x) / edge / edge / 4);
      const values = prediction.map((value) => value * scale);
      await sink.write(x, y, { channels: 1, height: size, width: size, data: values });
    }
  }
  await sink.finish();
  const { user, system } = process.cpuUsage(start);
  const seconds = ((user + system) / 1e6 / edge / edge) * 1e9;
  const bytes = (await bytesOf(out)) / edge / edge;
  if (i % 2 === 1)
    console.log(`${ending} | ${sampleType} | ${compression} | ${seconds.toFixed(0)} | ${bytes.toFixed(2)}`);
  await rm(folder, { recursive: true });
}
