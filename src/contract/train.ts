// The command `train`: a dataset, a model and its recipe; where the run lies and how well it does on validation.
import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { devices, figure, files, path, threads } from './fields.ts';

const options = z.strictObject({
  dataset: path.describe('dataset made by `hrpn prepare`'),
  model: z
    .string()
    .min(1)
    .optional()
    .describe(
      'model to train: hrpn, hrpn-published, ganda, unet, linear, transport, distance or constant; hrpn unless given',
    )
    .meta({ value: 'NAME' }),
  out: path.describe('folder of the run: checkpoints, history, best.onnx').meta({ value: 'RUN' }),
  from: path.optional().describe('trained model whose weights to start from').meta({ value: 'MODEL' }),
  epochs: z
    .int()
    .positive()
    .optional()
    .describe("length of the schedule; the model's own unless given")
    .meta({ value: 'N' }),
  stepsPerEpoch: z
    .int()
    .positive()
    .optional()
    .describe(
      'steps of an epoch, after each of which it validates; one pass over the training windows, at least 50, unless given',
    )
    .meta({ value: 'N' }),
  timeBudgetSeconds: z
    .number()
    .positive()
    .optional()
    .describe(
      'stop training after this time, e.g. 90s, 30m, 2h; the schedule stays the same, and intervals are made afterwards',
    )
    .meta({ flag: 'time-budget', value: 'TIME', syntax: 'duration' }),
  device: devices
    .optional()
    .describe('where the network trains, cpu unless given; webgpu fails rather than fall back to the CPU'),
  seed: z
    .int()
    .nonnegative()
    .optional()
    .describe('seed of everything drawn at random; 0 unless given')
    .meta({ value: 'S' }),
  resume: z
    .boolean()
    .default(false)
    .describe('go on where an interrupted run stopped, with its own settings'),
  learningRate: z
    .number()
    .positive()
    .optional()
    .describe("largest learning rate; the model's own unless given"),
  batch: z
    .int()
    .positive()
    .optional()
    .describe("patches a step; the model's own unless given")
    .meta({ value: 'N' }),
  microBatch: z
    .int()
    .positive()
    .optional()
    .describe("patches of a step in memory at a time, a divisor of the step's; all unless given")
    .meta({ value: 'N' }),
  memory: z
    .number()
    .positive()
    .optional()
    .describe(
      'megabytes that the activations of a step may take: as many as need be are computed twice instead of kept; without limit unless given',
    )
    .meta({ value: 'MB' }),
  patch: z
    .int()
    .min(32)
    .multipleOf(32)
    .optional()
    .describe("edge of a training patch; the dataset's unless given")
    .meta({ value: 'PX' }),
  recipe: z
    .enum(['own', 'standard'])
    .optional()
    .describe(
      "how to train: as the model was published (hrpn-published, ganda), or by the standard recipe with normalised inputs; the model's own unless given",
    ),
  augment: z
    .string()
    .min(1)
    .optional()
    .describe(
      "how training patches are changed: 'none', or some of flips (with right-angle turns), rotate (by any angle), gain=SD, offset=SD, focus=PX (sharper or softer) with commas between them, the last three for each input on its own; the recipe's unless given",
    )
    .meta({ value: 'LIST' }),
  balance: z
    .boolean()
    .optional()
    .describe('draw half of the patches evenly over the range of target brightness'),
  loss: z
    .enum(['mse', 'huber', 'root'])
    .optional()
    .describe(
      "error that training lowers: squared; huber, linear beyond one standard deviation; or root, squared error of square roots; the recipe's unless given",
    ),
  schedule: z
    .enum(['cosine', 'constant'])
    .optional()
    .describe("course of the learning rate; the recipe's unless given"),
  averageDecay: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe(
      "decay a step of the moving average of the weights that is kept, 0 for none; the recipe's unless given",
    )
    .meta({ value: 'SHARE' }),
  stopAfter: z
    .int()
    .positive()
    .optional()
    .describe('stop after this many epochs without a better validation loss')
    .meta({ value: 'N' }),
  turns: z
    .enum(['1', '2', '4', '8'])
    .optional()
    .describe(
      'turns and mirrorings of the image over which the trained model predicts the mean: steadier, and as many times slower; 1 unless given',
    )
    .meta({ value: 'N' }),
  threads,
});

const result = z.strictObject({
  run: path,
  model: path.describe('the best weights, ready for `hrpn predict`'),
  steps: z.int().nonnegative(),
  epochs: z.int().nonnegative(),
  trainLoss: figure.describe("mean over the last epoch, in the loss's own units"),
  validation: z
    .looseObject({ mse: figure })
    .nullable()
    .describe('of the best epoch, in stored units; null without validation'),
  bestEpoch: z.int().nonnegative(),
  secondsPerPatch: figure,
  validationSeconds: figure.describe('of one validation; 0 without'),
  parameters: z.int().positive(),
  seconds: z.number().nonnegative(),
  stoppedBecause: z
    .enum(['schedule done', 'time budget', 'no better validation', 'fitted'])
    .describe('fitted: in closed form, as the baselines are'),
  notes: z.array(z.string()),
  files,
});

export const trainCommand = {
  name: 'train',
  summary: 'train a model on a dataset',
  positional: ['dataset'],
  options,
  result,
} as const satisfies CommandContract;

export type TrainOptions = z.input<typeof options>;
export type TrainResult = z.output<typeof result>;
