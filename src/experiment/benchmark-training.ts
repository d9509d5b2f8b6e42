// How a benchmark trains: in a folder that an interrupted run goes on in, by the clock that counts.
import { access, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { BenchmarkSettings } from '../contract/benchmark.ts';
import type { TrainOptions, TrainResult } from '../contract/train.ts';
import { type Clock, processorClock, wallClock } from '../core/clock.ts';
import type { WorkOptions } from '../core/progress.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import { findBaseline, findModel } from '../model/registry.ts';
import { runFiles } from '../training/run-folder.ts';
import type { Contestant } from './benchmark-contestants.ts';
import { train } from './train.ts';

/** What all runs of a contestant have in common. */
export function trainOptions(
  { model, from, recipe }: Contestant,
  dataset: string,
  { patch, device }: BenchmarkSettings,
  threads: number,
): Omit<TrainOptions, 'out'> {
  const network = findBaseline(model) ? undefined : findModel(model);
  return {
    dataset,
    model,
    threads,
    ...(network && { patch: network.fixedTile ?? patch, device }),
    ...(from && { from }),
    ...(recipe && { recipe }),
  };
}

/** A new run, or what was interrupted of it. */
export async function trainOrResume(
  options: TrainOptions,
  open: (folder: string) => Promise<Dataset>,
  work: WorkOptions,
): Promise<TrainResult> {
  const { out, dataset, from, device, threads, timeBudgetSeconds } = options;
  const isBegun = await exists(runFiles(out).settings);
  const settings = isBegun
    ? { dataset, out, from, device, threads, timeBudgetSeconds, resume: true }
    : options;
  return train(settings, work, open, clockOf(options));
}

/** Where the processor does not do the work, its time says nothing. */
function clockOf({
  device,
  threads = availableParallelism(),
}: Pick<TrainOptions, 'device' | 'threads'>): Clock {
  return device === 'webgpu' ? wallClock : processorClock(threads);
}

/** A record written earlier; undefined where there is none. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  // JSON has no NaN; every null that is written here was one.
  return text === undefined
    ? undefined
    : (JSON.parse(text, (_, value) => (value === null ? Number.NaN : value)) as T);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
