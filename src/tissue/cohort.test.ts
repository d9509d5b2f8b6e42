import { expect, test } from 'vitest';
import { slideModel } from './cohort.ts';
import { type PresetName, presetOf } from './presets.ts';
import type { SlideModel } from './slide-model.ts';

function modelOf(name: PresetName, particleNm = 20, slide = 0, seed = 5): SlideModel {
  const preset = presetOf(name);
  return slideModel({ preset, seed, sizePx: preset.sizePx, particleNm }, slide);
}

test('larger particles leave vessels less, spread more slowly and reach less far', () => {
  const [small, middle, large, largest] = [10, 20, 50, 100].map((nm) => modelOf('small', nm).transport);
  // Stokes and Einstein: D goes as 1 / diameter; at the same uptake rate lambda goes as its root.
  expect(largest.diffusivity * 10).toBeCloseTo(small.diffusivity, 9);
  expect(largest.lambdaUm * Math.sqrt(10)).toBeCloseTo(small.lambdaUm, 9);
  expect(largest.uptakeRate).toBeCloseTo(small.uptakeRate, 12);
  for (const transport of [small, middle, large, largest]) {
    expect(transport.lambdaUm).toBeCloseTo(Math.sqrt(transport.diffusivity / transport.uptakeRate), 9);
  }
  // The two measured permeabilities that the law goes through, 9.4 and 90 nm, relative to each other.
  const [fine, coarse] = [9.4, 90].map((nm) => modelOf('small', nm).transport.permeability);
  expect(fine / coarse).toBeCloseTo(1.27e-3 / 1.1e-4, 6);
  expect([small, middle, large, largest].map(({ tissueElectrons }) => tissueElectrons)).toEqual(
    [small, middle, large, largest].map(({ tissueElectrons }) => tissueElectrons).sort((a, b) => b - a),
  );
});

test('animals differ in dose, permeability, half-life, diffusion, uptake and vessels, by as much as the preset says', () => {
  const animals = Array.from({ length: 400 }, (_, slide) => modelOf('hard', 20, slide));
  const spread = presetOf('hard').betweenAnimals;
  const sd = (of: (model: SlideModel) => number): number => {
    const logs = animals.map((model) => Math.log(of(model)));
    const mean = logs.reduce((a, b) => a + b, 0) / logs.length;
    return Math.sqrt(logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (logs.length - 1));
  };
  const factors: [(model: SlideModel) => number, number][] = [
    [({ transport }) => transport.permeability, spread.permeability],
    [({ transport }) => transport.plasmaHalfLifeH, spread.plasmaHalfLife],
    [({ transport }) => transport.diffusivity, spread.diffusion],
    [({ transport }) => transport.uptakeRate, spread.uptake],
    [({ tissue }) => tissue.rimDensity, spread.density],
    // What the mean over hidden variables counts on.
    [({ transport }) => transport.lambdaUm, animals[0].transport.lambdaSigma],
    [({ transport }) => transport.amplitude, animals[0].transport.amplitudeSigma],
  ];
  // Four standard errors of a standard deviation from 400 draws.
  for (const [of, expected] of factors)
    expect(Math.abs(sd(of) / expected - 1)).toBeLessThan(4 / Math.sqrt(800));
  expect(modelOf('hard', 20, 3)).toEqual(animals[3]);
  expect(modelOf('hard', 20, 3, 6)).not.toEqual(animals[3]);
});

test('presets have the sizes, depths and kinds of probe of their names', () => {
  const rows = (
    ['tiny', 'small', 'standard', 'standard-8bit', 'hard', 'paper', 'no-probe', 'vessel-blind'] as const
  ).map((name) => {
    const { slides, sizePx, sampleType, transport } = presetOf(name);
    return [name, slides, sizePx, sampleType, transport.probe];
  });
  expect(rows).toEqual([
    ['tiny', 3, 512, 'uint16', 'vessels'],
    ['small', 6, 2048, 'uint16', 'vessels'],
    ['standard', 6, 8192, 'uint16', 'vessels'],
    ['standard-8bit', 6, 8192, 'uint8', 'vessels'],
    ['hard', 6, 8192, 'uint16', 'vessels'],
    ['paper', 6, 37_888, 'uint8', 'vessels'],
    ['no-probe', 6, 2048, 'uint16', 'none'],
    ['vessel-blind', 6, 2048, 'uint16', 'blind'],
  ]);
});
