// What all runs in a benchmark's folder were made by: another run there must have the same, or their rows do not compare.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { BenchmarkSettings } from '../contract/benchmark.ts';
import { flagOf } from '../contract/command.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { FormatError, UsageError } from '../core/errors.ts';
import type { DatasetManifest } from '../dataset/manifest.ts';
import { datasetFingerprint } from '../training/run-folder.ts';
import { ownNames } from './output-folder.ts';

/**
 * Raised whenever rows made before no longer compare with new ones, because another recipe or another choice of learning rates became
 * usual: 1 was AdamW, 2 Muon, 3 lowers the rate that short runs choose, 4 shows the edges of slides as often as the rest.
 */
const protocol = 4;

/** Models, seeds and folds may be added later; these may not change. */
const shared = [
  'preset',
  'slides',
  'calibrationSlides',
  'size',
  'timeBudgetSeconds',
  'chooseLearningRate',
  'patch',
  'device',
] as const satisfies readonly (keyof BenchmarkSettings)[];

type SharedSettings = Readonly<
  Record<(typeof shared)[number] | 'protocol' | 'from' | 'threads', string | number | boolean | null>
>;

const fileOf = (out: string): string => join(out, 'settings.json');

/**
 * The settings of this call.
 * @param start SHA-256 of the model to start from, which may lie elsewhere than it did
 * @throws UsageError when the folder holds runs by others or other files, FormatError when it cannot be told
 */
export async function readSettings(
  options: BenchmarkSettings,
  start: string | undefined,
): Promise<SharedSettings> {
  const given = {
    protocol,
    from: start === undefined ? null : `sha256:${start}`,
    ...Object.fromEntries(shared.map((key) => [key, options[key] ?? null])),
    threads: options.threads ?? availableParallelism(),
  } as SharedSettings;
  const found = await readKept(options.out);
  if (found === undefined) await ownNames(options.out, beforeSettings);
  const { dataset: _, ...kept } = found ?? { ...given, dataset: '' };
  if (kept.protocol !== protocol) {
    throw new UsageError(
      `--out ${options.out} holds runs of a version of hrpn with other recipes or learning rates, which do not compare with new ones. Choose another folder.`,
    );
  }
  for (const [key, value] of Object.entries(kept)) {
    const now = given[key as keyof SharedSettings];
    if (now === value) continue;
    const flag = key === 'timeBudgetSeconds' ? '--time-budget' : flagOf(key);
    const say = (setting: typeof value): string => (setting === null ? 'none' : String(setting));
    throw new UsageError(
      `--out ${options.out} holds runs with ${flag} ${say(value)}, not ${say(now)}, which do not compare with new ones. Give the same, or choose another folder.`,
    );
  }
  return given;
}

/** What may be there without settings: slides of a benchmark that was stopped early, and choices made by hand. */
const beforeSettings: readonly string[] = ['slides', 'dataset', 'dataset.partial', 'choices'];

/** @throws UsageError when the folder holds runs on another dataset; WriteError */
export async function keepSettings(
  settings: SharedSettings,
  manifest: DatasetManifest,
  out: string,
): Promise<void> {
  const dataset = datasetFingerprint(manifest);
  const kept = await readKept(out);
  if (kept && kept.dataset !== dataset) {
    throw new UsageError(
      `--out ${out} holds runs on another dataset. Give the same, or choose another folder.`,
    );
  }
  await writeFileAtomic(fileOf(out), `${JSON.stringify({ ...settings, dataset }, null, 2)}\n`);
}

async function readKept(out: string): Promise<(SharedSettings & { dataset: string }) | undefined> {
  const text = await readFile(fileOf(out), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(fileOf(out), 'is not the settings of a benchmark. Choose another folder.', {
      cause,
    });
  }
}
