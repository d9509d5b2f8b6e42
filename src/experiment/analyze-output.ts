// What `analyze` writes: tables, outlines, figures and the report.
import { join } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.ts';
import type { WorkOptions } from '../core/progress.ts';
import { analysisHtml } from '../report/analysis-page.ts';
import { geojsonOf } from '../report/geojson.ts';
import { csvOf, parquetOf } from '../report/table.ts';
import type { Analysis } from './analysis.ts';
import { regionShapes, vesselShapes } from './analyze-outlines.ts';
import { chartsOf, pageOf } from './analyze-page.ts';
import { picturesOf } from './analyze-pictures.ts';
import { tablesOf } from './analyze-tables.ts';

/** @returns names of the files, relative to the folder, besides report.html and result.json */
export async function writeAnalysis(
  analysis: Analysis,
  folder: string,
  work: WorkOptions,
): Promise<string[]> {
  const files: string[] = [];
  const write = async (name: string, content: Parameters<typeof writeFileAtomic>[1]): Promise<void> => {
    await writeFileAtomic(join(folder, name), content);
    files.push(name);
  };
  work.onProgress?.({ stage: 'writing tables and figures', done: 0, total: 1 });
  for (const [name, table] of Object.entries(tablesOf(analysis))) {
    await write(join('tables', `${name}.csv`), csvOf(table));
    await write(join('tables', `${name}.parquet`), parquetOf(table));
  }
  await write(join('outlines', 'vessels.geojson'), geojsonOf(vesselShapes(analysis)));
  await write(join('outlines', 'regions.geojson'), geojsonOf(regionShapes(analysis)));

  const charts = chartsOf(analysis);
  for (const [name, svg] of Object.entries(charts))
    if (svg !== '') await write(join('figures', `${name}.svg`), svg);
  const pictures = await picturesOf(analysis, work);
  for (const [name, { png }] of Object.entries(pictures)) await write(join('figures', `${name}.png`), png);
  await writeFileAtomic(join(folder, 'report.html'), analysisHtml(pageOf(analysis, charts, pictures)));
  return files;
}
