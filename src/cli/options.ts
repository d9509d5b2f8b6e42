// Makes command-line arguments and options out of a command's contract, so that the two cannot drift apart.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { type CommandContract, type FlagMeta, flagOf } from '../contract/command.ts';

/** Choices longer than this are told in the description, if there, and not before it. */
const longestChoices = 40;

/** What is used of the JSON Schema of one option. */
interface Field extends FlagMeta {
  readonly type?: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  /** Of the keys of pairs. */
  readonly propertyNames?: { readonly kind?: 'path' };
}

/** Adds the contract's arguments and options to a command. */
export function addOptions(command: Command, contract: CommandContract): void {
  const schema = z.toJSONSchema(contract.options, { io: 'input' });
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}) as [string, Field][];
  for (const key of contract.positional) {
    const [, field] = fields.find(([name]) => name === key) ?? [];
    const label = field?.type === 'array' ? `${key}...` : key;
    command.argument(required.has(key) ? `<${label}>` : `[${label}]`, field?.description);
  }
  for (const [key, field] of fields) {
    if (!contract.positional.includes(key)) command.addOption(optionOf(key, field, required.has(key)));
  }
}

/** The options as the contract wants them; only what was given, so that the contract fills in the defaults. */
export function collectOptions(
  contract: CommandContract,
  positional: readonly unknown[],
  command: Command,
): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  contract.positional.forEach((key, i) => {
    if (positional[i] !== undefined) given[key] = positional[i];
  });
  const schema = z.toJSONSchema(contract.options, { io: 'input' });
  for (const [key, field] of Object.entries(schema.properties ?? {}) as [string, Field][]) {
    const name = optionOf(key, field, false).attributeName();
    const value = command.getOptionValue(name);
    if (value !== undefined && !contract.positional.includes(key)) given[key] = value;
  }
  return given;
}

function optionOf(key: string, field: Field, required: boolean): Option {
  const flag = flagOf(key, field);
  const takesValue = field.type !== 'boolean';
  const choices = field.enum?.join('|');
  const isShort = choices !== undefined && choices.length <= longestChoices;
  const placeholder = isShort ? choices : (field.value ?? (choices === undefined ? 'VALUE' : 'NAME'));
  const isDefaultSaid = field.default !== undefined && takesValue && typeof field.default !== 'object';
  const unit = field.syntax === 'duration' ? 's' : '';
  const remark = required ? ' (required)' : isDefaultSaid ? ` (default: ${field.default}${unit})` : '';
  const option = new Option(takesValue ? `${flag} <${placeholder}>` : flag, `${field.description}${remark}`);
  // A path may hold a '='.
  const isByPath = field.propertyNames?.kind === 'path';
  if (field.syntax === 'pairs')
    option.argParser<Record<string, string>>((text, held) => addPair(text, held, isByPath));
  else if (field.syntax === 'duration') option.argParser(parseDuration);
  else if (field.type === 'array') option.argParser((value, held?: string[]) => [...(held ?? []), value]);
  else if (field.type === 'number' || field.type === 'integer') option.argParser(parseNumber);
  return option;
}

/** What is not a number is passed on as it is; the contract says what is wrong with it. */
function parseNumber(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}

function addPair(
  text: string,
  held: Readonly<Record<string, string>> = {},
  isByPath = false,
): Record<string, string> {
  const at = isByPath ? text.lastIndexOf('=') : text.indexOf('=');
  if (at <= 0 || at === text.length - 1) {
    throw new InvalidArgumentError(`Expected NAME=VALUE, found '${text}'.`);
  }
  const key = text.slice(0, at);
  if (Object.hasOwn(held, key)) throw new InvalidArgumentError(`'${key}' is given twice.`);
  return { ...held, [key]: text.slice(at + 1) };
}

const secondsIn: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };

/** '90', '90s', '30m', '1.5h' in seconds. */
function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h|)$/.exec(text.trim());
  if (match === null) {
    throw new InvalidArgumentError(`Expected a time such as 90s, 30m or 2h, found '${text}'.`);
  }
  return Number(match[1]) * secondsIn[match[2]];
}
