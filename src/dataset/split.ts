// Divides slides into training, validation, calibration and test, so that what belongs together never crosses.
import { UsageError } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';

export const splits = ['train', 'validation', 'calibration', 'test'] as const;
export type Split = (typeof splits)[number];

/** What is kept together: sections of one animal, one slide, or (for data of one slide only) one field of it. */
export type SplitBy = 'animal' | 'slide' | 'field';

/** Share of the patches outside test and calibration that validation takes, as nearly as whole groups allow. */
const validationShare = 0.15;

export interface SplitSlide {
  /** For messages. */
  readonly name: string;
  /** Slides of one group stay together: the animal, or the slide (field) itself. */
  readonly group: string;
  readonly patches: number;
}

/** Slides (indices) that the user put into a split by name. */
export interface NamedSplits {
  readonly test: readonly number[];
  readonly calibration: readonly number[];
  /** 'none': no validation; undefined: choose groups by the seed. */
  readonly validation: readonly number[] | 'none' | undefined;
}

export interface SplitResult {
  /** One split a slide. */
  readonly of: Split[];
  /** One sentence for each slide that followed its group into a split that it was not named for. */
  readonly notes: string[];
}

/**
 * Assigns every slide. A group follows any of its slides that was named; the rest is training, out of which
 * validation takes whole groups by the seed until it has about 15% of the patches.
 * @throws UsageError when a group would be in two splits, or when nothing is left to train on or validate with
 */
export function assignSplits(
  slides: readonly SplitSlide[],
  named: NamedSplits,
  splitBy: SplitBy,
  seed: number,
): SplitResult {
  const splitOf = new Map<string, { split: Split; because: number }>();
  const place = (index: number, split: Split): void => {
    const { group, name } = slides[index];
    const placed = splitOf.get(group);
    if (placed !== undefined && placed.split !== split) {
      const other = slides[placed.because].name;
      throw new UsageError(
        placed.because === index
          ? `${name} is named for ${placed.split} and for ${split}. Name each slide for one of them.`
          : `${other} (${placed.split}) and ${name} (${split}) belong to the same ${splitBy} '${group}', which ` +
              'must not cross a split. Name both for the same one.',
      );
    }
    if (placed === undefined) splitOf.set(group, { split, because: index });
  };
  for (const index of named.test) place(index, 'test');
  for (const index of named.calibration) place(index, 'calibration');
  if (Array.isArray(named.validation)) for (const index of named.validation) place(index, 'validation');

  const free = [...new Set(slides.map((slide) => slide.group))].filter((group) => !splitOf.has(group));
  const noun = splitBy === 'animal' ? 'animals' : splitBy === 'slide' ? 'slides' : 'fields';
  if (free.length === 0) {
    throw new UsageError(
      `nothing is left to train on: all ${slides.length} slides are named for test, calibration or validation. ` +
        'Give further slides, or name fewer.',
    );
  }
  if (named.validation === undefined) {
    if (free.length === 1) {
      throw new UsageError(
        `one of the ${noun} ('${free[0]}') is left for training and none for validation, which decides when ` +
          `training stops. Give ${splitBy === 'slide' ? 'further slides' : `slides of further ${noun}`}, or say --validation none to train the full schedule.`,
      );
    }
    for (const group of chooseValidation(slides, free, seed)) {
      splitOf.set(group, {
        split: 'validation',
        because: slides.findIndex((slide) => slide.group === group),
      });
    }
  }
  const isNamed = new Set([
    ...named.test,
    ...named.calibration,
    ...(Array.isArray(named.validation) ? named.validation : []),
  ]);
  const notes: string[] = [];
  const of = slides.map((slide, i) => {
    const placed = splitOf.get(slide.group);
    if (placed !== undefined && isNamed.has(placed.because) && !isNamed.has(i)) {
      const leader = slides[placed.because].name;
      notes.push(`${slide.name} goes to ${placed.split} with ${leader}: same ${splitBy} '${slide.group}'.`);
    }
    return placed?.split ?? 'train';
  });
  return { of, notes };
}

/**
 * Groups in an order drawn from the seed, taken while the share comes nearer to the one wanted; one that would take it further
 * off is passed over. At least one, the smallest where all are too large; never all.
 */
function chooseValidation(slides: readonly SplitSlide[], free: readonly string[], seed: number): string[] {
  const patchesOf = (group: string): number =>
    slides.reduce((total, slide) => total + (slide.group === group ? slide.patches : 0), 0);
  const total = free.reduce((sum, group) => sum + patchesOf(group), 0);
  const order = [...new Rng(seed).fork('validation').permutation(free.length)].map((i) => free[i]);
  const chosen: string[] = [];
  let taken = 0;
  const target = validationShare * total;
  for (const group of order) {
    if (chosen.length === free.length - 1) break;
    const next = taken + patchesOf(group);
    if (Math.abs(next - target) >= Math.abs(taken - target)) continue;
    chosen.push(group);
    taken = next;
  }
  if (chosen.length > 0 || free.length < 2) return chosen;
  return [order.reduce((a, b) => (patchesOf(b) < patchesOf(a) ? b : a))];
}
