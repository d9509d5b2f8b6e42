// Which slides are held out in which part of a benchmark, and the datasets for it.
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchmarkSettings } from '../contract/benchmark.ts';
import type { PrepareOptions } from '../contract/prepare.ts';
import { UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { type DatasetManifest, readManifest, writeManifest } from '../dataset/manifest.ts';
import { readMask, writeMask } from '../dataset/mask-file.ts';
import { dealWindows } from '../dataset/random-windows.ts';
import { prepare } from './prepare.ts';

export interface Fold {
  readonly name: string;
  /** Names of the slides held out; none in the control whose windows are dealt out at random. */
  readonly test: readonly string[];
  /** Dataset folder, given the inputs that a model sees; all of them unless given. */
  dataset(inputs: readonly string[] | undefined, work: WorkOptions): Promise<string>;
}

/**
 * One fold, the dataset's own test slides; or with `leaveOneOut` one fold a group (animal, slide, or field).
 * @throws UsageError when there is nothing to hold out
 */
export async function planFolds(options: BenchmarkSettings, dataset: string): Promise<Fold[]> {
  const manifest = await readManifest(dataset);
  if (!options.leaveOneOut) {
    const test = manifest.slides.filter(({ split }) => split === 'test');
    if (test.length === 0) {
      throw new UsageError(
        `the dataset ${dataset} holds out no slide. Prepare it with --test SLIDE, or add --leave-one-out.`,
      );
    }
    return [foldOf('test', manifest, (i) => manifest.slides[i].split, options.out, dataset)];
  }
  const groups = [...new Set(manifest.slides.map(({ group }) => group))];
  if (groups.length < 3) {
    throw new UsageError(
      `--leave-one-out needs at least three ${manifest.splitBy}s (one held out, two to train and validate on), found ${groups.length}.`,
    );
  }
  return groups.map((group) =>
    foldOf(
      group.replace(/[^\p{L}\p{N}._-]+/gu, '_'),
      manifest,
      (i) => (manifest.slides[i].group === group ? 'test' : undefined),
      options.out,
      undefined,
    ),
  );
}

const randomFoldName = 'random-patches';

/** The row of the table that a contestant's runs on a fold belong to. */
export function rowName(contestant: string, fold: Fold): string {
  return fold.name === randomFoldName ? `${contestant}, random patches` : contestant;
}

/**
 * The slides and numbers of windows of a fold, but with the windows dealt out at random over its slides (see
 * `dealWindows`).
 */
export function randomFold(base: Fold, out: string): Fold {
  return {
    name: randomFoldName,
    test: [],
    async dataset(inputs, work) {
      const from = await base.dataset(inputs, work);
      const folder = join(
        out,
        'folds',
        randomFoldName,
        inputs === undefined ? 'dataset' : `dataset-${inputs.join('-')}`,
      );
      if (await holdsDataset(folder)) return folder;
      const manifest = await readManifest(from);
      const masks = await Promise.all(
        manifest.slides.map(({ mask }) => readMask(join(from, mask.file), mask)),
      );
      const dealt = dealWindows(manifest, masks);
      await mkdir(join(folder, 'masks'), { recursive: true });
      for (const [i, { mask }] of dealt.manifest.slides.entries()) {
        await writeMask(join(folder, mask.file), dealt.masks[i]);
      }
      await writeManifest(folder, dealt.manifest);
      return folder;
    },
  };
}

function holdsDataset(folder: string): Promise<boolean> {
  return access(join(folder, 'dataset.json')).then(
    () => true,
    () => false,
  );
}

/**
 * @param splitOf of a slide by index; undefined leaves it to `prepare`, which keeps about 15% for validation
 * @param whole dataset that has this split already
 */
function foldOf(
  name: string,
  manifest: DatasetManifest,
  splitOf: (index: number) => string | undefined,
  out: string,
  whole: string | undefined,
): Fold {
  const { slides } = manifest;
  const paths = (split: string): string[] =>
    slides.flatMap(({ path }, i) => (splitOf(i) === split ? [path] : []));
  return {
    name,
    test: slides.flatMap((slide, i) => (splitOf(i) === 'test' ? [slide.name] : [])),
    async dataset(inputs, work) {
      if (inputs === undefined && whole !== undefined) return whole;
      const folder = join(
        out,
        'folds',
        name,
        inputs === undefined ? 'dataset' : `dataset-${inputs.join('-')}`,
      );
      if (await holdsDataset(folder)) return folder;
      const isDecided = slides.every((_, i) => splitOf(i) !== undefined);
      const validation = paths('validation');
      const options: PrepareOptions = {
        slides: slides.map(({ path }) => path),
        out: folder,
        test: paths('test'),
        calibration: paths('calibration'),
        ...(isDecided && { validation: validation.length > 0 ? validation : ['none'] }),
        ...(manifest.splitBy === 'animal' && {
          groups: Object.fromEntries(slides.map(({ path, group }) => [path, group])),
        }),
        splitBy: manifest.splitBy,
        inputs: [...(inputs ?? manifest.inputRoles)],
        target: manifest.targetRole,
        roles: slides[0].channels,
        ...(slides[0].givenPixelSizeUm && { pixelSizeUm: slides[0].givenPixelSizeUm }),
        datasetPixelSizeUm: manifest.pixelSizeUm,
        patch: manifest.patch,
        overlap: manifest.overlap,
        minTissue: manifest.minTissue,
        seed: manifest.seed,
      };
      await prepare(options, work);
      return folder;
    },
  };
}
