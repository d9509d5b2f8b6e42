// The commands that the studio runs.
import { z } from 'zod';
import { analyzeCommand } from '../contract/analyze.ts';
import type { CommandContract } from '../contract/command.ts';
import { evaluateCommand } from '../contract/evaluate.ts';
import { predictCommand } from '../contract/predict.ts';
import { prepareCommand } from '../contract/prepare.ts';
import { simulateCommand } from '../contract/simulate.ts';
import type { StudioCommandForm } from '../contract/studio.ts';
import { trainCommand } from '../contract/train.ts';
import { UsageError } from '../core/errors.ts';

const contracts: readonly CommandContract[] = [
  simulateCommand,
  prepareCommand,
  trainCommand,
  predictCommand,
  evaluateCommand,
  analyzeCommand,
];

/** @throws UsageError for a command that the studio does not run */
export function contractOf(name: string): CommandContract {
  const found = contracts.find((contract) => contract.name === name);
  if (found !== undefined) return found;
  throw new UsageError(
    `the studio has no command '${name}'. It runs: ${contracts.map((contract) => contract.name).join(', ')}.`,
  );
}

/** What the browser makes its forms from. */
export function commandForms(): StudioCommandForm[] {
  return contracts.map(({ name, summary, positional, options }) => ({
    name,
    summary,
    positional,
    schema: z.toJSONSchema(options, { io: 'input' }),
  }));
}
