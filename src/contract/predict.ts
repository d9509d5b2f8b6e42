// The command `predict`: a model and a slide; the predicted slide, and how long it took.
import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { figure, files, focalPlane, path, pixelSizeUm, roles, threads, timePoint } from './fields.ts';

const options = z.strictObject({
  model: path.describe('trained model (.onnx)'),
  slide: path.describe('slide to predict: a file, a folder with one file a channel, or a .zarr'),
  out: path.describe('predicted slide to be written, .ome.tif or .ome.zarr').meta({ value: 'PRED' }),
  tile: z
    .int()
    .positive()
    .optional()
    .describe('edge of a tile in pixels, instead of --memory; changes time and memory, never the result')
    .meta({ value: 'PX' }),
  memory: z
    .number()
    .positive()
    .default(1200)
    .describe(
      'memory to plan tiles for, in megabytes; slides in strips may take half a gigabyte more; tiles are 256 px at least',
    )
    .meta({ value: 'MB' }),
  interval: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      'also predict an interval that holds this share of pixels: 0.5, 0.8, 0.9 or 0.95; the model needs calibration slides',
    )
    .meta({ value: 'LEVEL' }),
  resume: z.boolean().default(false).describe('go on where an interrupted prediction stopped'),
  overwrite: z.boolean().default(false).describe('replace an existing file'),
  roles,
  pixelSizeUm,
  z: focalPlane,
  t: timePoint,
  sampleType: z
    .enum(['float32', 'uint16'])
    .default('float32')
    .describe('how the prediction is stored; uint16 with a scale that the file records'),
  threads,
});

const result = z.strictObject({
  prediction: path,
  width: z.int().positive(),
  height: z.int().positive(),
  pixelSizeUm: z.number().positive(),
  tiles: z.int().nonnegative(),
  tilesComputed: z.int().nonnegative().describe('fewer where a prediction was resumed'),
  seconds: z.number().nonnegative().describe('of reading, computing and writing the slide'),
  networkSeconds: z.number().nonnegative().describe('of them in the network'),
  megapixelsPerSecond: figure,
  peakMemoryBytes: z.int().nonnegative(),
  notes: z.array(z.string()),
  files,
});

export const predictCommand = {
  name: 'predict',
  summary: 'predict the probe on a whole slide',
  positional: ['model', 'slide'],
  options,
  result,
} as const satisfies CommandContract;

export type PredictOptions = z.input<typeof options>;
export type PredictResult = z.output<typeof result>;
