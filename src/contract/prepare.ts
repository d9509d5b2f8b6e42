// The command `prepare`: slides and how to split them; how many windows came of them, and what was left out and why.
import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { files, focalPlane, path, pixelSizeUm, roles, seed, timePoint } from './fields.ts';

const slideList = z.array(path).default([]);

const options = z.strictObject({
  slides: z.array(path).min(1).describe('slides: files, folders with one file a channel, or .zarr'),
  out: path.describe('folder of the dataset to be made').meta({ value: 'DATASET' }),
  test: slideList
    .describe('slide kept for the final test, with all of its group; repeatable')
    .meta({ value: 'SLIDE' }),
  validation: z
    .array(path)
    .min(1)
    .optional()
    .describe(
      "slide that decides when training stops, repeatable, or 'none'; about 15% chosen by the seed unless given",
    )
    .meta({ value: 'SLIDE', word: 'none' }),
  calibration: slideList
    .describe('slide kept for the calibration of intervals; repeatable')
    .meta({ value: 'SLIDE' }),
  groups: z
    .record(path, z.string().min(1))
    .default({})
    .describe('the animal that a slide is from; repeatable')
    .meta({ flag: 'group', value: 'SLIDE=ANIMAL', syntax: 'pairs' }),
  splitBy: z
    .enum(['animal', 'slide', 'field'])
    .optional()
    .describe(
      'what never crosses a split: animal (the default with --group), slide, or field (fields of one slide)',
    ),
  inputs: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('role to predict from, repeatable; vessel, nuclei and any other given with --role unless given')
    .meta({ flag: 'input', value: 'ROLE' }),
  target: z.string().min(1).default('probe').describe('role to predict').meta({ value: 'ROLE' }),
  roles,
  pixelSizeUm,
  z: focalPlane,
  t: timePoint,
  datasetPixelSizeUm: z
    .number()
    .positive()
    .optional()
    .describe("pixel size to work at; the first slide's unless given")
    .meta({ value: 'UM' }),
  patch: z
    .int()
    .min(32)
    .max(4096)
    .multipleOf(32)
    .default(512)
    .describe('edge of a patch in pixels')
    .meta({ value: 'PX' }),
  overlap: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe("share of a patch's edge that neighbouring patches have in common at least")
    .meta({ value: 'SHARE' }),
  minTissue: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('smallest share of tissue in a patch')
    .meta({ value: 'SHARE' }),
  seed,
  overwrite: z.boolean().default(false).describe('replace an existing dataset'),
});

const count = z.int().nonnegative();

const result = z.strictObject({
  dataset: path,
  splitBy: z.enum(['animal', 'slide', 'field']),
  patches: z.strictObject({ train: count, validation: count, calibration: count, test: count }),
  slides: z.array(
    z.strictObject({
      name: z.string(),
      path,
      split: z.enum(['train', 'validation', 'calibration', 'test']),
      group: z.string(),
      width: z.int().positive().describe("at the dataset's pixel size"),
      height: z.int().positive(),
      pixelSizeUm: z.number().positive().describe("the slide's own"),
      channels: z.record(z.string(), z.string()).describe('role to channel name'),
      tissueAreaMm2: z.number().nonnegative(),
      patches: count,
      patchesDropped: count.describe('patch windows with too little tissue'),
    }),
  ),
  excluded: z.array(z.strictObject({ slide: path, reason: z.string() })),
  warnings: z
    .array(z.strictObject({ slide: z.string().optional(), message: z.string() }))
    .describe(
      'what to look at before training: overexposure, blur, shading, exposure; without slide: of all',
    ),
  notes: z
    .array(z.string())
    .describe('what a person should know: resampling, slides that follow their group'),
  files,
});

export const prepareCommand = {
  name: 'prepare',
  summary: 'make a dataset from slides: tissue, normalisation, splits and patch windows',
  positional: ['slides'],
  options,
  result,
} as const satisfies CommandContract;

export type PrepareOptions = z.input<typeof options>;
export type PrepareResult = z.output<typeof result>;
