import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { commandDocs, commandDocsPath } from '../../scripts/command-docs.ts';
import { commands } from '../../src/cli/commands.ts';
import * as library from '../../src/index.ts';

it('docs/command-line.md is what the contracts say (else run: node scripts/command-docs.ts)', async () => {
  expect(await readFile(commandDocsPath, 'utf8')).toBe(commandDocs());
});

it('every command but the studio is a function of the library', async () => {
  const exported = new Map<string, unknown>(Object.entries(library));
  for (const { contract, load } of commands) {
    if (contract.name !== 'studio') expect(exported.get(contract.name), contract.name).toBe(await load());
  }
});
