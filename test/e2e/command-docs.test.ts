import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { commandDocs, commandDocsPath } from '../../scripts/command-docs.ts';
import { commands } from '../../src/cli/commands.ts';
import { trainCommand } from '../../src/contract/train.ts';
import * as library from '../../src/index.ts';
import { modelNames } from '../../src/model/registry.ts';

it('docs/command-line.md is what the contracts say (else run: node scripts/command-docs.ts)', async () => {
  expect(await readFile(commandDocsPath, 'utf8')).toBe(commandDocs());
});

it('every command but the studio is a function of the library', async () => {
  const exported = new Map<string, unknown>(Object.entries(library));
  for (const { contract, load } of commands) {
    if (contract.name !== 'studio') expect(exported.get(contract.name), contract.name).toBe(await load());
  }
});

it('train names every model there is', () => {
  const help = trainCommand.options.shape.model.description ?? '';
  expect(
    help
      .match(/(?<=: ).*(?=;)/)?.[0]
      .split(/, | or /)
      .sort(),
  ).toEqual([...modelNames].sort());
});
