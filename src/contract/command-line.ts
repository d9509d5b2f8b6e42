// From options back to the command line that means the same.
import { z } from 'zod';
import { type CommandContract, type FlagMeta, flagOf } from './command.ts';

/** Arguments after `hrpn`, without what is the default. Each option is one argument with '=', so that no value can pass for an option. */
export function commandArguments(
  contract: CommandContract,
  options: Readonly<Record<string, unknown>>,
): string[] {
  const flags: string[] = [];
  const positional: string[] = [];
  for (const [key, field] of fieldsOf(contract)) {
    const value = options[key];
    if (value === undefined || value === field.default || contract.positional.includes(key)) continue;
    const flag = flagOf(key, field);
    if (typeof value === 'boolean') {
      if (value) flags.push(flag);
    } else if (Array.isArray(value)) flags.push(...value.map((item) => `${flag}=${item}`));
    else if (value !== null && typeof value === 'object') {
      flags.push(...Object.entries(value).map(([name, item]) => `${flag}=${name}=${item}`));
    } else flags.push(`${flag}=${value}`);
  }
  for (const key of contract.positional) {
    const value = options[key];
    if (value !== undefined) positional.push(...(Array.isArray(value) ? value.map(String) : [String(value)]));
  }
  return [contract.name, ...flags, ...(positional.length > 0 ? ['--', ...positional] : [])];
}

/** For people to copy. */
export function shellText(args: readonly string[]): string {
  const quoted = args
    .filter((arg) => arg !== '--')
    .map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`));
  return `hrpn ${quoted.join(' ')}`;
}

function fieldsOf(contract: CommandContract): [string, FlagMeta & { default?: unknown }][] {
  const schema = z.toJSONSchema(contract.options, { io: 'input' });
  return Object.entries(schema.properties ?? {}) as [string, FlagMeta & { default?: unknown }][];
}
