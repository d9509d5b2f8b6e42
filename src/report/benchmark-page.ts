// The report of a benchmark as one HTML page that needs nothing else.
import { dotChart, escapeText, lineChart, type Series } from './svg-chart.ts';

export interface BenchmarkTable {
  readonly title: string;
  readonly columns: readonly string[];
  /** One a model: name, then a cell a column. A reference, such as a ceiling, is set apart. */
  readonly rows: readonly {
    readonly name: string;
    readonly cells: readonly string[];
    readonly isReference?: boolean;
  }[];
}

export interface BenchmarkPage {
  readonly title: string;
  /** What was held out, on what machine, how long each run trained. */
  readonly facts: readonly string[];
  readonly tables: readonly BenchmarkTable[];
  readonly differences: readonly string[];
  readonly notes: readonly string[];
  readonly r2: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly extravascularR2: readonly { readonly name: string; readonly values: readonly number[] }[];
  /** NaN without one. */
  readonly ceilingR2: number;
  readonly extravascularCeilingR2: number;
  readonly curves: readonly Series[];
  readonly command: string;
}

/** Values of R2 below are drawn at the edge: worse than nothing is all they say. */
const r2Floor = -0.5;

/** Figures alone, by file name. */
export function benchmarkFigures(page: BenchmarkPage): Record<string, string> {
  const marks = (value: number) => [{ value, name: 'ceiling' }];
  const figures = {
    'r2.svg': dotChart({
      rows: page.r2,
      label: `R2, all tissue tested on; open: below ${r2Floor}`,
      marks: marks(page.ceilingR2),
      floor: r2Floor,
    }),
    'r2-extravascular.svg': dotChart({
      rows: page.extravascularR2,
      label: `R2, tissue more than 3 um from a vessel; open: below ${r2Floor}`,
      marks: marks(page.extravascularCeilingR2),
      floor: r2Floor,
    }),
    'learning-curves.svg': lineChart({
      series: page.curves,
      xLabel: 'training time, seconds; the first run of each model',
      yLabel: `R2 on validation, from ${r2Floor} on`,
      yFloor: r2Floor,
    }),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, svg]) => svg !== ''));
}

export function benchmarkHtml(page: BenchmarkPage): string {
  const figures = benchmarkFigures(page);
  const list = (items: readonly string[]): string =>
    items.map((item) => `<li>${escapeText(item)}</li>`).join('');
  const cells = (tag: string, values: readonly string[]): string =>
    values.map((value) => `<${tag}>${escapeText(value)}</${tag}>`).join('');
  const table = ({ title, columns, rows }: BenchmarkTable): string => {
    const body = rows.map(
      ({ name, cells: values, isReference }) =>
        `<tr${isReference ? ' class="reference"' : ''}><th scope="row">${escapeText(name)}</th>${cells('td', values)}</tr>`,
    );
    return `<h2>${escapeText(title)}</h2><div class="wide"><table><thead><tr>${cells('th', ['model', ...columns])}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
  };
  const headings: Record<string, string> = {
    'r2.svg': 'R2 of every run',
    'r2-extravascular.svg': 'R2 outside the vessels',
    'learning-curves.svg': 'Learning curves',
  };
  const drawn = Object.entries(figures).map(([file, svg]) => `<h2>${headings[file]}</h2>${svg}`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeText(page.title)}</title><style>
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}
th,td{padding:.25rem .6rem;border-bottom:1px solid #8884;text-align:right;white-space:nowrap}
thead th{white-space:normal;vertical-align:bottom}th[scope=row],thead th:first-child{text-align:left}
.reference{font-style:italic}.reference th{font-weight:normal}svg{max-width:100%;height:auto}code{white-space:pre-wrap}
</style></head><body><h1>${escapeText(page.title)}</h1><ul>${list(page.facts)}</ul>
${page.tables.map(table).join('\n')}
${page.differences.length > 0 ? `<h2>Differences, slide by slide</h2><ul>${list(page.differences)}</ul>` : ''}
${drawn.join('\n')}
${page.notes.length > 0 ? `<h2>Notes</h2><ul>${list(page.notes)}</ul>` : ''}
<h2>Command</h2><code>${escapeText(page.command)}</code></body></html>
`;
}
