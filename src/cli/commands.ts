// The commands there are, each with its contract, its use case and its summary.
import { prepareCommand } from '../contract/prepare.ts';
import type { CommandEntry } from './run-command.ts';
import { summarisePrepare } from './summaries.ts';

export const commands: readonly CommandEntry[] = [
  {
    contract: prepareCommand,
    load: async () => (await import('../experiment/prepare.ts')).prepare,
    summarise: summarisePrepare,
  },
];
