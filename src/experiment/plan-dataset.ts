// What the options of `prepare` ask for, before any slide is opened.
import { existsSync } from 'node:fs';
import type { parseOptions } from '../contract/command.ts';
import type { prepareCommand } from '../contract/prepare.ts';
import { UsageError } from '../core/errors.ts';
import { isUrl } from '../dataset/fingerprint.ts';
import type { SplitBy } from '../dataset/split.ts';
import { findSlide, type ListedSlide, listSlides } from './slide-list.ts';

export type PrepareSettings = ReturnType<typeof parseOptions<(typeof prepareCommand)['options']>>;

/** What holds for the whole dataset; slides are named by index. */
export interface DatasetPlan {
  readonly slides: readonly ListedSlide[];
  readonly named: { test: number[]; calibration: number[]; validation: number[] | 'none' | undefined };
  /** One a slide. */
  readonly groups: readonly string[];
  readonly splitBy: SplitBy;
  readonly inputRoles: readonly string[];
  readonly targetRole: string;
}

/** The plane of a stack that the user stated. */
export function planeOf({ z, t }: PrepareSettings): { z?: number; t?: number } {
  return { ...(z === undefined ? {} : { z }), ...(t === undefined ? {} : { t }) };
}

/**
 * @param names of the slides given, in their order; made from their paths unless given
 * @throws UsageError when options contradict each other
 */
export function planDataset(options: PrepareSettings, names?: readonly string[]): DatasetPlan {
  const isNone = options.validation?.length === 1 && options.validation[0] === 'none';
  const validation = isNone ? [] : (options.validation ?? []);
  const given = listSlides(options.slides);
  // A slide may be named for a split without being listed again.
  const further = [...options.test, ...options.calibration, ...validation].filter(
    (path, i, all) => findSlide(given, path) < 0 && all.indexOf(path) === i,
  );
  const lost = further.find((path) => !isUrl(path) && !existsSync(path));
  if (lost !== undefined) {
    const flag = options.test.includes(lost)
      ? 'test'
      : options.calibration.includes(lost)
        ? 'calibration'
        : 'validation';
    const known = given.map(({ name }) => name).join(', ');
    throw new UsageError(
      `--${flag} ${lost} is none of the slides given (${known}), and no file of that name exists.`,
    );
  }
  const slides = listSlides([...options.slides, ...further]).map((slide, i) => ({
    ...slide,
    name: names?.[i] ?? slide.name,
  }));
  const indices = (paths: readonly string[]): number[] => paths.map((path) => findSlide(slides, path));
  const grouped = new Map<number, string>();
  for (const [path, animal] of Object.entries(options.groups)) {
    const index = findSlide(slides, path);
    if (index < 0) {
      const known = slides.map(({ name }) => name).join(', ');
      throw new UsageError(`--group ${path}=${animal} names no slide given. The slides are: ${known}.`);
    }
    grouped.set(index, animal);
  }
  const splitBy = options.splitBy ?? (grouped.size > 0 ? 'animal' : 'slide');
  if (splitBy === 'animal') {
    const without = slides.find((_, i) => !grouped.has(i));
    if (without !== undefined) {
      throw new UsageError(
        `the split is by animal, but ${without.name} has none. Add --group ${without.path}=ANIMAL, or --split-by slide.`,
      );
    }
  } else if (grouped.size > 0) {
    throw new UsageError(`--group is for a split by animal, not by ${splitBy}. Leave out one of the two.`);
  }
  const inputRoles = options.inputs ?? [
    ...new Set(['vessel', 'nuclei', ...Object.keys(options.roles).filter((role) => role !== options.target)]),
  ];
  if (inputRoles.includes(options.target)) {
    throw new UsageError(`the role '${options.target}' is the --target and cannot be an --input as well.`);
  }
  const unused = Object.keys(options.roles).find(
    (role) => role !== options.target && !inputRoles.includes(role),
  );
  if (unused !== undefined) {
    throw new UsageError(
      `--role ${unused}=${options.roles[unused]} names neither an --input (${inputRoles.join(', ')}) nor the --target (${options.target}). Add --input ${unused}, or leave it out.`,
    );
  }
  return {
    slides,
    named: {
      test: indices(options.test),
      calibration: indices(options.calibration),
      validation: isNone ? 'none' : options.validation === undefined ? undefined : indices(validation),
    },
    groups: slides.map(({ name }, i) => grouped.get(i) ?? name),
    splitBy,
    inputRoles,
    targetRole: options.target,
  };
}
