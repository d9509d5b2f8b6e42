// Images for tests that are not part of the repository.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Beside the checkout unless HRPN_TEST_DATA names another folder. */
const root = process.env.HRPN_TEST_DATA ?? join(import.meta.dirname, '../../shared/data');

/** @returns undefined where the folder is absent: tests that need it then skip and say so */
export function sharedData(folder: string): string | undefined {
  const path = join(root, folder);
  return existsSync(path) ? path : undefined;
}
