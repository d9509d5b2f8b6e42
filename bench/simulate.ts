// How hard the presets are: ceilings on one tile of each of six slides, without writing anything.
//
//   node bench/simulate.ts [PRESET] [TILES A SLIDE] [SEED]
//
// Tiles of 1024 px drawn at random among those with at least 300,000 pixels of tissue. Whole slides have their own
// ceilings in truth.json.
import { addSums, type Ceiling, ceilingOf, emptySums } from '../src/tissue/ceilings.ts';
import { slideModel } from '../src/tissue/cohort.ts';
import { LocalRng } from '../src/tissue/hash.ts';
import { type PresetName, presetOf } from '../src/tissue/presets.ts';
import { TileMaker, tilesOf } from '../src/tissue/tile.ts';

const preset = presetOf((process.argv[2] ?? 'standard') as PresetName);
const tilesPerSlide = Number(process.argv[3] ?? 1);
const seed = Number(process.argv[4] ?? 1);
const pooled = emptySums();
let [seconds, megapixels] = [0, 0];
for (let slide = 0; slide < 6; slide++) {
  const own = slideModel({ preset, seed, sizePx: preset.sizePx, particleNm: 20 }, slide);
  const model = { ...own, tilePx: 1024 };
  const maker = new TileMaker(model);
  const rng = new LocalRng(slide + 5);
  const places = tilesOf(model);
  const sums = emptySums();
  for (let n = 0; n < tilesPerSlide; ) {
    const { tileX, tileY } = places[Math.floor(rng.uniform() * places.length)];
    const started = process.cpuUsage();
    const tile = maker.make(tileX, tileY);
    if (tile.sums.tissue.pixels < 300_000) continue;
    const { user, system } = process.cpuUsage(started);
    seconds += (user + system) / 1e6;
    megapixels += (tile.width * tile.height) / 1e6;
    addSums(sums, tile.sums);
    n++;
  }
  addSums(pooled, sums);
  console.log(`slide ${slide + 1}: ${text(ceilingOf(sums.tissue))}`);
}
console.log(`pooled: ${text(ceilingOf(pooled.tissue))}`);
console.log(`pooled, more than 3 um outside vessels: ${text(ceilingOf(pooled.extravascular))}`);
console.log(`${(seconds / megapixels).toFixed(2)} s of processor time a megapixel, nothing written`);

function text({ noise, visible, sd }: Ceiling): string {
  return `R2 noise ${noise.r2.toFixed(3)}, visible ${visible.r2.toFixed(3)}; standard deviation ${sd.toFixed(1)}`;
}
