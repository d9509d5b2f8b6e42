// The quality report of a dataset: one HTML file that needs nothing beside it.

export interface ReportChannel {
  readonly role: string;
  readonly name: string;
  /** CSS colour of the role in the thumbnails. */
  readonly colour: string;
  readonly isTarget: boolean;
  readonly background: number | null;
  readonly percentiles: readonly [low: number, median: number, high: number];
  readonly max: number;
  readonly atMaxShare: number;
  readonly sharpness: number | null;
  readonly blurredShare: number | null;
  /** Variance by which the point spread is changed when the channel is read as an input, squared pixels. */
  readonly refocused: number;
  /** Depth of the shading by camera fields along x and y; null where there is none. */
  readonly stitching: { readonly x: number | null; readonly y: number | null };
  readonly histogram: readonly number[];
  readonly histogramRange: readonly [number, number];
  /** Stored intensities that become 0 and 1; for the target, its mean and one standard deviation above. */
  readonly mapped: readonly [number, number] | null;
}

interface ReportThumbnail {
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
}

interface ReportSlide {
  readonly name: string;
  readonly path: string;
  readonly split: string;
  readonly group: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly pixelSizeUm: number;
  readonly tissueAreaMm2: number;
  /** Upper left corners, in pixels at the dataset's pixel size. */
  readonly windows: readonly (readonly [x: number, y: number])[];
  readonly windowsDropped: number;
  readonly thumbnail: ReportThumbnail;
  readonly channels: readonly ReportChannel[];
  readonly warnings: readonly string[];
}

interface ReportExcluded {
  readonly name: string;
  readonly path: string;
  readonly reason: string;
  /** Undefined where nothing of the slide can be read. */
  readonly thumbnail: ReportThumbnail | undefined;
}

export interface DatasetReport {
  readonly madeBy: string;
  readonly commandLine: string;
  readonly splitBy: string;
  readonly patch: number;
  readonly pixelSizeUm: number;
  readonly slides: readonly ReportSlide[];
  readonly excluded: readonly ReportExcluded[];
  /** About the slides together. */
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

const splitColours: Readonly<Record<string, string>> = {
  train: '#7fb2ff',
  validation: '#ffd166',
  calibration: '#c792ea',
  test: '#ff8fa3',
};

/** @returns HTML */
export function datasetReport(report: DatasetReport): string {
  const count =
    report.warnings.length + report.slides.reduce((sum, { warnings }) => sum + warnings.length, 0);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dataset report</title><style>${style}</style></head><body>
<header><h1>Dataset report</h1>
<p>${report.slides.length} slides${report.excluded.length === 0 ? '' : ` (${report.excluded.length} more left out)`}, ${report.slides.reduce((sum, s) => sum + s.windows.length, 0)} patches of ${report.patch} px at ${report.pixelSizeUm} um a pixel, split by ${escapeHtml(report.splitBy)}${report.splitBy === 'field' ? ' (results are within-slide)' : ''}. ${count === 0 ? 'No warnings.' : `<strong>${count} ${count === 1 ? 'warning' : 'warnings'}.</strong>`}</p></header>
${overview(report)}
${list('Warnings about the slides together', report.warnings, 'warning')}
${list('Notes', report.notes, 'note')}
${excludedSlides(report)}
${report.slides.map((slide) => slideCard(slide, report.patch)).join('\n')}
<footer><p>Thumbnails add up the channels in their colours, each from its 1st to its 99.5th percentile; what is not tissue is dimmed, squares are the patches. Intensities are as stored in the files and are not corrected here. Histograms (square root of counts) are of the tissue's 2-um averages; the dark band runs from the intensity that the network sees as 0 to the one it sees as 1, for the target from its mean to one standard deviation above. Sharpness: 0.33 to 0.37 for sharp tissue, 0.25 after a blur of 1 um, 0.14 after 2 um; by how much the variance of the point spread is changed when a network reads the channel, so that all slides are at one focus, is said below it.</p>
<p>${escapeHtml(report.madeBy)}: <code>${escapeHtml(report.commandLine)}</code></p></footer>
</body></html>
`;
}

function overview({ slides }: DatasetReport): string {
  const rows = Object.keys(splitColours).flatMap((split) => {
    const inSplit = slides.filter((slide) => slide.split === split);
    if (inSplit.length === 0) return [];
    const patches = inSplit.reduce((sum, { windows }) => sum + windows.length, 0);
    const dropped = inSplit.reduce((sum, { windowsDropped }) => sum + windowsDropped, 0);
    const area = inSplit.reduce((sum, { tissueAreaMm2 }) => sum + tissueAreaMm2, 0);
    const groups = new Set(inSplit.map(({ group }) => group)).size;
    return `<tr><td><span class="dot" style="background:${splitColours[split]}"></span>${split}</td><td>${inSplit.length}</td><td>${groups}</td><td>${patches}</td><td>${dropped}</td><td>${figure(area)}</td></tr>`;
  });
  return `<table><thead><tr><th>split</th><th>slides</th><th>groups</th><th>patches</th><th>left out for too little tissue</th><th>tissue, mm<sup>2</sup></th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function slideCard(slide: ReportSlide, patch: number): string {
  const { widthPx, heightPx } = slide;
  const size = `${widthPx} x ${heightPx} px, scanned at ${figure(slide.pixelSizeUm)} um a pixel`;
  const squares = slide.windows
    .map(([x, y]) => `M${x} ${y}h${Math.min(patch, widthPx - x)}v${Math.min(patch, heightPx - y)}H${x}z`)
    .join('');
  const colour = splitColours[slide.split];
  const group = slide.group === slide.name ? '' : `, group ${escapeHtml(slide.group)}`;
  return `<section><h2>${escapeHtml(slide.name)} <span class="split" style="background:${colour}">${slide.split}</span></h2>
<p class="about">${size}, ${figure(slide.tissueAreaMm2)} mm<sup>2</sup> of tissue, ${slide.windows.length} patches (${slide.windowsDropped} left out for too little tissue)${group}<br><code>${escapeHtml(slide.path)}</code></p>
<div class="slide"><figure style="aspect-ratio:${slide.thumbnail.width}/${slide.thumbnail.height}">${picture(slide.thumbnail, slide.name)}
<svg viewBox="0 0 ${widthPx} ${heightPx}" preserveAspectRatio="none"><path d="${squares}" fill="none" stroke="${colour}" vector-effect="non-scaling-stroke" stroke-width="1"/></svg></figure>
<div>${channelTable(slide.channels)}${list('', slide.warnings, 'warning')}</div></div></section>`;
}

function channelTable(channels: readonly ReportChannel[]): string {
  const rows = channels.map(
    (
      channel,
    ) => `<tr><td><span class="dot" style="background:${channel.colour}"></span>${escapeHtml(channel.role)}${channel.isTarget ? ' (target)' : ''}<br><small>${escapeHtml(channel.name)}</small></td>
<td>${histogram(channel)}</td><td>${channel.background === null ? 'no glass' : figure(channel.background)}</td><td>${channel.percentiles.map(figure).join(' / ')}</td><td>${figure(channel.max)}<br><small>${percent(channel.atMaxShare)} there</small></td>
<td>${sharpness(channel)}</td><td>${stitching(channel)}</td></tr>`,
  );
  return `<table class="channels"><thead><tr><th>channel</th><th>intensities in tissue</th><th>glass</th><th>1 / 50 / 99%</th><th>largest</th><th>sharpness</th><th>camera fields</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function sharpness({ sharpness: value, blurredShare, refocused }: ReportChannel): string {
  const judged =
    value === null
      ? 'not judged'
      : `${value.toFixed(2)}<br><small>${percent(blurredShare ?? 0)} blurred</small>`;
  if (refocused === 0) return judged;
  return `${judged}<br><small>${refocused > 0 ? 'softened' : 'sharpened'} by ${Math.abs(refocused).toFixed(2)} px<sup>2</sup></small>`;
}

function stitching({ stitching: { x, y } }: ReportChannel): string {
  if (x === null && y === null) return 'none seen';
  return [
    ['x', x],
    ['y', y],
  ]
    .flatMap(([axis, depth]) => (typeof depth === 'number' ? [`${axis} ${percent(depth)}`] : []))
    .join('<br>');
}

/** Bars of the square root of counts, with the band that is mapped to 0 to 1 behind. */
function histogram({ histogram: counts, histogramRange: [from, to], mapped, colour }: ReportChannel): string {
  const highest = Math.sqrt(Math.max(1, ...counts));
  const bars = counts
    .map(
      (n, i) =>
        `M${i} 24v${-((22 * Math.sqrt(n)) / highest).toFixed(1)}h1v${((22 * Math.sqrt(n)) / highest).toFixed(1)}z`,
    )
    .join('');
  const at = (value: number): number =>
    to > from ? Math.max(0, Math.min(counts.length, ((value - from) / (to - from)) * counts.length)) : 0;
  const band =
    mapped === null
      ? ''
      : `<rect x="${at(mapped[0]).toFixed(1)}" y="0" width="${Math.max(0, at(mapped[1]) - at(mapped[0])).toFixed(1)}" height="24" class="band"/>`;
  const label = `${figure(from)} to ${figure(to)}`;
  return `<svg class="histogram" viewBox="0 0 ${counts.length} 24" preserveAspectRatio="none" role="img" aria-label="${label}">${band}<path d="${bars}" fill="${colour}"/></svg><small>${label}</small>`;
}

function excludedSlides({ excluded }: DatasetReport): string {
  if (excluded.length === 0) return '';
  const cards = excluded.map(
    ({ name, path, reason, thumbnail }) =>
      `<div class="slide">${thumbnail === undefined ? '<figure class="none">cannot be read</figure>' : `<figure style="aspect-ratio:${thumbnail.width}/${thumbnail.height}">${picture(thumbnail, name)}</figure>`}<div><h3>${escapeHtml(name)}</h3><p class="warning">${escapeHtml(reason)}</p>${reason.includes(path) ? '' : `<code>${escapeHtml(path)}</code>`}</div></div>`,
  );
  return `<section class="left-out"><h2>Left out</h2>${cards.join('')}</section>`;
}

function picture({ jpeg }: ReportThumbnail, name: string): string {
  return `<img alt="${escapeHtml(name)}" src="data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}">`;
}

function list(title: string, lines: readonly string[], kind: 'warning' | 'note'): string {
  if (lines.length === 0) return '';
  const heading = title === '' ? '' : `<h2>${title}</h2>`;
  return `${heading}<ul class="${kind}s">${lines.map((line) => `<li class="${kind}">${escapeHtml(line)}</li>`).join('')}</ul>`;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character]);
/** Counts and grey levels are whole, and would be others when rounded. */
const figure = (value: number): string => {
  if (Number.isInteger(value)) return `${value}`;
  return Number.isFinite(value) ? `${Number(value.toPrecision(4))}` : '-';
};
const percent = (share: number): string =>
  share > 0 && share < 1e-4 ? '<0.01%' : `${Number((100 * share).toPrecision(2))}%`;

const style = `
:root{color-scheme:light dark;--line:#d7dbe0;--soft:#f4f5f7;--warn:#9a4a00;--warnbg:#fff3e0}
@media(prefers-color-scheme:dark){:root{--line:#3a4048;--soft:#22262b;--warn:#ffb866;--warnbg:#3a2a14}}
body{font:15px/1.45 system-ui,sans-serif;max-width:1240px;margin:0 auto;padding:24px}
h1{margin:0 0 4px;font-size:26px}h2{font-size:18px;margin:28px 0 4px}h3{margin:0}
section{border-top:1px solid var(--line);margin-top:24px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;font-size:13px}small,.about{opacity:.75;font-size:13px}
code{font-size:12px;overflow-wrap:anywhere}
.dot{display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:6px}
.split{color:#111;font-size:13px;font-weight:500;padding:1px 8px;border-radius:9px;vertical-align:2px}
.slide{display:grid;grid-template-columns:minmax(220px,400px) 1fr;gap:20px;align-items:start;margin:12px 0}
@media(max-width:1000px){.slide{grid-template-columns:1fr}.slide>div{overflow-x:auto}}
figure{margin:0;position:relative;width:100%;max-height:520px;background:#000}
.left-out .slide{grid-template-columns:140px 1fr}
figure.none{display:grid;place-items:center;aspect-ratio:3;background:var(--soft);font-size:13px}
figure img,figure svg{position:absolute;inset:0;width:100%;height:100%}
.histogram{display:block;width:150px;height:44px;background:var(--soft)}.band{fill:currentColor;opacity:.14}
ul{padding:0;list-style:none}.warning{color:var(--warn);background:var(--warnbg);padding:6px 10px;border-radius:6px;margin:6px 0}
.note{background:var(--soft);padding:6px 10px;border-radius:6px;margin:6px 0}
footer{border-top:1px solid var(--line);margin-top:32px;font-size:13px;opacity:.8}
`;
