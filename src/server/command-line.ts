// Options of a form: checked, and every path in them confined.
import { z } from 'zod';
import { type CommandContract, type FlagMeta, parseOptions } from '../contract/command.ts';
import { FormatError, UsageError } from '../core/errors.ts';
import { datasetSlides } from '../experiment/dataset-slides.ts';
import type { OpenedFolder } from './opened-folder.ts';

interface Field extends FlagMeta {
  readonly type?: string;
  readonly kind?: string;
  readonly items?: Field;
  readonly propertyNames?: Field;
  readonly additionalProperties?: Field;
}

/** Options that name what is written; every other path must be there already. */
const outputKeys = ['out'];

/**
 * Checks a form against the contract and confines every path in it to the folder.
 * @returns what was given, defaults not filled in, with absolute paths
 * @throws UsageError, FileAccessError
 */
export async function checkForm(
  contract: CommandContract,
  given: Record<string, unknown>,
  folder: OpenedFolder,
): Promise<Record<string, unknown>> {
  parseOptions(contract, given);
  const checked: Record<string, unknown> = {};
  for (const [key, field] of fieldsOf(contract)) {
    const value = given[key];
    if (value === undefined) continue;
    const confine = (path: string): Promise<string> =>
      outputKeys.includes(key) ? folder.writable(path) : folder.existingTree(path);
    checked[key] = await confined(field, value, confine);
  }
  parseOptions(contract, checked);
  return checked;
}

/**
 * Refuses a dataset whose slides lie elsewhere: its manifest names them, and they would be read.
 * @throws UsageError, FileAccessError
 */
export async function confineDataset(dataset: unknown, folder: OpenedFolder): Promise<void> {
  if (typeof dataset !== 'string') return;
  const paths = await datasetSlides(dataset).catch((error) => {
    // The command reads the same manifest, and says what is wrong with it.
    if (error instanceof FormatError) return [];
    throw error;
  });
  for (const path of paths) await folder.requireInside(path);
}

async function confined(
  field: Field,
  value: unknown,
  confine: (path: string) => Promise<string>,
): Promise<unknown> {
  if (Array.isArray(value)) {
    // `--validation none` is no path.
    if (value.length === 1 && field.word !== undefined && value[0] === field.word) return value;
    return Promise.all(value.map((item) => confined(field.items ?? {}, item, confine)));
  }
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new UsageError('a value holds a zero byte, which no command takes.');
    return field.kind === 'path' ? confine(value) : value;
  }
  if (value === null || typeof value !== 'object') return value;
  const entries: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    entries.push([
      field.propertyNames?.kind === 'path' ? await confine(key) : key,
      await confined(field.additionalProperties ?? {}, item, confine),
    ]);
  }
  return Object.fromEntries(entries);
}

function fieldsOf(contract: CommandContract): [string, Field][] {
  const schema = z.toJSONSchema(contract.options, { io: 'input' });
  return Object.entries(schema.properties ?? {}) as [string, Field][];
}
