// What a command is: its arguments and options as one schema, and its result as another. Command line, server and
// studio are all made from these.
import type { z } from 'zod';
import { UsageError } from '../core/errors.ts';

/** How an option is given on the command line, where that is not simply `--key VALUE`; put on with `.meta`. */
export interface FlagMeta {
  /** Long flag without dashes; the key in kebab case unless given. */
  readonly flag?: string;
  /** Placeholder in the help, e.g. 'PX'. */
  readonly value?: string;
  /** 'pairs': `--flag KEY=VALUE`, repeatable, becomes a record. 'duration': 90, 90s, 30m or 2h, becomes seconds. */
  readonly syntax?: 'pairs' | 'duration';
  /** What a list of paths may hold alone, in place of any. */
  readonly word?: string;
}

export interface CommandContract<
  Options extends z.ZodObject = z.ZodObject,
  Result extends z.ZodType = z.ZodType,
> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Keys of `options` that are given by position; the last may be an array, which takes all that follow. */
  readonly positional: readonly string[];
  readonly options: Options;
  readonly result: Result;
}

/** The long flag of an option, with its dashes. */
export function flagOf(key: string, meta: FlagMeta = {}): string {
  return `--${meta.flag ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Checks options and fills in defaults.
 * @throws UsageError that names the first wrong option, what it takes, and what was given
 */
export function parseOptions<Options extends z.ZodObject>(
  command: CommandContract<Options>,
  given: unknown,
): z.output<Options> {
  const result = command.options.safeParse(given, { reportInput: true });
  if (result.success) return result.data;
  throw new UsageError(sentence(command, result.error.issues[0]));
}

function sentence(command: CommandContract, issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(command.options.shape).join(', ');
    return `${command.name} has no option '${issue.keys[0]}'. It takes: ${known}.`;
  }
  const key = String(issue.path[0] ?? '');
  const field = command.options.shape[key] as z.ZodType | undefined;
  const name = command.positional.includes(key)
    ? key.toUpperCase()
    : flagOf(key, (field?.meta() ?? {}) as FlagMeta);
  if (issue.input === undefined) return `${command.name} needs ${name}: ${field?.description ?? key}.`;
  return `${name}: expected ${expectation(issue)}, found ${JSON.stringify(issue.input)}.`;
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : `a ${issue.expected}`;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      if (issue.origin === 'string') return 'some text';
      if (issue.origin === 'array') return `at least ${issue.minimum}`;
      return `a number ${issue.inclusive ? 'of at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      return `a number ${issue.inclusive ? 'of at most' : 'below'} ${issue.maximum}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    default:
      return `a valid value (${issue.message})`;
  }
}
