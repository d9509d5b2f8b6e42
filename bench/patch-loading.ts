// How fast training patches come straight from the slides of a dataset:
// node bench/patch-loading.ts DATASET [CACHE_MIB] [STEPS]
import { peakResidentBytes } from '../src/core/peak-resident.ts';
import { openDataset } from '../src/dataset/open-dataset.ts';
import { createPatchStream } from '../src/dataset/patch-stream.ts';

const [folder, cacheMib = '512', steps = '100'] = process.argv.slice(2);
const dataset = await openDataset(folder, { cacheBytes: Number(cacheMib) * 2 ** 20 });
const batch = 2;
const stream = createPatchStream(dataset, { split: 'train', batch, augment: true, jitter: true });
const cpuBefore = process.cpuUsage();
const before = performance.now();
for (let step = 0; step < Number(steps); step++) await stream.load(step);
const seconds = (performance.now() - before) / 1000;
const cpu = process.cpuUsage(cpuBefore);
await dataset.close();

const patches = batch * Number(steps);
console.log(
  JSON.stringify({
    patchPx: dataset.manifest.patch,
    patches,
    patchesPerSecond: Number((patches / seconds).toPrecision(3)),
    cpuMsPerPatch: Number(((cpu.user + cpu.system) / 1000 / patches).toPrecision(3)),
    cacheMib: Math.round(dataset.cache.bytes / 2 ** 20),
    peakMemoryMib: Math.round(peakResidentBytes() / 2 ** 20),
  }),
);
