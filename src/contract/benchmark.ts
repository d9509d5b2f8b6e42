// The command `benchmark`: the models to compare and the time for each; a row for each of them, and their differences.
import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { device, figure, files, path, threads } from './fields.ts';
import { simulatePresets } from './simulate.ts';

const options = z.strictObject({
  dataset: path.optional().describe('dataset made by `hrpn prepare`; or give --preset'),
  preset: z
    .enum(simulatePresets)
    .optional()
    .describe('simulated slides instead of a dataset: the name of a preset of `hrpn simulate`')
    .meta({ value: 'NAME' }),
  slides: z
    .int()
    .min(3)
    .optional()
    .describe(
      "with --preset: how many slides, the last of which is held out; the preset's number unless given",
    )
    .meta({ value: 'N' }),
  calibrationSlides: z
    .int()
    .positive()
    .optional()
    .describe(
      'with --preset: how many of those slides are kept for the calibration of intervals; none unless given',
    )
    .meta({ value: 'N' }),
  size: z
    .int()
    .min(256)
    .default(2048)
    .describe('with --preset: edge of a slide in pixels')
    .meta({ value: 'PX' }),
  out: path.describe('folder for runs, tables, figures and report; an interrupted benchmark goes on there'),
  models: z
    .string()
    .min(1)
    .default('hrpn,hrpn-published,ganda,unet,constant,distance,linear,transport')
    .describe(
      'models to compare, with commas between them; MODEL@ROLE sees that input only, MODEL%ROLE sees it turned by half a turn, MODEL:standard is trained by the standard recipe',
    )
    .meta({ value: 'A,B' }),
  leaveOneOut: z
    .boolean()
    .default(false)
    .describe(
      "hold out every slide (or animal, or field) in turn, as published; else the dataset's own split",
    ),
  randomPatches: z
    .boolean()
    .default(false)
    .describe(
      'a second row for every model, with windows of the same slides drawn at random instead of slides held out: shows how that flatters',
    ),
  seeds: z.int().positive().default(1).describe('runs of every trained model').meta({ value: 'N' }),
  timeBudgetSeconds: z
    .number()
    .positive()
    .default(1800)
    .describe(
      'training time of each run, e.g. 90s, 30m: processor time over threads, so that other work does not count, or on webgpu the time that passes; schedules are made to fit it',
    )
    .meta({ flag: 'time-budget', value: 'TIME', syntax: 'duration' }),
  chooseLearningRate: z
    .boolean()
    .default(false)
    .describe(
      'take the best of three learning rates on validation, by short runs, for every trained model, and lower it for the longer one',
    ),
  from: path
    .optional()
    .describe(
      'trained model to start from: the first network of --models that sees all inputs gets a second row, started there',
    )
    .meta({ value: 'MODEL' }),
  patch: z
    .int()
    .min(64)
    .multipleOf(64)
    .optional()
    .describe("edge of a training patch for models that leave a choice; the dataset's unless given")
    .meta({ value: 'PX' }),
  device: device.describe(
    'where networks train (their scores come from the CPU); webgpu fails rather than fall back to it',
  ),
  threads,
});

const ceiling = z.strictObject({
  r2: figure.describe('of the best prediction from what can be seen, as the three that follow'),
  mse: figure,
  extravascularR2: figure,
  extravascularMse: figure,
  noiseR2: figure.describe('of the probe without its noise'),
  noiseMse: figure,
});

const bounds = z.strictObject({ low: figure, high: figure });
const estimate = z
  .strictObject({ mean: figure, low: figure, high: figure })
  .describe('with its 95% interval');

const modelRow = z.strictObject({
  runs: z.int().nonnegative().describe('folds times seeds'),
  mse: figure.describe('mean over folds and seeds, as all that follow'),
  rmse: figure,
  mae: figure,
  r2: figure,
  psnr: figure,
  ssim: figure,
  pearson: figure,
  icc: figure,
  extravascularMse: figure,
  extravascularR2: figure,
  r2Sd: figure.describe('standard deviation over folds and seeds; NaN for one run'),
  range: z.strictObject({ predicted: figure, measured: figure }).describe('99.9th less 0.1st percentile'),
  vesselGradient: z
    .strictObject({ predicted: estimate, measured: estimate })
    .describe(
      'mean 3 to 10 um from a vessel less the mean beyond 25 um, in tissue not beside glass, in standard deviations of the measured outside vessels',
    ),
  excessMse: figure.describe("less the ceiling's; NaN without one"),
  coverage: figure.describe('of the 90% interval; NaN where the dataset has no calibration slides'),
  coverageByDecile: bounds.describe('least and greatest over tenths of the predicted values'),
  coverageByDistance: bounds.describe('over bins of distance to the nearest vessel'),
  coverageBySlide: bounds,
  intervalWidth: figure,
  parameters: z.int().positive(),
  flopsPerPixel: figure,
  secondsPerPatch: figure.describe('of training, 512 x 512 px'),
  predictSecondsPerPatch: figure,
  peakMemoryBytes: figure.describe(
    'largest memory of the process while it trained and predicted, mean over runs',
  ),
  learningRate: figure,
  epochs: figure,
  trainingPixels: figure.describe(
    'shown in training, a run: says how far one got, whatever the machine; NaN for baselines',
  ),
  seconds: figure.describe('of training, a run'),
});

const result = z.strictObject({
  out: path,
  command: z.string().describe('of the command line, to run the same again'),
  machine: z.string(),
  withinSlide: z.boolean(),
  target: z.string(),
  folds: z.array(z.strictObject({ name: z.string(), test: z.array(z.string()) })),
  models: z.record(z.string(), modelRow),
  ceiling: ceiling.nullable().describe("the simulator's, where the slides have a truth"),
  differences: z
    .array(
      z.strictObject({
        model: z.string(),
        against: z.string(),
        slides: z.int(),
        groups: z.int().describe('animals (slides, fields) that these are of, which the interval draws'),
        better: z.int().describe('slides on which the first has the lower MSE'),
        mseDifference: figure,
        low: figure.describe('95% bootstrap interval over animals; NaN below three'),
        high: figure,
      }),
    )
    .describe('paired, slide by slide, mean over seeds'),
  notes: z.array(z.string()),
  files,
});

export const benchmarkCommand = {
  name: 'benchmark',
  summary: 'compare models on the same slides: train, score and tabulate all of them',
  positional: ['dataset'],
  options,
  result,
} as const satisfies CommandContract;

export type BenchmarkOptions = z.input<typeof options>;
/** With defaults filled in. */
export type BenchmarkSettings = z.output<typeof options>;
export type BenchmarkResult = z.output<typeof result>;
export type BenchmarkRow = z.output<typeof modelRow>;
