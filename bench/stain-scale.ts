// How alike `prepare` makes the stain of simulated slides, whose brightness is known: the scale of each input over the
// stain's electrons, which should be the same on all slides whatever their vessel density; beside it what the 99th less the
// 1st percentile of the tissue would give.
//
//   node bench/stain-scale.ts DATASET
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataset } from '../src/dataset/open-dataset.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected DATASET');

interface Quality {
  slides: { name: string; channels: { role: string; percentiles: [number, number, number] }[] }[];
}

const { slides }: Quality = JSON.parse(await readFile(join(folder, 'quality.json'), 'utf8'));
const dataset = await openDataset(folder);
const inputs = ['vessel', 'nuclei'];
const ratios = inputs.map(() => ({ maps: [] as number[], percentiles: [] as number[] }));
for (const { entry } of dataset.slides) {
  const truth = join(entry.path.replace(/\.ome\.(tiff?|zarr)$/i, '.truth'), 'truth.json');
  const { model } = JSON.parse(await readFile(truth, 'utf8'));
  const quality = slides.find(({ name }) => name === entry.name);
  inputs.forEach((role, i) => {
    const { stainElectrons } = model.optics[i];
    const channel = quality?.channels.find((each) => each.role === role);
    if (channel === undefined) throw new Error(`${folder} has no quality of ${role} for ${entry.name}`);
    ratios[i].maps.push(entry.maps[role].scale / stainElectrons);
    ratios[i].percentiles.push((channel.percentiles[2] - channel.percentiles[0]) / stainElectrons);
  });
}
await dataset.close();

/** Standard deviation over mean, and least and most over it. */
function spread(values: readonly number[]): string {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (values.length - 1)) / mean;
  const ends = [Math.min(...values), Math.max(...values)].map((v) => (v / mean).toFixed(2));
  return `${(100 * deviation).toFixed(1)}% (${ends.join(' to ')})`;
}
inputs.forEach((role, i) => {
  const { maps, percentiles } = ratios[i];
  console.log(`${role}, ${maps.length} slides: scale ${spread(maps)}, percentiles ${spread(percentiles)}`);
});
