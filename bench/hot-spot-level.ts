// How often a field without any hot or cold spot shows one, and how often a patch that is brighter is found, by the
// correlation of its cells. Run: node bench/hot-spot-level.ts [FIELDS [SEED [LENGTHS...]]]; about half a second a field.
import { Rng } from '../src/core/rng.ts';
import { PlaneFft } from '../src/spatial/fft.ts';
import type { GridField } from '../src/spatial/grid-field.ts';
import { findHotSpots } from '../src/spatial/hot-spots.ts';

const fields = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? 11);
const lengths = process.argv.length > 4 ? process.argv.slice(4).map(Number) : [0, 1, 2, 4];
const [wide, high, torus] = [48, 40, 256];

/** Correlation at a distance of h cells. */
const shapes: Readonly<Record<string, (h: number, length: number) => number>> = {
  smooth: (h, length) => Math.exp(-((h / length) ** 2) / 4),
  rough: (h, length) => Math.exp(-h / length),
};

/** Stationary Gaussian fields of variance 1, cut from a torus that is far larger; skewed as brightness is. */
function fieldsOf(
  shape: (h: number, length: number) => number,
  length: number,
  seed: number,
): () => GridField {
  const fft = new PlaneFft(torus, torus);
  const amplitude = new Float64Array(torus * torus);
  const around = (i: number): number => Math.min(i, torus - i);
  for (let y = 0; y < torus; y++)
    for (let x = 0; x < torus; x++) {
      const h = Math.hypot(around(x), around(y));
      amplitude[y * torus + x] = h === 0 ? 1 : length > 0 ? shape(h, length) : 0;
    }
  fft.run(amplitude, new Float64Array(torus * torus));
  for (let i = 0; i < amplitude.length; i++) amplitude[i] = Math.sqrt(Math.max(0, amplitude[i])) / torus;
  const rng = new Rng(seed);
  return () => {
    const re = amplitude.map((a) => a * rng.normal());
    fft.run(
      re,
      amplitude.map((a) => a * rng.normal()),
    );
    const values = new Float64Array(wide * high);
    const valid = new Uint8Array(wide * high);
    for (let y = 0; y < high; y++)
      for (let x = 0; x < wide; x++) {
        values[y * wide + x] = Math.exp(0.5 * re[y * torus + x]);
        // Tissue with a round edge and a hole.
        valid[y * wide + x] =
          Math.hypot(x - 22, (y - 20) * 1.1) < 25 && Math.hypot(x - 30, y - 12) > 4 ? 1 : 0;
      }
    return { wide, high, valid, values };
  };
}

console.log('cells  shape   fields  any spot  with hot  with cold  patch found');
for (const length of lengths)
  for (const [name, shape] of Object.entries(shapes)) {
    if (length === 0 && name !== 'smooth') continue;
    const next = fieldsOf(shape, length, seed);
    const counts = { any: 0, hot: 0, cold: 0, found: 0 };
    const patched = Math.ceil(fields / 10);
    for (let i = 0; i < fields; i++) {
      const field = next();
      const { spots } = findHotSpots(field, { seed: i });
      if (spots.length > 0) counts.any++;
      if (spots.some(({ kind }) => kind === 'hot')) counts.hot++;
      if (spots.some(({ kind }) => kind === 'cold')) counts.cold++;
      if (i >= patched) continue;
      for (let y = 22; y < 28; y++) for (let x = 14; x < 20; x++) field.values[y * wide + x] *= 5;
      if (
        findHotSpots(field, { seed: i }).spots.some(
          (spot) =>
            spot.kind === 'hot' &&
            spot.x < 20 &&
            spot.x + spot.wide > 14 &&
            spot.y < 28 &&
            spot.y + spot.high > 22,
        )
      )
        counts.found++;
    }
    console.log(
      [
        `${length}`.padStart(5),
        name.padStart(7),
        `${fields}`.padStart(7),
        `${counts.any} (${((100 * counts.any) / fields).toFixed(1)}%)`.padStart(11),
        `${counts.hot}`.padStart(8),
        `${counts.cold}`.padStart(9),
        `${counts.found} of ${patched}`.padStart(12),
      ].join(' '),
    );
  }
