#!/usr/bin/env node
// The `hrpn` command: reads the command line and sets the exit code. Everything else is in the library.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { commands } from './commands.ts';
import { addOptions } from './options.ts';
import { runCommand } from './run-command.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

let exitCode = 0;
const program = new Command('hrpn')
  .description('Predicts where nanoparticles go in a tumour, from vessels and nuclei.')
  .version(version)
  .configureOutput({
    outputError: (text, write) => write(text.replace(/^error: /, 'hrpn: ').replace(/\n(?=.)/g, ' ')),
  })
  .exitOverride();

for (const entry of commands) {
  const command = program.command(entry.contract.name).description(entry.contract.summary);
  addOptions(command, entry.contract);
  command.option('--json', 'print the result as one JSON object on stdout');
  command.action(async (...args: unknown[]) => {
    exitCode = await runCommand(entry, args.slice(0, entry.contract.positional.length), command);
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version are asked for; everything else that commander raises is wrong use.
  exitCode = error.exitCode === 0 ? 0 : 2;
}
process.exit(exitCode);
