// Writes the HTML report of an evaluation.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvaluateResult } from '../contract/evaluate.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { version } from '../core/version.ts';
import { profileFigure } from '../report/analysis-figures.ts';
import { type EvaluationPage, evaluationHtml } from '../report/evaluation-page.ts';
import { fewGroups } from './benchmark-notes.ts';

const shown = [
  'mse',
  'rmse',
  'nrmse',
  'mae',
  'bias',
  'r2',
  'psnr',
  'ssim',
  'pearson',
  'spearman',
  'icc',
] as const;
const names: Readonly<Record<string, string>> = {
  mse: 'MSE, stored units²',
  rmse: 'RMSE, stored units',
  nrmse: 'NRMSE',
  mae: 'MAE, stored units',
  bias: 'bias, stored units',
  r2: 'R²',
  psnr: 'PSNR, dB',
  ssim: 'SSIM',
  pearson: 'Pearson',
  spearman: 'Spearman',
  icc: 'ICC(A,1)',
  meanUm: 'mean distance of the probe, µm',
  medianUm: 'half of the probe within, µm',
  p90Um: '90% of the probe within, µm',
  halfDistanceUm: 'half-distance, µm',
  meanSignal: 'mean above background outside vessels, stored units',
};

/**
 * @param command that was given
 * @param files of the evaluation, in the same folder; its PNG figures go into the page
 */
export async function writeEvaluationReport(
  folder: string,
  result: EvaluateResult,
  files: readonly string[],
  command: string,
): Promise<void> {
  const pictures = [];
  for (const file of files.filter((name) => name.endsWith('.png')))
    pictures.push({ title: file, png: new Uint8Array(await readFile(join(folder, file))) });
  const interval = (region: 'pooled' | 'extravascular', name: string): string => {
    const found = result.bootstrap?.[region][name];
    return found ? `${number(found.low, unitOf(name))} to ${number(found.high, unitOf(name))}` : '';
  };
  const { measuredSd } = result.pooled;
  const unitOf = (name: string): number =>
    name === 'mse' ? measuredSd ** 2 : ['rmse', 'mae', 'bias'].includes(name) ? measuredSd : 1;
  const hasDerived = result.perSlide.some(({ derived }) => Object.keys(derived).length > 0);
  const hasIntervals = result.perSlide.some((slide) =>
    Object.values(slide.derived).some(({ low }) => low !== undefined),
  );
  const { ceiling } = result;
  const ofSpectrum = result.perSlide.find(({ spectrum }) => spectrum.windows > 0);
  const html = evaluationHtml({
    title: `Prediction against the ${result.target} probe`,
    about: [
      `${result.perSlide.length} ${result.perSlide.length === 1 ? 'slide' : 'slides'}, ${result.pooled.pixels.toLocaleString('en')} pixels of tissue`,
      result.withinSlide ? 'within-slide: fields of one slide, which says nothing about further slides' : '',
      `peak ${result.peak} for PSNR and SSIM`,
    ]
      .filter((part) => part !== '')
      .join('; '),
    metrics: {
      head: [
        '',
        'all tissue',
        ...(result.bootstrap ? ['95% over slides'] : []),
        'outside vessels',
        ...(result.bootstrap ? ['95% over slides'] : []),
        `constant (${result.floor.constant}), all tissue`,
      ],
      rows: shown.map((name) => [
        names[name],
        number(result.pooled[name], unitOf(name)),
        ...(result.bootstrap ? [interval('pooled', name)] : []),
        number(result.extravascular[name], unitOf(name)),
        ...(result.bootstrap ? [interval('extravascular', name)] : []),
        number(result.floor.pooled[name], unitOf(name)),
      ]),
    },
    perSlide: {
      head: [
        'slide',
        'animal',
        'R²',
        'R² outside vessels',
        'RMSE, stored units',
        'bias, stored units',
        'SSIM',
        'Spearman',
        'ICC(A,1)',
      ],
      rows: result.perSlide.map(({ slide, group, pooled, extravascular }) => [
        slide,
        group,
        number(pooled.r2, 1),
        number(extravascular.r2, 1),
        number(pooled.rmse, measuredSd),
        number(pooled.bias, measuredSd),
        number(pooled.ssim, 1),
        number(pooled.spearman, 1),
        number(pooled.icc, 1),
      ]),
    },
    r2: {
      pooled: result.perSlide.map(({ pooled }) => pooled.r2),
      extravascular: result.perSlide.map(({ extravascular }) => extravascular.r2),
    },
    floorR2: { pooled: result.floor.pooled.r2, extravascular: result.floor.extravascular.r2 },
    ceilingR2: { pooled: known(ceiling?.r2), extravascular: known(ceiling?.extravascularR2) },
    spectrum: ofSpectrum?.spectrum,
    profile: profileChart(result),
    derived: hasDerived
      ? {
          head: [
            'slide',
            'measure',
            'measured',
            'predicted',
            'error',
            ...(hasIntervals ? ['90% interval for the measured'] : []),
          ],
          rows: result.perSlide.flatMap(({ slide, derived: own }) =>
            Object.entries(own).map(([key, pair]) => [
              slide,
              names[key] ?? key.replace(/ um$/, ' µm'),
              number(pair.measured),
              number(pair.predicted),
              number(pair.error),
              ...(pair.low === undefined || pair.high === undefined
                ? hasIntervals
                  ? ['']
                  : []
                : [`${number(pair.low)} to ${number(pair.high)}`]),
            ]),
          ),
        }
      : undefined,
    coverage: coverageTable(result),
    pictures,
    notes: [
      ...result.notes,
      ...(result.bootstrap
        ? [
            `Intervals come from drawing the ${result.bootstrap.slides} slides with replacement${result.bootstrap.slides < fewGroups ? '; with so few they are too narrow, so look at the points' : ''}${result.perAnimal.length < result.perSlide.length ? '; slides of one animal are drawn as if they were of several, which narrows them further' : ''}.`,
          ]
        : []),
      ...(ofSpectrum && result.perSlide.length > 1
        ? [`The spectrum is that of ${ofSpectrum.slide}; metrics.json has every slide's.`]
        : []),
    ],
    madeBy: `Made by hrpn ${version}.`,
    command,
  });
  await writeFileAtomic(join(folder, 'report.html'), html);
}

/** A line for each part of the tissue, then one for each derived measure. */
function coverageTable({ coverage, derivedCoverage }: EvaluateResult): EvaluationPage['coverage'] {
  const ofDerived = Object.entries(derivedCoverage ?? {});
  if (coverage === null && ofDerived.length === 0) return undefined;
  return {
    head: ['where', 'interval', 'holds the measured', 'mean width, stored units or as the measure'],
    rows: [
      ...(coverage ? pixelRows(coverage) : []),
      ...ofDerived.map(([key, own]) => [
        names[key] ?? key.replace(/ um$/, ' µm'),
        percent(own.nominal),
        `on ${own.held} of ${own.scored} slides`,
        number(2 * own.radius),
      ]),
    ],
  };
}

function pixelRows(coverage: NonNullable<EvaluateResult['coverage']>): string[][] {
  const nominal = percent(coverage.nominal);
  return [
    ['all tissue', nominal, percent(coverage.pooled), number(coverage.meanWidth)],
    ...coverage.perSlide.map((slide) => [
      slide.slide,
      nominal,
      percent(slide.coverage),
      number(slide.meanWidth),
    ]),
    ...coverage.byPredictedDecile.map((part) => [
      `${part.first === part.last ? `tenth ${part.last}` : `tenths ${part.first} to ${part.last}`} of the predicted values, from ${number(part.from)}`,
      nominal,
      percent(part.coverage),
      '',
    ]),
    ...coverage.byDistanceBin.map(({ fromUm, toUm, coverage: held }) => {
      const where =
        toUm === 0
          ? 'in vessels'
          : toUm === null
            ? `beyond ${fromUm} µm of vessels`
            : `${fromUm} to ${toUm} µm from vessels`;
      return [where, nominal, percent(held), ''];
    }),
  ];
}

/** Mean over animals with its interval, and every slide's own line. */
function profileChart({ perSlide, profile }: EvaluateResult): string {
  const kinds = ['measured', 'predicted'] as const;
  const own = perSlide.filter((slide) => slide.profile.length > 0);
  if (own.length === 0) return '';
  const lines = kinds.map((name) => ({
    name,
    meanUm: Number.NaN,
    bins: profile.map((bin) => ({
      ...bin,
      mean: bin[name],
      low: bin[`${name}Low`],
      high: bin[`${name}High`],
    })),
  }));
  const singles = own.flatMap((slide) =>
    kinds.map((name, line) => ({ line, bins: slide.profile.map((bin) => ({ ...bin, mean: bin[name] })) })),
  );
  return profileFigure({
    lines,
    ...(own.length > 1 && { singles }),
    uniformMeanUm: Number.NaN,
    unit: 'stored units',
    level: 0.95,
  });
}

const known = (value: number | null | undefined): number => value ?? Number.NaN;

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** To four digits; what rounding leaves of a zero, next to a value of the size `unit`, is one. */
function number(value: number, unit = 0): string {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) < 1e-9 * unit ? '0' : `${Number(value.toPrecision(4))}`;
}
