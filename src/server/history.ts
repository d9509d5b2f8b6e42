// The loss curve of a training run, as far as it is written.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HistoryRow } from '../contract/studio.ts';

/** Rows of RUN/history.jsonl, oldest first; none where there is no such file. A half-written last line is left out. */
export async function readHistory(runFolder: string | undefined): Promise<HistoryRow[]> {
  if (runFolder === undefined) return [];
  const text = await readFile(join(runFolder, 'history.jsonl'), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    try {
      const row = JSON.parse(line) as HistoryRow;
      return typeof row.epoch === 'number' ? [row] : [];
    } catch {
      return [];
    }
  });
}
