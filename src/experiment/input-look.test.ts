import { expect, it } from 'vitest';
import { createRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { fitInputs } from '../dataset/normalisation.ts';
import { smooth } from '../spatial/gaussian.ts';
import { memorySource } from '../spatial/memory-source.ts';
import { focusNotes, looksOf, strangeInputs } from './input-look.ts';

const extent = 512;

/** Squares of stain that cover a share of the slide, blurred and scaled. */
function stain(seed: number, squares: number, blur: number, gain: number) {
  const rng = new Rng(seed);
  const plane = new Float32Array(extent ** 2).fill(5);
  for (let n = 0; n < squares; n++) {
    const [x, y] = [rng.integer(extent - 8), rng.integer(extent - 8)];
    for (let k = 0; k < 64; k++) plane[(y + (k >> 3)) * extent + x + (k & 7)] = 60;
  }
  const noisy = plane.map((v) => v + rng.normal(0, 3));
  const data = (blur > 0 ? smooth(noisy, extent, extent, blur) : noisy).map((v) => gain * v + 20);
  return memorySource({ raster: createRaster(1, extent, extent, data), channelNames: ['v'] });
}

it('finds a slide blurred or stained otherwise than in training, and not one that is only brighter', async () => {
  const look = async (...how: [number, number, number, number]) => {
    const { scan, tissue } = await fitInputs(stain(...how), [0], { reaches: [1], spectra: [null] }, 0.7);
    return looksOf(scan, tissue);
  };
  const [first, second] = [await look(1, 300, 0, 1), await look(2, 400, 0, 1)];
  const bounds = (key: 'median' | 'sharpness') => {
    const values = [first[0][key] ?? 0, second[0][key] ?? 0];
    return { low: Math.min(...values), high: Math.max(...values) };
  };
  const trained = { vessel: { median: bounds('median'), sharpness: bounds('sharpness') } };
  const say = (found: Awaited<ReturnType<typeof look>>, focus: number | null = null) =>
    strangeInputs(trained, ['vessel'], found, [focus]).join();
  expect(say(await look(3, 350, 0, 40))).toBe('');
  expect(say(await look(3, 350, 3, 1))).toMatch(/'vessel' is more blurred than on any slide/);
  // Sharpened to the training slides' focus it is not; softened, or as it is, it still is.
  expect(say(await look(3, 350, 3, 1), -0.2)).toBe('');
  expect(say(await look(3, 350, 3, 1), 0.2)).toMatch(/more blurred/);
  const few = strangeInputs(
    { vessel: { median: { low: 0.05, high: 0.08 }, sharpness: null } },
    ['vessel'],
    [{ median: 0.01, sharpness: null }],
    [null],
  );
  expect(few.join()).toMatch(/'vessel' covers less than .* \(0\.01, there 0\.05 to 0\.08\)/);
  expect(say(await look(3, 6000, 0, 1))).toMatch(/'vessel' covers more than/);
});

it('says which inputs are not at the focus of the training slides', () => {
  const notes = focusNotes(['a', 'b', 'c', 'd', 'e'], [0, null, -0.3, 1.5, 0.4]);
  expect(notes).toEqual([
    expect.stringMatching(/^How sharp the input 'b' is cannot be measured/),
    expect.stringMatching(/^The input 'c' is so much more blurred/),
    expect.stringMatching(/^The input 'd' is so much sharper/),
  ]);
});
