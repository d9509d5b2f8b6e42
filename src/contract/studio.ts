// The studio: its command, and what its server and its browser app say to one another.
import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { figure, path } from './fields.ts';
import type { inspectCommand } from './inspect.ts';

const options = z.strictObject({
  dir: path
    .default('.')
    .describe('folder to open, the current one unless given; nothing outside it is read or written'),
  port: z.int().min(0).max(65535).default(4870).describe('0 takes a free one').meta({ value: 'N' }),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('address to listen on; any but this machine itself needs the token that is then printed')
    .meta({ value: 'HOST' }),
  parallel: z
    .int()
    .min(1)
    .max(16)
    .default(2)
    .describe('runs at the same time; further ones wait')
    .meta({ value: 'N' }),
  maxUploadGb: z
    .number()
    .positive()
    .default(16)
    .describe('largest file that may be dropped into the browser')
    .meta({ value: 'GB' }),
});

const result = z.strictObject({ folder: path, url: z.string() });

export const studioCommand = {
  name: 'studio',
  summary: 'look at slides, train and predict in the browser',
  positional: ['dir'],
  options,
  result,
} as const satisfies CommandContract;

export type StudioOptions = z.input<typeof options>;

/** Commands that the studio runs, in the order of work. */
const studioCommands = ['simulate', 'prepare', 'train', 'predict', 'evaluate', 'analyze'] as const;

export type RunState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';

export interface RunProgress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  readonly note?: string;
}

/** One run of a command as the server keeps it; paths are relative to the opened folder, times in ms since 1970. */
export interface RunView {
  readonly id: number;
  readonly command: string;
  readonly title: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The same as a command line, to be copied. */
  readonly commandLine: string;
  readonly state: RunState;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly progress: RunProgress | null;
  /** One sentence of what went wrong. */
  readonly error: string | null;
  /** What `--json` printed, with paths made relative. */
  readonly result: unknown;
}

/** One line of a training run's history.jsonl. */
export interface HistoryRow {
  readonly epoch: number;
  readonly step?: number;
  readonly trainLoss: number | null;
  readonly validation: Readonly<Record<string, number | null>> | null;
  readonly seconds?: number;
  readonly learningRate?: number;
}

export type StudioEvent =
  | { readonly type: 'run'; readonly run: RunView }
  | { readonly type: 'removed'; readonly id: number }
  | { readonly type: 'history'; readonly id: number; readonly from: number; readonly rows: HistoryRow[] };

export const startRunRequest = z.strictObject({
  command: z.enum(studioCommands),
  options: z.record(z.string(), z.unknown()),
  title: z.string().min(1).max(120).optional(),
});

export type EntryKind = 'folder' | 'slide' | 'dataset' | 'run' | 'model' | 'report' | 'regions' | 'file';

export interface FolderEntry {
  readonly name: string;
  /** Relative to the opened folder, with '/'. */
  readonly path: string;
  readonly kind: EntryKind;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** What lies in a folder. */
export interface Listing {
  readonly entries: readonly FolderEntry[];
  /** How many more there are, of the last in order. */
  readonly leftOut: number;
}

/** How the browser gets a slide's pixels: itself by range requests, or tile by tile from the server's readers. */
export type PixelAccess = 'ome-tiff' | 'ome-zarr' | 'tiles';

export interface SlideView extends z.output<typeof inspectCommand.result> {
  readonly access: PixelAccess;
}

/** Corner points in pixels of the slide at full resolution, not closed. */
const polygon = z
  .array(z.tuple([z.number(), z.number()]))
  .min(3)
  .max(10_000);

export const regionRequest = z.strictObject({
  slide: path,
  prediction: path.optional(),
  polygon,
  roles: z.record(z.string().min(1), z.string().min(1)).default({}),
  pixelSizeUm: z.number().positive().optional(),
});
export type RegionRequest = z.output<typeof regionRequest>;

const metrics = z.strictObject({
  pixels: z.int().nonnegative(),
  mse: figure,
  rmse: figure,
  mae: figure,
  bias: figure,
  r2: figure,
  pearson: figure,
});

/** What is measured inside a drawn region. Intensities in stored units; NaN (null in JSON) where undefined. */
const regionResult = z.strictObject({
  areaUm2: z.number().nonnegative(),
  pixels: z.int().nonnegative(),
  /** 1 for full resolution, 2 for every second pixel, and so on: large regions are read from the pyramid. */
  reduction: z.int().positive(),
  vesselShare: figure,
  measured: z.strictObject({ mean: figure, sd: figure, min: figure, max: figure }).nullable(),
  predicted: z.strictObject({ mean: figure, sd: figure, min: figure, max: figure }).nullable(),
  metrics: metrics.nullable().describe('of the prediction against the measured probe, inside the region'),
  profile: z
    .array(
      z.strictObject({
        fromUm: z.number(),
        toUm: z.number(),
        pixels: z.int().nonnegative(),
        measured: figure,
        predicted: figure,
      }),
    )
    .describe(
      'mean intensity by distance from the nearest vessel wall; the first bin is the vessels themselves',
    ),
  histogram: z.strictObject({
    edges: z.array(z.number()),
    measured: z.array(z.int().nonnegative()).nullable(),
    predicted: z.array(z.int().nonnegative()).nullable(),
  }),
  outlines: z
    .array(z.array(z.tuple([z.number(), z.number()])))
    .describe('vessel outlines in and around the region, pixels of the slide'),
  notes: z.array(z.string()),
});
export type RegionResult = z.output<typeof regionResult>;

/** What the app needs to know at its start. */
export interface StudioSession {
  readonly version: string;
  readonly folder: string;
  readonly commands: readonly StudioCommandForm[];
  readonly maxUploadBytes: number;
}

export interface StudioCommandForm {
  readonly name: string;
  readonly summary: string;
  readonly positional: readonly string[];
  /** JSON Schema of the options, made from the contract. */
  readonly schema: unknown;
}
