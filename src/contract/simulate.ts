// The command `simulate`: the cohort wanted; each slide, its truth, and the best R2 that is possible there.
import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { figure, files, path, seed } from './fields.ts';

export const simulatePresets = [
  'tiny',
  'small',
  'standard',
  'standard-8bit',
  'hard',
  'paper',
  'no-probe',
  'vessel-blind',
] as const;

const options = z.strictObject({
  out: path.describe('folder for the slides').meta({ value: 'DIR' }),
  preset: z
    .enum(simulatePresets)
    .default('small')
    .describe(`kind of cohort: ${simulatePresets.join(', ')}`)
    .meta({ value: 'NAME' }),
  slides: z
    .int()
    .positive()
    .optional()
    .describe("how many slides, each of another animal; the preset's number unless given")
    .meta({ value: 'N' }),
  size: z
    .int()
    .min(64)
    // Ids of vessels stay exact in float32 up to here.
    .max(38_000)
    .optional()
    .describe("edge of a slide in pixels of 0.5 um; the preset's unless given")
    .meta({ value: 'PX' }),
  particle: z
    .enum(['10', '20', '50', '100'])
    .default('20')
    .describe('diameter of the particle in nm: 10, 20, 50 or 100')
    .meta({ value: 'NM' }),
  truth: z
    .enum(['full', 'expected'])
    .optional()
    .describe(
      'which truth to write as images: all, or the noise-free probe only; all unless given, for paper expected',
    ),
  seed,
  threads: z
    .int()
    .positive()
    .optional()
    .describe('threads that make tiles; the result does not depend on it; all cores unless given')
    .meta({ value: 'N' }),
  resume: z.boolean().default(false).describe('goes on with an interrupted run of the same options'),
  overwrite: z.boolean().default(false).describe('replaces slides of the same names'),
});

const ceilings = z
  .strictObject({
    noise: figure,
    visible: figure,
    noiseExtravascular: figure,
    visibleExtravascular: figure,
    noiseMse: figure,
    visibleMse: figure,
    noiseExtravascularMse: figure,
    visibleExtravascularMse: figure,
  })
  .describe(
    'R2 (and mean squared error) against the noisy probe, over tissue, and over tissue more than 3 um outside a vessel: ' +
      'noise is that of the noise-free image, visible the best from what can be seen',
  );

const result = z.strictObject({
  slides: z.array(z.strictObject({ path, truthPath: path, ceilings })),
  seconds: z.number().nonnegative(),
  peakMemoryBytes: z.number().nonnegative(),
  files,
});

export const simulateCommand = {
  name: 'simulate',
  summary: 'make slides with known truth',
  positional: [],
  options,
  result,
} as const satisfies CommandContract;

export type SimulateOptions = z.input<typeof options>;
/** With defaults filled in. */
export type SimulateSettings = z.output<typeof options>;
export type SimulateResult = z.output<typeof result>;
export type SimulateCeilings = z.output<typeof ceilings>;
