// Who takes part in a benchmark: the names of `--models`, and what each of them sees.
import type { BenchmarkSettings } from '../contract/benchmark.ts';
import { UsageError } from '../core/errors.ts';
import { type Dataset, openDataset } from '../dataset/open-dataset.ts';
import { withTurnedInput } from '../dataset/turned-input.ts';
import { findBaseline, findModel } from '../model/registry.ts';

/** A row of the table: a model, the inputs it sees, and where it starts from. */
export interface Contestant {
  /** e.g. 'hrpn', 'hrpn@vessel', 'hrpn pre-trained'. */
  readonly name: string;
  readonly model: string;
  /** All of the dataset's unless given. */
  readonly inputs?: readonly string[];
  readonly from?: string;
  readonly recipe?: 'standard';
  /** Input whose image is turned by half a turn: a control. */
  readonly turned?: string;
}

/**
 * Parses `--models`. @throws UsageError for a name that is no model's or inputs the dataset lacks
 */
export function contestantsOf({ models, from }: BenchmarkSettings, roles: readonly string[]): Contestant[] {
  const contestants: Contestant[] = [];
  for (const name of models.split(',').map((part) => part.trim())) {
    if (contestants.some((other) => other.name === name)) {
      throw new UsageError(`--models names ${name} twice. Use --seeds for several runs of a model.`);
    }
    const [seen, turned, ...moreTurned] = name.split('%');
    const [head, ...inputs] = seen.split('@');
    const [model, recipe, ...moreRecipes] = head.split(':');
    if (moreTurned.length > 0 || moreRecipes.length > 0 || new Set(inputs).size < inputs.length) {
      throw new UsageError(
        `--models ${name}: expected NAME[:standard][@ROLE...][%ROLE], each role once and one after %.`,
      );
    }
    if (recipe !== undefined && (recipe !== 'standard' || findBaseline(model))) {
      throw new UsageError(`--models ${name}: expected NAME or NAME:standard of a trained model.`);
    }
    const baseline = findBaseline(model);
    if (!baseline) findModel(model);
    for (const role of turned === undefined ? inputs : [...inputs, turned]) {
      if (roles.includes(role)) continue;
      throw new UsageError(
        `--models ${name}: the dataset has the inputs ${roles.join(', ')}, not '${role}'.`,
      );
    }
    const seenRoles = inputs.length > 0 ? inputs : roles;
    const read = baseline?.derived === undefined ? seenRoles : ['vessel'];
    if (turned !== undefined && !read.includes(turned)) {
      throw new UsageError(
        `--models ${name}: ${seen} reads ${read.join(', ')}, so that turning '${turned}' would change nothing. Name one that it reads after %.`,
      );
    }
    if (baseline?.derived !== undefined && !seenRoles.includes('vessel')) {
      throw new UsageError(
        `--models ${name}: ${model} needs the role 'vessel', which it does not see. Leave it out of --models, or prepare the dataset with --input vessel.`,
      );
    }
    contestants.push({
      name,
      model,
      ...(inputs.length > 0 && { inputs }),
      ...(recipe === 'standard' && { recipe }),
      ...(turned !== undefined && { turned }),
    });
  }
  return from === undefined ? contestants : [...contestants, ...started(contestants, from)];
}

/** The first trained model once more, started from a trained one; train says if that does not fit. */
function started(contestants: readonly Contestant[], from: string): Contestant[] {
  const first = contestants.find(
    ({ model, inputs, turned }) => !findBaseline(model) && inputs === undefined && turned === undefined,
  );
  if (first === undefined) {
    throw new UsageError(
      `--from ${from}: expected a network that sees all inputs among --models to start with it, found ${contestants.map(({ name }) => name).join(', ')}. Add hrpn, or leave out --from.`,
    );
  }
  return [{ ...first, name: `${first.name} pre-trained`, from }];
}

/** How a contestant sees a dataset. */
export function openerOf({ turned }: Contestant): (folder: string) => Promise<Dataset> {
  return async (folder) => {
    const dataset = await openDataset(folder);
    return turned === undefined ? dataset : withTurnedInput(dataset, turned);
  };
}

/** Of a row: no two have the same. */
export function fileName(name: string): string {
  return encodeURIComponent(name).replaceAll('%40', '@');
}
