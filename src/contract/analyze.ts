// The command `analyze`: a slide with a probe; where the probe lies between vessels and nuclei.
import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { figure, files, focalPlane, path, pixelSizeUm, roles, seed, timePoint } from './fields.ts';

const options = z.strictObject({
  slide: path.describe('slide to analyze: a file, a folder with one file a channel, or a .zarr'),
  prediction: path
    .optional()
    .describe('predicted slide; analyzed beside the measured probe, or in its place')
    .meta({ value: 'P' }),
  out: path.describe('folder for report, tables, figures and outlines').meta({ value: 'DIR' }),
  overwrite: z.boolean().default(false).describe('replace an earlier analysis in --out'),
  roles,
  pixelSizeUm,
  z: focalPlane,
  t: timePoint,
  vesselMask: path
    .optional()
    .describe("own vessel mask instead of the segmentation; an image of the slide's size, not 0 is vessel")
    .meta({ value: 'MASK' }),
  nucleiMask: path.optional().describe('own mask of nuclei, likewise').meta({ value: 'MASK' }),
  vesselThreshold: z
    .number()
    .optional()
    .describe('fixed threshold instead of the segmentation: vessel is the stain at or above it, holes filled')
    .meta({ value: 'I' }),
  nucleiThreshold: z
    .number()
    .optional()
    .describe('fixed threshold of the nuclear stain, likewise, holes not filled')
    .meta({ value: 'I' }),
  probeThreshold: z
    .number()
    .optional()
    .describe('also count the area of probe at or above it, in and outside vessels')
    .meta({ value: 'I' }),
  tissue: z
    .enum(['auto', 'all'])
    .default('auto')
    .describe('auto finds the tissue against glass; all takes every pixel'),
  background: z
    .number()
    .optional()
    .describe('known background of the probe, stored units')
    .meta({ value: 'I' }),
  backgroundSlide: path
    .optional()
    .describe('slide without probe, stained and exposed alike; its probe channel is the background')
    .meta({ value: 'SLIDE' }),
  backgroundPercentile: z
    .number()
    .min(0)
    .max(50)
    .optional()
    .describe('else the background is this percentile of the tissue, in averages over 8 um; 1 unless given')
    .meta({ value: 'PERCENT' }),
  beyondUm: z
    .number()
    .nonnegative()
    .default(3)
    .describe("extravascular is tissue farther than this from a vessel's wall, in um")
    .meta({ value: 'UM' }),
  level: z.number().gt(0).max(0.99).default(0.95).describe('level of intervals, and 1 - that of hot spots'),
  seed,
});

const estimate = z.strictObject({ value: figure, low: figure, high: figure });

const extravasation = z.strictObject({
  verdict: z
    .enum(['extravasation', 'no extravasation signal', 'not known'])
    .describe(
      'not known without vessels or tissue beyond them (a warning says why); else whether there is probe above background outside the vessels, nearer to them than an even spread, beyond the intervals and beyond chance (nearnessP)',
    ),
  meanUm: figure,
  medianUm: figure.describe('not known beyond 249 um, as all quantiles'),
  p90Um: figure,
  halfDistanceUm: figure,
  uniformMeanUm: figure,
  uniformMedianUm: figure,
  uniformP90Um: figure,
  closerUm: figure.describe('uniformMeanUm less meanUm'),
  meanSignal: figure.describe('mean above background in extravascular tissue, stored units'),
  nearLessFar: figure.describe('within 10 um of walls less beyond 25 um, stored units'),
  nearnessP: figure.describe(
    'chance that a probe which knows nothing of the vessels, and is as patchy as this one, would come as near to them; not known for fewer than 36 cells of 20 um',
  ),
  background: figure,
  backgroundBasis: z.string(),
  interval: z
    .record(z.string(), z.strictObject({ low: figure, high: figure }))
    .describe('spatial block bootstrap, at the level asked for'),
});

const subarea = z.strictObject({
  name: z.string(),
  pixels: figure.describe('not known of distances without vessels'),
  areaUm2: figure,
  areaShare: figure.describe('of the tissue'),
  mean: figure.describe('probe above background, stored units'),
  signalShare: figure.describe('of all probe above background'),
  enrichment: figure.describe('signal share over area share'),
});

const spots = z.strictObject({
  hot: figure.describe(
    'not known where too little tissue outside vessels could be judged, or half of it holds one value',
  ),
  cold: figure,
  hotAreaShare: figure.describe('of the extravascular cells judged'),
  coldAreaShare: figure,
  cellUm: figure,
  radiusUm: figure,
  level: figure,
  draws: z.int(),
});

const permeability = z.strictObject({
  vessels: z.int().nonnegative().describe('with surroundings large enough to be judged'),
  medianSignal: figure.describe('median over vessels of the mean within 10 um of the wall, stored units'),
  highShare: figure.describe('share of vessels with at least twice the median'),
  highSignalShare: figure.describe('share of the signal around vessels that is around those'),
  medianPenetrationUm: figure.describe('median over vessels of the mean distance of the signal around it'),
});

const perProbe = { extravasation, subareas: z.array(subarea), permeability, hotSpots: spots };

const result = z.strictObject({
  slide: path,
  pixelSizeUm: z.number().positive(),
  tissueMm2: figure,
  vessels: z.strictObject({
    count: z.int().nonnegative(),
    densityPerMm2: figure,
    areaFraction: figure,
    meanWidthUm: figure,
    lengthDensityMmPerMm2: figure,
    tortuosity: figure,
    branchPoints: z.int().nonnegative(),
    branchPointsPerMm2: figure,
    intercapillaryUm: figure,
    tissueMeanDistanceUm: figure.describe('of extravascular tissue to the nearest wall'),
  }),
  nuclei: z
    .strictObject({ count: z.int().nonnegative().nullable(), densityPerMm2: figure, areaFraction: figure })
    .nullable(),
  probe: z.enum(['measured', 'predicted']).describe('what the next entries are of'),
  ...perProbe,
  predicted: z
    .strictObject(perProbe)
    .nullable()
    .describe('the same of the prediction, where there is a measured probe too'),
  calibrated: z
    .strictObject({
      level: z.number().gt(0).lt(1),
      intervals: z.record(
        z.string(),
        z.strictObject({
          low: figure,
          high: figure,
          slides: z.int().positive().describe('calibration slides, one an animal'),
          basis: z
            .enum(['slides', 'within-cohort'])
            .describe(
              'within-cohort: too few slides, or fields of one slide, to promise the level on a further slide',
            ),
        }),
      ),
    })
    .nullable()
    .describe(
      'where the measured probe would lie in what the prediction shows (distances, mean, shares of sub-areas), by the errors of its model on calibration slides; null without them, and with options that change what is measured',
    ),
  agreement: z
    .strictObject({
      pixels: z.record(z.string(), figure),
      cells: z
        .strictObject({ cellUm: figure, n: z.int(), icc: figure, bias: figure, low: figure, high: figure })
        .describe('Bland-Altman on cells: mean difference and limits of agreement'),
      distances: z.record(z.string(), estimate.omit({ low: true, high: true }).extend({ predicted: figure })),
    })
    .nullable(),
  fixedAreas: z
    .record(z.string(), z.strictObject({ pixels: z.int().nonnegative(), areaUm2: figure }))
    .nullable()
    .describe('over the whole slide, where thresholds were given'),
  methods: z.string(),
  warnings: z.array(z.string()),
  seconds: z.number().nonnegative(),
  peakMemoryBytes: z.int().nonnegative(),
  files,
});

export const analyzeCommand = {
  name: 'analyze',
  summary: 'measure how the probe lies in space: vessels, profiles, sub-areas, hot spots',
  positional: ['slide'],
  options,
  result,
} as const satisfies CommandContract;

export type AnalyzeOptions = z.input<typeof options>;
export type AnalyzeSettings = z.output<typeof options>;
export type AnalyzeResult = z.output<typeof result>;
