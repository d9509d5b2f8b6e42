// The report of an evaluation: every slide's point beside the pooled figure, the spectrum, the derived distances.
import { type PageTable, style, tableHtml } from './analysis-page.ts';
import { dotChart, escapeText, lineChart } from './svg-chart.ts';

/** Of all tissue, and of that outside vessels. */
interface OfTissue<T> {
  readonly pooled: T;
  readonly extravascular: T;
}

export interface EvaluationPage {
  readonly title: string;
  readonly about: string;
  readonly metrics: PageTable;
  readonly perSlide: PageTable;
  readonly r2: OfTissue<readonly number[]>;
  readonly floorR2: OfTissue<number>;
  readonly ceilingR2: OfTissue<number>;
  readonly spectrum:
    | {
        readonly frequency: readonly number[];
        readonly measured: readonly number[];
        readonly predicted: readonly number[];
        readonly error: readonly number[];
      }
    | undefined;
  /** Chart of the profiles over distance from the vessels; '' for none. */
  readonly profile: string;
  readonly derived: PageTable | undefined;
  /** How often the intervals hold the measured value, by where. */
  readonly coverage: PageTable | undefined;
  readonly pictures: readonly { readonly title: string; readonly png: Uint8Array }[];
  readonly notes: readonly string[];
  readonly madeBy: string;
  readonly command: string;
}

export function evaluationHtml(page: EvaluationPage): string {
  const dots = (['pooled', 'extravascular'] as const)
    .map((tissue) =>
      dotChart({
        rows: [{ name: tissue === 'pooled' ? 'all tissue' : 'outside vessels', values: page.r2[tissue] }],
        label: 'R²: a point a slide, the bar their mean; open: below -1',
        marks: [
          { value: page.floorR2[tissue], name: 'constant' },
          { value: page.ceilingR2[tissue], name: 'ceiling' },
        ],
        floor: -1,
      }),
    )
    .join('');
  const { spectrum } = page;
  const lines = spectrum
    ? lineChart({
        series: (['measured', 'predicted', 'error'] as const).map((name) => ({
          name: name === 'error' ? 'predicted less measured' : name,
          points: spectrum.frequency.flatMap((f, i): [number, number][] =>
            spectrum[name][i] > 0 ? [[Math.log10(f), Math.log10(spectrum[name][i])]] : [],
          ),
        })),
        xLabel: 'log10 of spatial frequency, cycles a µm',
        yLabel: 'log10 of power',
      })
    : '';
  const pictures = page.pictures
    .map(
      ({ title, png }) =>
        `<figure><img alt="${escapeText(title)}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}"></figure>`,
    )
    .join('');
  const section = (title: string, body: string): string =>
    body === '' ? '' : `<section><h2>${title}</h2>${body}</section>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(page.title)}</title><style>${style}</style></head><body>
<header><p class="kind">Evaluation</p><h1>${escapeText(page.title)}</h1><p class="about">${escapeText(page.about)}</p></header>
${section('Metrics', tableHtml(page.metrics))}
${section('Every slide', `<div class="chart">${dots}</div>${tableHtml(page.perSlide)}`)}
${section('Measured, predicted, error', pictures)}
${section('Power at each scale', lines === '' ? '' : `<p>Where the predicted line lies below the measured one, the prediction lacks detail of that size (or the measured one holds noise); where the error line reaches the measured one, nothing of that size is predicted.</p><div class="chart">${lines}</div>`)}
${section('Probe over distance from the vessels', page.profile === '' ? '' : `<p>Each probe is drawn above its own background, the 1st percentile of its own tissue, as are its derived distances and its mean above background: where a prediction is too bright or too dark as a whole, its bias says so and these do not.</p><div class="chart">${page.profile}</div>`)}
${section('Derived distances', page.derived ? tableHtml(page.derived) : '')}
${section('Coverage of the intervals', page.coverage ? tableHtml(page.coverage) : '')}
${section('Notes', page.notes.length > 0 ? `<ul>${page.notes.map((note) => `<li>${escapeText(note)}</li>`).join('')}</ul>` : '')}
<footer><p>${escapeText(page.madeBy)}</p><pre>${escapeText(page.command)}</pre></footer></body></html>
`;
}
