import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { commandDocs, commandDocsPath } from '../../scripts/command-docs.ts';

it('docs/command-line.md is what the contracts say (else run: node scripts/command-docs.ts)', async () => {
  expect(await readFile(commandDocsPath, 'utf8')).toBe(commandDocs());
});
