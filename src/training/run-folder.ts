/** The files of a run: what it is, where it stands, and what came out. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { writeFailure, writeFileAtomic } from '../core/atomic-file.ts';
import { FileAccessError, FormatError, UsageError } from '../core/errors.ts';
import type { DatasetManifest } from '../dataset/manifest.ts';
import { turnCounts } from '../model/turns.ts';
import { lossNames } from './losses.ts';
import { recipeNames, scheduleNames } from './recipes.ts';
import type { ValidationResult } from './validate.ts';

/** What decides the result of a run; a resumed run must have the same. */
const settingsSchema = z.strictObject({
  model: z.string(),
  dataset: z.string(),
  from: z.strictObject({ path: z.string(), sha256: z.string() }).nullable(),
  seed: z.number(),
  epochs: z.number(),
  stepsPerEpoch: z.number(),
  batch: z.number(),
  microBatch: z.number().nullable(),
  memory: z.number().nullable(),
  patch: z.number(),
  learningRate: z.number(),
  stopAfter: z.number().nullable(),
  recipe: z.enum(recipeNames),
  schedule: z.enum(scheduleNames),
  averageDecay: z.number(),
  augment: z.string(),
  balance: z.boolean(),
  loss: z.enum(lossNames),
  turns: z.literal(turnCounts),
  device: z.enum(['cpu', 'webgpu']),
});
export type RunSettings = z.infer<typeof settingsSchema>;

/**
 * One line of `history.jsonl`. A time budget that ends within an epoch adds one for the part that was done; a run that
 * goes on from there has another when the epoch is whole.
 */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Steps done. */
  readonly step: number;
  /** Mean over the epoch so far, in squared units of the network's target but for the loss 'root'. */
  readonly trainLoss: number;
  readonly validation: ValidationResult | null;
  readonly learningRate: number;
  /** Since the run began, without the time it lay interrupted. */
  readonly seconds: number;
}

/** Paths of the files of a run. */
export const runFiles = (folder: string) => ({
  settings: join(folder, 'run.json'),
  checkpoint: join(folder, 'last.safetensors'),
  best: join(folder, 'best.onnx'),
  history: join(folder, 'history.jsonl'),
});

/** @throws UsageError when the folder already holds something */
export async function createRunFolder(folder: string, settings: RunSettings): Promise<void> {
  const found = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cause.code === 'ENOTDIR'
      ? new UsageError(`--out ${folder} is, or lies below, a file; expected a folder.`)
      : cause;
  });
  if (found.length > 0) {
    throw new UsageError(
      `--out ${folder} holds files already (such as '${found[0]}'). Choose another folder, or add --resume to go on with the run there.`,
    );
  }
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw writeFailure(folder, cause);
  });
  await writeFileAtomic(runFiles(folder).settings, `${JSON.stringify(settings, null, 2)}\n`);
}

/** Removes the folder of a run that holds no more than its settings. */
export async function removeBareRun(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  if (names.length === 1 && names[0] === basename(runFiles(folder).settings)) {
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** @throws FileAccessError when the folder is no run, FormatError when its settings are damaged */
export async function readRunSettings(folder: string): Promise<RunSettings> {
  const path = runFiles(folder).settings;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new FileAccessError(
      folder,
      `--resume: ${folder} is not a run of train: expected the file ${path}, which cannot be read. Leave out --resume to start one.`,
      { cause },
    );
  }
  try {
    return settingsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FormatError(path, 'is not the settings of a run. Start anew in another folder.', { cause });
  }
}

/** Identity of a dataset's content: slides, windows, splits and maps, but not where the files lie, nor what was left out. */
export function datasetFingerprint({ createdBy: _, slides, ...rest }: DatasetManifest): string {
  const content = {
    ...rest,
    excluded: [],
    slides: slides.map(({ path: _path, relativePath: _relative, ...slide }) => slide),
  };
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}
