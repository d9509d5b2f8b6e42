// Writes docs/command-line.md from the commands' contracts: `node scripts/command-docs.ts`. A test holds it up to date.
import { writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { commands } from '../src/cli/commands.ts';
import { addOptions } from '../src/cli/options.ts';

export const commandDocsPath = fileURLToPath(new URL('../docs/command-line.md', import.meta.url));

const head = `# Command line

\`\`\`
npm run -s hrpn -- COMMAND   in the root of a checkout, where relative paths start
hrpn COMMAND                 from anywhere, after npm pack and npm install -g hrpn-0.1.0.tgz
\`\`\`

A SLIDE is a file (OME-TIFF, TIFF, PNG, JPEG), a folder with one file a channel, or an OME-Zarr folder or address.
Channels are named, never numbered: by their names in the file, or by \`--role ROLE=CHANNEL\`. Lengths are in
micrometres; a slide that does not say its pixel size is refused until \`--pixel-size-um\` does.

- \`--json\` prints the result as one JSON object on stdout, and nothing else goes there. Without it, a summary for
  people, which ends with the files written. Figures that are not defined are \`null\`. What the fields mean is said in
  \`src/contract/COMMAND.ts\`.
- Progress goes to stderr: one live line on a terminal, else a line every five seconds; with \`HRPN_PROGRESS=json\` one
  JSON object a line, \`{"progress":{"stage","done","total","note"}}\`.
- What goes wrong is one sentence on stderr that starts with \`hrpn:\` and says what was expected, what was found, where,
  and what to do. \`HRPN_DEBUG=1\` adds where in the program.
- Ctrl-C (or a TERM signal) stops cleanly: nothing half-written stays, and what can be resumed is saved first. A second
  one stops at once.

| exit code | means |
|---|---|
| 0 | done |
| 1 | failed while running: disk full, runtime failure |
| 2 | wrong use or bad input; nothing was written but what the same command goes on from (\`--resume\`, a folder of \`benchmark\`) |
| 130, 143 | stopped by Ctrl-C, by a TERM signal |

On a machine that cannot reach nuget.org, install with \`ONNXRUNTIME_NODE_INSTALL=skip npm install -g hrpn-0.1.0.tgz\`: the runtime's
installer wants to fetch CUDA libraries that are not used.
`;

/** @returns the whole document, as Markdown */
export function commandDocs(): string {
  return [head, ...commands.map(({ contract }) => section(contract))].join('\n');
}

function section(contract: (typeof commands)[number]['contract']): string {
  const command = new Command(contract.name);
  addOptions(command, contract);
  const operands = command.registeredArguments.map((argument) => {
    const name = argument.name().toUpperCase();
    const text = argument.variadic ? `${name}...` : name;
    return argument.required ? text : `[${text}]`;
  });
  const rows = [
    ...command.registeredArguments.map((argument) => [argument.name().toUpperCase(), argument.description]),
    ...command.options.map((option) => [option.flags, option.description]),
  ].map(([name, text]) => `| \`${cell(name)}\` | ${cell(text).replaceAll('<', '&lt;')} |`);
  return [
    `## ${contract.name}`,
    '',
    `${contract.summary[0].toUpperCase()}${contract.summary.slice(1)}.`,
    '',
    `\`hrpn ${[contract.name, ...operands].join(' ')} [OPTIONS]\``,
    '',
    '| option | |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** A bar would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(commandDocsPath, commandDocs());
