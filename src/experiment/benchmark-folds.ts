// Which slides are held out in which part of a benchmark, and the datasets for it.
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchmarkSettings } from '../contract/benchmark.ts';
import type { PrepareOptions } from '../contract/prepare.ts';
import { DataError, UsageError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { type DatasetManifest, type DatasetSlide, readManifest, writeManifest } from '../dataset/manifest.ts';
import { readMask, writeMask } from '../dataset/mask-file.ts';
import { locateSlide } from '../dataset/open-dataset.ts';
import { dealWindows } from '../dataset/random-windows.ts';
import { prepare } from './prepare.ts';

export interface Fold {
  readonly name: string;
  /** Names of the slides held out; none in the control whose windows are dealt out at random. */
  readonly test: readonly string[];
  readonly isRandom: boolean;
  /** Dataset folder, given the inputs that a model sees; all of them unless given. */
  dataset(inputs: readonly string[] | undefined, work: WorkOptions): Promise<string>;
}

/**
 * One fold, the dataset's own test slides; or with `leaveOneOut` one fold a group (animal, slide, or field).
 * @throws UsageError when there is nothing to hold out; FileAccessError for a slide that is missing
 */
export async function planFolds(options: BenchmarkSettings, dataset: string): Promise<Fold[]> {
  const manifest = await readManifest(dataset);
  const paths = await Promise.all(manifest.slides.map((slide) => locateSlide(dataset, slide)));
  if (!options.leaveOneOut) {
    const test = manifest.slides.filter(({ split }) => split === 'test');
    if (test.length === 0) {
      throw new UsageError(
        `the dataset ${dataset} holds out no slide. Prepare it with --test SLIDE, or add --leave-one-out.`,
      );
    }
    return [foldOf(testFoldName, manifest, paths, ({ split }) => split, options.out, dataset)];
  }
  // Calibration slides stay what they are: intervals are judged on slides that nothing was fitted on.
  const free = manifest.slides.filter(({ split }) => split !== 'calibration');
  const groups = [...new Set(free.map(({ group }) => group))];
  if (groups.length < 3) {
    throw new UsageError(
      `--leave-one-out needs at least three ${manifest.splitBy}s (one held out, two to train and validate on) beside those for calibration, found ${groups.length}.`,
    );
  }
  const splitOf = (held: string, { group, split }: DatasetSlide): string | undefined => {
    if (split === 'calibration') return split;
    return group === held ? 'test' : undefined;
  };
  return groups.map((group) =>
    foldOf(
      foldName(group, groups),
      manifest,
      paths,
      (slide) => splitOf(group, slide),
      options.out,
      undefined,
    ),
  );
}

const testFoldName = 'test';
const randomFoldName = 'random-patches';

/** The group's own name, as a file name; another one where that is taken by a fold that holds out something else. */
function foldName(group: string, groups: readonly string[]): string {
  const own = encodeURIComponent(group);
  const others = groups.filter((other) => other !== group).map(encodeURIComponent);
  const taken = new Set([...others, testFoldName, '.', '..']);
  let name = own;
  while (taken.has(name) || name.startsWith(randomFoldName)) name = `held-out-${name}`;
  return name;
}

/** The row of the table that a contestant's runs on a fold belong to. */
export function rowName(contestant: string, fold: Fold): string {
  return fold.isRandom ? `${contestant}, random patches` : contestant;
}

/**
 * The slides and numbers of windows of a fold, but with the windows dealt out at random over its slides (see
 * `dealWindows`).
 */
export function randomFold(base: Fold, out: string): Fold {
  // Another base has other windows and schedules: its runs are others.
  const name = base.name === testFoldName ? randomFoldName : `${randomFoldName}-${base.name}`;
  return {
    name,
    test: [],
    isRandom: true,
    async dataset(inputs, work) {
      const from = await base.dataset(inputs, work);
      const folder = foldFolder(out, name, inputs);
      if (await holdsDataset(folder)) return folder;
      const stored = await readManifest(from);
      const masks = await Promise.all(stored.slides.map(({ mask }) => readMask(join(from, mask.file), mask)));
      // Paths beside another folder would lead elsewhere.
      const located = stored.slides.map(async (slide) => ({
        ...slide,
        path: await locateSlide(from, slide),
        relativePath: undefined,
      }));
      const manifest = { ...stored, slides: await Promise.all(located) };
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
 * @param paths of the manifest's slides
 * @param splitOf undefined leaves it to `prepare`, which keeps about 15% for validation
 * @param whole dataset that has this split already
 */
function foldOf(
  name: string,
  manifest: DatasetManifest,
  paths: readonly string[],
  splitOf: (slide: DatasetSlide) => string | undefined,
  out: string,
  whole: string | undefined,
): Fold {
  const { slides } = manifest;
  const pathsOf = (split: string): string[] => paths.filter((_, i) => splitOf(slides[i]) === split);
  return {
    name,
    test: slides.flatMap((slide) => (splitOf(slide) === 'test' ? [slide.name] : [])),
    isRandom: false,
    async dataset(inputs, work) {
      if (inputs === undefined && whole !== undefined) return whole;
      const folder = foldFolder(out, name, inputs);
      if (await holdsDataset(folder)) return folder;
      const isDecided = slides.every((slide) => splitOf(slide) !== undefined);
      // What sees fewer inputs may find less tissue, and `prepare` chooses by that: it must not train on other slides.
      const chosen =
        isDecided || inputs === undefined
          ? undefined
          : await readManifest(await this.dataset(undefined, work));
      const validation = chosen
        ? paths.filter((_, i) =>
            chosen.slides.some(
              ({ name: slide, split }) => slide === slides[i].name && split === 'validation',
            ),
          )
        : pathsOf('validation');
      const seen = inputs ?? manifest.inputRoles;
      const options: PrepareOptions = {
        slides: [...paths],
        out: folder,
        test: pathsOf('test'),
        calibration: pathsOf('calibration'),
        ...((isDecided || chosen) && { validation: validation.length > 0 ? validation : ['none'] }),
        ...(manifest.splitBy === 'animal' && {
          groups: Object.fromEntries(slides.map(({ group }, i) => [paths[i], group])),
        }),
        splitBy: manifest.splitBy,
        inputs: [...seen],
        target: manifest.targetRole,
        roles: sharedChannels(slides, [...seen, manifest.targetRole]),
        ...slides[0].plane,
        ...(slides[0].givenPixelSizeUm && { pixelSizeUm: slides[0].givenPixelSizeUm }),
        datasetPixelSizeUm: manifest.pixelSizeUm,
        patch: manifest.patch,
        overlap: manifest.overlap,
        minTissue: manifest.minTissue,
        seed: manifest.seed,
      };
      const { excluded } = await prepare(
        options,
        work,
        slides.map((slide) => slide.name),
      );
      if (excluded.length > 0) {
        await rm(folder, { recursive: true });
        const [{ slide, reason }] = excluded;
        throw new DataError(
          `${slide} is in the dataset but cannot be used by a model that sees ${options.inputs?.join(', ')} only: ${reason} Rows must be on the same slides: leave that model out, or the slide.`,
        );
      }
      return folder;
    },
  };
}

function foldFolder(out: string, fold: string, inputs: readonly string[] | undefined): string {
  const name = inputs === undefined ? 'dataset' : `dataset-${encodeURIComponent(inputs.join('+'))}`;
  return join(out, 'folds', fold, name);
}

/** Roles whose channel has one name on all slides: a role that the user gave a channel has. Others are found by name. */
function sharedChannels(
  [first, ...rest]: readonly DatasetSlide[],
  roles: readonly string[],
): Record<string, string> {
  const shared = roles.filter((role) =>
    rest.every(({ channels }) => channels[role] === first.channels[role]),
  );
  return Object.fromEntries(shared.map((role) => [role, first.channels[role]]));
}
