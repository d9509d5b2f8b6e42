// How alike `prepare` makes simulated slides, whose stain, autofluorescence and optics are known: the scale of each input over the
// stain's brightness, and its offset from the tissue's autofluorescence as a share of that brightness; both should be the
// same on all slides whatever their vessel density. Beside them what the 1st and the 99th percentile of the tissue would
// give. And by how much it changes the point spread of each input, in squared pixels, against what its blur says: both less
// their mean over the training slides.
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
const none = () => ({ maps: [] as number[], percentiles: [] as number[] });
const found = inputs.map(() => ({ scale: none(), offset: none() }));
const focus = inputs.map(() => [] as { slide: string; isTraining: boolean; found: number; true: number }[]);
for (const { entry, focus: changes } of dataset.slides) {
  const truth = join(entry.path.replace(/\.ome\.(tiff?|zarr)$/i, '.truth'), 'truth.json');
  const { model } = JSON.parse(await readFile(truth, 'utf8'));
  inputs.forEach((role, i) => {
    const { stainElectrons, autofluorescence, dark, gain, offset, blurUm } = model.optics[i];
    const quality = slides.find(({ name }) => name === entry.name);
    const channel = quality?.channels.find((each) => each.role === role);
    if (channel === undefined) throw new Error(`${folder} has no quality of ${role} for ${entry.name}`);
    const unstained = offset + gain * (dark + autofluorescence);
    const [low, , high] = channel.percentiles;
    found[i].scale.maps.push(entry.maps[role].scale / (gain * stainElectrons));
    found[i].scale.percentiles.push((high - low) / (gain * stainElectrons));
    found[i].offset.maps.push((entry.maps[role].offset - unstained) / (gain * stainElectrons));
    found[i].offset.percentiles.push((low - unstained) / (gain * stainElectrons));
    focus[i].push({
      slide: entry.name,
      isTraining: entry.split === 'train',
      found: changes[i],
      true: -((blurUm / model.pixelSizeUm) ** 2),
    });
  });
}
await dataset.close();

/** Mean, standard deviation, least and most. */
function spread(values: readonly number[]): string {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (values.length - 1));
  return [mean, deviation, Math.min(...values), Math.max(...values)].map((v) => v.toFixed(4)).join(' | ');
}

console.log(`${dataset.slides.length} slides, in units of the stain\n`);
console.log('| | mean | standard deviation | least | most |\n|---|---|---|---|---|');
inputs.forEach((role, i) => {
  for (const what of ['scale', 'offset'] as const) {
    console.log(`| ${role}, ${what} | ${spread(found[i][what].maps)} |`);
    console.log(`| ${role}, ${what} by percentiles | ${spread(found[i][what].percentiles)} |`);
  }
});

console.log('\n| focus | found | true |\n|---|---|---|');
inputs.forEach((role, i) => {
  const training = focus[i].filter(({ isTraining }) => isTraining);
  const mean = (key: 'found' | 'true'): number =>
    training.reduce((sum, slide) => sum + slide[key], 0) / training.length;
  const means = { found: mean('found'), true: mean('true') };
  let squares = 0;
  for (const slide of focus[i]) {
    const [a, b] = [slide.found - means.found, slide.true - means.true];
    squares += (a - b) ** 2 / focus[i].length;
    console.log(`| ${role}, ${slide.slide} | ${a.toFixed(3)} | ${b.toFixed(3)} |`);
  }
  console.log(`| ${role}, root mean square of the differences | ${Math.sqrt(squares).toFixed(3)} | |`);
});
