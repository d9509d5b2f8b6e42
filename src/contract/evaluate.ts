// The command `evaluate`: a model or a prediction, and what was measured; how well they agree.
import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { figure, files, focalPlane, path, pixelSizeUm, roles, threads, timePoint } from './fields.ts';

const options = z.strictObject({
  model: path.optional().describe('trained model (.onnx); or give --prediction and --slide'),
  dataset: path.optional().describe('dataset whose test slides to predict and score'),
  prediction: path.optional().describe('predicted slide to score, with --slide').meta({ value: 'P' }),
  slide: path.optional().describe('slide with the measured probe').meta({ value: 'S' }),
  split: z
    .enum(['test', 'validation', 'calibration', 'train'])
    .optional()
    .describe('which slides of DATASET to score; test unless given'),
  target: z
    .enum(['measured', 'expected'])
    .default('measured')
    .describe('what to score against; expected is the noise-free truth of a simulated slide'),
  out: path
    .optional()
    .describe('folder for the report, metrics, figures and predicted slides')
    .meta({ value: 'DIR' }),
  overwrite: z.boolean().default(false).describe('replace an earlier evaluation in --out'),
  roles,
  pixelSizeUm,
  z: focalPlane,
  t: timePoint,
  threads,
});

const metrics = z.strictObject({
  pixels: z.int().nonnegative(),
  pixelsNotFinite: z.int().nonnegative(),
  mse: figure,
  rmse: figure,
  nrmse: figure,
  mae: figure,
  bias: figure,
  r2: figure,
  psnr: figure,
  ssim: figure,
  pearson: figure,
  spearman: figure,
  icc: figure,
  measuredMean: figure,
  measuredSd: figure,
  undefinedBecause: z.record(z.string(), z.string()),
});

const bothRegions = { pooled: metrics, extravascular: metrics };

const spectrum = z.strictObject({
  frequency: z.array(figure).describe('cycles a micrometre'),
  measured: z.array(figure).describe('power at each frequency, squared stored units'),
  predicted: z.array(figure),
  error: z.array(figure).describe('power of predicted less measured'),
  windows: z.int().nonnegative().describe('windows of tissue that the power is a mean of'),
  windowPx: z.int().nonnegative(),
});

/** Means above background, stored units, in a bin of distance to the nearest vessel wall. */
const profileBin = z.strictObject({
  fromUm: figure,
  toUm: figure,
  share: figure.describe('of the extravascular tissue'),
  measured: figure,
  predicted: figure,
});

const intervals = z.record(z.string(), z.strictObject({ low: figure, high: figure }));

const coverage = z.strictObject({
  nominal: figure,
  pooled: figure,
  meanWidth: figure,
  perSlide: z.array(z.strictObject({ slide: z.string(), coverage: figure, meanWidth: figure })).readonly(),
  byPredictedDecile: z
    .array(
      z.strictObject({
        first: z.int().describe('of the tenths of the predicted values that these are, 1 to 10'),
        last: z.int().describe('of those tenths; several where many pixels share one value'),
        from: figure,
        coverage: figure,
        pixels: z.int(),
      }),
    )
    .readonly(),
  byDistanceBin: z
    .array(
      z.strictObject({
        fromUm: figure,
        toUm: z.number().nullable().describe('from the nearest vessel wall, null for the last: no bound'),
        coverage: figure,
        pixels: z.int(),
      }),
    )
    .readonly(),
});

const result = z.strictObject({
  target: z.enum(['measured', 'expected']),
  withinSlide: z
    .boolean()
    .describe('true where dataset or model is split by field: the result says nothing about further slides'),
  peak: z.number().positive().describe('largest value that the target can take, for PSNR and SSIM'),
  ...bothRegions,
  perSlide: z.array(
    z.strictObject({
      slide: z.string(),
      group: z.string().describe('animal, where known'),
      ...bothRegions,
      derived: z
        .record(
          z.string(),
          z.strictObject({
            measured: figure,
            predicted: figure,
            error: figure,
            low: figure.optional().describe('90% interval for the measured value, where the model has one'),
            high: figure.optional(),
          }),
        )
        .describe(
          'extravasation distances and shares of the signal, of the measured and the predicted probe',
        ),
      profile: z.array(profileBin).describe('of measured and predicted probe over distance from the vessels'),
      spectrum,
    }),
  ),
  perAnimal: z.array(z.strictObject({ animal: z.string(), slides: z.int(), ...bothRegions })),
  profile: z
    .array(
      profileBin.extend({
        animals: z.int(),
        measuredLow: figure,
        measuredHigh: figure,
        predictedLow: figure,
        predictedHigh: figure,
      }),
    )
    .describe('mean over animals with 95% intervals from drawing animals, undefined with fewer than three'),
  bootstrap: z
    .strictObject({
      slides: z.int().nonnegative(),
      level: z.number(),
      resamples: z.int().nonnegative(),
      pooled: intervals,
      extravascular: intervals,
    })
    .nullable()
    .describe('over slides, each with all its pixels; null with fewer than three slides'),
  floor: z
    .strictObject({ ...bothRegions, constant: z.string().describe('what it says everywhere') })
    .describe('of the constant predictor'),
  ceiling: z
    .record(z.string(), figure)
    .nullable()
    .describe('of the simulator, where the slides have a truth'),
  coverage: coverage.nullable().describe('of the 90% prediction intervals, where the predictions carry them'),
  derivedCoverage: z
    .record(
      z.string(),
      z.strictObject({
        nominal: figure,
        radius: figure.describe('half-width of the interval'),
        slides: z.int().describe('calibration slides behind it'),
        basis: z.enum(['slides', 'within-cohort']),
        held: z.int().describe('slides whose measured value lies inside'),
        scored: z.int(),
      }),
    )
    .nullable()
    .describe('of the intervals of derived measures, where the model has them'),
  notes: z.array(z.string()),
  files,
});

export const evaluateCommand = {
  name: 'evaluate',
  summary: 'measure a model or a predicted slide against the measured probe',
  positional: ['model', 'dataset'],
  options,
  result,
} as const satisfies CommandContract;

export type EvaluateOptions = z.input<typeof options>;
/** With defaults filled in. */
export type EvaluateSettings = z.output<typeof options>;
export type EvaluateResult = z.output<typeof result>;
