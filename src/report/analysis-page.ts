// The report of a spatial analysis: one HTML page that needs nothing beside it, answer first.
import { escapeText } from './svg-chart.ts';

export interface Fact {
  readonly name: string;
  readonly value: string;
  readonly note?: string;
}

export interface Picture {
  readonly title: string;
  readonly caption: string;
  readonly png: Uint8Array;
}

export interface PageTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface PageSection {
  readonly title: string;
  /** Short text above. */
  readonly text?: string;
  readonly svg?: string;
  readonly pictures?: readonly Picture[];
  readonly table?: PageTable;
}

export interface AnalysisPage {
  readonly slide: string;
  readonly about: string;
  readonly question: string;
  /** One sentence, its figure in `strong`. */
  readonly answer: readonly (string | { readonly strong: string })[];
  readonly isSignal: boolean;
  readonly facts: readonly Fact[];
  readonly profile: string;
  readonly overview: Picture;
  readonly sections: readonly PageSection[];
  readonly warnings: readonly string[];
  readonly methods: string;
  readonly madeBy: string;
  readonly command: string;
}

export function analysisHtml(page: AnalysisPage): string {
  const answer = page.answer
    .map((part) =>
      typeof part === 'string' ? escapeText(part) : `<strong>${escapeText(part.strong)}</strong>`,
    )
    .join('');
  const facts = page.facts
    .map(
      ({ name, value, note }) =>
        `<div class="fact"><dt>${escapeText(name)}</dt><dd>${escapeText(value)}${note ? `<small>${escapeText(note)}</small>` : ''}</dd></div>`,
    )
    .join('');
  const warnings = page.warnings.map((line) => `<li>${escapeText(line)}</li>`).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(page.slide)}: spatial analysis</title><style>${style}</style></head><body>
<header><p class="kind">Spatial analysis</p><h1>${escapeText(page.slide)}</h1><p class="about">${escapeText(page.about)}</p></header>
<section class="first"><div><h2>${escapeText(page.question)}</h2><p class="answer${page.isSignal ? '' : ' none'}">${answer}</p><dl>${facts}</dl></div>
<div class="right"><div class="chart">${page.profile}</div></div></section>
${warnings === '' ? '' : `<ul class="warnings">${warnings}</ul>`}
<section><h2>${escapeText(page.overview.title)}</h2><div class="pictures one">${figure(page.overview)}</div></section>
${page.sections.map(section).join('\n')}
<section><h2>Methods</h2><p class="methods">${escapeText(page.methods)}</p></section>
<footer>${escapeText(page.madeBy)}<br><code>${escapeText(page.command)}</code></footer>
</body></html>
`;
}

function section({ title, text, svg, pictures, table }: PageSection): string {
  return `<section><h2>${escapeText(title)}</h2>${text ? `<p>${escapeText(text)}</p>` : ''}${svg ? `<div class="chart">${svg}</div>` : ''}${
    pictures && pictures.length > 0 ? `<div class="pictures">${pictures.map(figure).join('')}</div>` : ''
  }${table ? tableHtml(table) : ''}</section>`;
}

function figure({ title, caption, png }: Picture): string {
  return `<figure><img alt="${escapeText(title)}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}"><figcaption>${escapeText(caption)}</figcaption></figure>`;
}

export function tableHtml({ head, rows }: PageTable): string {
  const cells = (tag: string, values: readonly string[]): string =>
    values.map((value) => `<${tag}>${escapeText(value)}</${tag}>`).join('');
  return `<div class="wide"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table></div>`;
}

export const style = `
*{box-sizing:border-box}
:root{--ink:#1b2430;--faint:#5c6773;--line:#dfe5eb;--soft:#f5f7f9;--accent:#0072b2}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:#fff;max-width:1280px;margin:0 auto;padding:20px 28px 60px}
h1{font-size:24px;margin:0;overflow-wrap:anywhere}h2{font-size:17px;margin:0 0 8px}
.kind{margin:0;color:var(--accent);font-weight:600;font-size:13px}.about{margin:2px 0 0;color:var(--faint);font-size:13px}
header{border-bottom:1px solid var(--line);padding-bottom:12px}
section{margin-top:26px}.first{display:grid;grid-template-columns:minmax(300px,5fr) minmax(380px,7fr);gap:30px;align-items:start;margin-top:18px}
@media(max-width:900px){.first{grid-template-columns:1fr}}
.answer{font-size:19px;line-height:1.45;margin:0 0 14px;padding:14px 16px;background:#eef6fb;border-left:4px solid var(--accent);border-radius:3px}
.answer.none{background:#f6f3ec;border-color:#a58a4a}.answer strong{font-size:25px;white-space:nowrap}.answer.none{font-size:17px}.answer.none strong{display:block}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px 18px;margin:0}
dt{font-size:12px;color:var(--faint)}dd{margin:0;font-size:17px;font-variant-numeric:tabular-nums}dd small{display:block;font-size:12px;color:var(--faint)}
.chart svg{max-width:100%;height:auto;display:block}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:18px;align-items:start}
.pictures.one{grid-template-columns:minmax(0,900px)}
figure{margin:0}figure img{width:100%;display:block;border-radius:3px;background:#000}
figcaption{font-size:13px;color:var(--faint);margin-top:5px}
.wide{overflow-x:auto}.chart+.wide{margin-top:14px}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13.5px}
th,td{padding:5px 14px 5px 0;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{font-weight:600;color:var(--faint);font-size:12.5px}
.warnings{list-style:none;padding:0;margin:20px 0 0}.warnings li{background:#fff4e0;border-left:4px solid #c77700;padding:8px 12px;border-radius:3px;margin-bottom:6px}
.methods{max-width:95ch;font-size:14px;color:#36414d}code{font-size:12px;overflow-wrap:anywhere}
footer{margin-top:36px;padding-top:12px;border-top:1px solid var(--line);font-size:12.5px;color:var(--faint)}
@media print{.first{grid-template-columns:1fr 1fr}section{break-inside:avoid}}
`;
