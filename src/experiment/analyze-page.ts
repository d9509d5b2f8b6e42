// The report of `analyze`: its charts and what its page says, answer first.
import { type AnalyzeResult, analyzeCommand } from '../contract/analyze.ts';
import { commandArguments, shellText } from '../contract/command-line.ts';
import { percentText } from '../core/units.ts';
import { version } from '../core/version.ts';
import { agreementFigure, profileFigure, subareaFigure } from '../report/analysis-figures.ts';
import type { AnalysisPage, PageSection, Picture } from '../report/analysis-page.ts';
import type { Analysis } from './analysis.ts';
import { cellIntensities } from './analyze-agreement.ts';
import { hasSignal, whyNotKnown } from './analyze-measures.ts';
import { pText } from './analyze-methods.ts';
import { shareKey } from './derived-intervals.ts';

export function chartsOf({
  result,
  measures,
  options,
}: Analysis): Record<'profile' | 'subareas' | 'agreement', string> {
  const [first, second] = measures;
  return {
    profile: profileFigure({
      lines: measures.map(({ name, found }) => ({
        name,
        bins: found.profile,
        meanUm: hasSignal(found.extravasation) ? found.extravasation.meanUm : Number.NaN,
      })),
      uniformMeanUm: result.extravasation.uniformMeanUm,
      unit: 'stored units',
      level: options.level,
    }),
    subareas: subareaFigure(
      first.found.subareas.map(({ name, areaShare }, i) => ({
        name,
        areaShare,
        signalShares: measures.map(({ found }) => found.subareas[i].signalShare),
        enrichments: measures.map(({ found }) => found.subareas[i].enrichment),
      })),
      measures.map(({ name }) => name),
    ),
    agreement:
      second && result.agreement
        ? agreementFigure({
            measured: cellIntensities(first.found),
            predicted: cellIntensities(second.found),
            ...result.agreement.cells,
            unit: 'stored units',
          })
        : '',
  };
}

export function pageOf(
  analysis: Analysis,
  charts: ReturnType<typeof chartsOf>,
  pictures: Record<string, Picture>,
): AnalysisPage {
  const { result, options, measures, source, sums } = analysis;
  const { extravasation: e, vessels, permeability, hotSpots } = result;
  const percent = percentText(options.level);
  const um = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(1)} µm` : 'not reached');
  const { calibrated } = result;
  // Of a prediction alone, what counts is where the measured value would lie.
  const ofMeasured = result.probe === 'predicted' ? calibrated?.intervals.meanUm : undefined;
  const range = (key: string): string => {
    const own = result.probe === 'predicted' ? calibrated?.intervals[key] : undefined;
    const { low, high } = own ?? e.interval[key] ?? { low: Number.NaN, high: Number.NaN };
    return Number.isFinite(low + high)
      ? `${percent} interval${own ? ' for the measured on this slide' : ''} ${low.toFixed(1)} to ${high.toFixed(1)}`
      : '';
  };
  const closer = ofMeasured
    ? `${(e.uniformMeanUm - ofMeasured.high).toFixed(1)} to ${(e.uniformMeanUm - ofMeasured.low).toFixed(1)}`
    : range('closerUm').replace(`${percent} interval `, '');
  const isSignal = e.verdict === 'extravasation';
  const which = result.probe === 'predicted' ? 'predicted probe' : 'probe';
  const fixed = (value: number, digits: number): string =>
    Number.isFinite(value) ? value.toFixed(digits) : '–';
  const share = (value: number): string => `${fixed(100 * value, 1)}%`;
  const between = (ends: { low: number; high: number } | undefined): string =>
    ends && Number.isFinite(ends.low)
      ? `${ends.low.toFixed(2)} to ${Number.isFinite(ends.high) ? ends.high.toFixed(2) : 'not reached'}`
      : '–';
  const short = (value: number): string => (Number.isFinite(value) ? `${Number(value.toPrecision(3))}` : '–');
  const sections: PageSection[] = [];
  const maps = ['measured', 'predicted', 'error', 'interval'].flatMap((name) => pictures[name] ?? []);
  if (maps.length > 0)
    sections.push({
      title: result.probe === 'predicted' ? 'The prediction' : 'Measured and predicted',
      pictures: maps,
    });
  if (result.agreement) {
    const { pixels, cells, distances } = result.agreement;
    sections.push({
      title: 'Agreement of measured and predicted',
      text: `Pixel by pixel: R² ${fixed(pixels.r2, 3)}, ICC(A,1) ${fixed(pixels.icc, 3)}, bias ${short(pixels.bias)} stored units; more than ${options.beyondUm} µm from a vessel's wall R² ${fixed(pixels.extravascularR2, 3)}, ICC ${fixed(pixels.extravascularIcc, 3)}. Over cells of ${cells.cellUm.toFixed(0)} µm: ICC(A,1) ${fixed(cells.icc, 3)}, limits of agreement (Bland-Altman) ${short(cells.low)} to ${short(cells.high)} stored units about a bias of ${short(cells.bias)} (${cells.n} cells).${hasOwnBackgrounds(options) ? ' Profiles and distances are of each above its own background: a prediction that is too bright as a whole shows in the bias and not in them.' : ''}`,
      svg: charts.agreement,
      table: {
        head: ['distance', 'measured, µm', 'predicted, µm', 'difference, µm'],
        rows: Object.entries(distances).map(([key, { value, predicted }]) => [
          distanceNames[key] ?? key,
          fixed(value, 2),
          fixed(predicted, 2),
          fixed(predicted - value, 2),
        ]),
      },
    });
  }
  sections.push(
    {
      title: 'Where the probe is: sub-areas',
      text: 'The first five parts fill the tissue; nuclear and extranuclear divide what is outside vessels. Enrichment is the share of the probe over the share of the tissue: 1 is an even spread.',
      svg: charts.subareas,
      ...(calibrated && {
        table: {
          head: [
            'sub-area',
            'share of the predicted probe',
            `${percent} interval for the measured on this slide`,
          ],
          rows: measures.at(-1)!.found.subareas.flatMap(({ name, signalShare }) => {
            const own = calibrated.intervals[shareKey(name)];
            return own
              ? [[name.replace(/ um$/, ' µm'), share(signalShare), `${share(own.low)} to ${share(own.high)}`]]
              : [];
          }),
        },
      }),
    },
    {
      title: 'Distances',
      table: {
        head: [
          '',
          ...measures.map(({ name }) => `${name}, µm`),
          ...measures.map(({ name }) => `${percent} interval, ${name}`),
          ...(calibrated ? [`${percent} interval for the measured on this slide`] : []),
          'even spread, µm',
        ],
        rows: (['meanUm', 'medianUm', 'p90Um', 'halfDistanceUm'] as const).map((key) => [
          distanceNames[key],
          ...measures.map(({ found }) => fixed(found.extravasation[key], 2)),
          ...measures.map(({ found }) => between(found.extravasation.interval[key])),
          ...(calibrated ? [between(calibrated.intervals[key])] : []),
          key === 'halfDistanceUm'
            ? ''
            : fixed({ meanUm: e.uniformMeanUm, medianUm: e.uniformMedianUm, p90Um: e.uniformP90Um }[key], 2),
        ]),
      },
    },
    {
      title: 'Hot and cold spots',
      text: `${measures
        .map(
          ({ name, found: { hotSpots: own } }) =>
            `${measures.length > 1 ? `${name}: ` : ''}${Number.isNaN(own.hot) ? 'Unknown, for want of tissue known to be outside vessels, or as half of it holds one value' : `${own.hot} hot and ${own.cold} cold`}`,
        )
        .join(
          '; ',
        )}. Spots are beyond what chance makes of this slide's own correlation (chance of any false one: ${percentText(hotSpots.level)}).`,
      // A picture of cells of which none could be judged shows nothing.
      pictures: measures.flatMap(({ name, found }) =>
        Number.isNaN(found.hotSpots.hot) ? [] : [pictures[`spots-${name}`]],
      ),
    },
    {
      title: 'Vessels',
      table: {
        head: ['measure', 'value'],
        rows: [
          ['profiles', `${vessels.count}`],
          ['density, 1/mm²', fixed(vessels.densityPerMm2, 1)],
          ['area fraction', `${fixed(100 * vessels.areaFraction, 2)}%`],
          ['mean width, µm', fixed(vessels.meanWidthUm, 2)],
          ['length density, mm/mm²', fixed(vessels.lengthDensityMmPerMm2, 2)],
          ['tortuosity', fixed(vessels.tortuosity, 3)],
          ['branch points, 1/mm²', fixed(vessels.branchPointsPerMm2, 1)],
          ['distance to the nearest other profile, µm', fixed(vessels.intercapillaryUm, 1)],
          ['mean distance of tissue to a wall, µm', fixed(vessels.tissueMeanDistanceUm, 1)],
          ['vessels judged one by one', `${permeability.vessels}`],
          ['median signal within 10 µm of a vessel', fixed(permeability.medianSignal, 2)],
          [
            'vessels with at least twice that (high permeability)',
            `${fixed(100 * permeability.highShare, 1)}%`,
          ],
          ['their share of the signal around vessels', `${fixed(100 * permeability.highSignalShare, 1)}%`],
          ['median penetration from a vessel, µm', fixed(permeability.medianPenetrationUm, 1)],
          ...(result.nuclei
            ? [
                ['nuclei, 1/mm²', fixed(result.nuclei.densityPerMm2, 0)],
                ['area fraction of nuclei', `${fixed(100 * result.nuclei.areaFraction, 2)}%`],
              ]
            : []),
        ],
      },
    },
  );
  if (result.fixedAreas) {
    sections.push({
      title: 'Areas at the fixed thresholds, whole slide',
      table: {
        head: ['what', 'pixels', 'area, µm²'],
        rows: Object.entries(result.fixedAreas).map(([name, area]) => [
          name,
          `${area.pixels}`,
          fixed(area.areaUm2, 1),
        ]),
      },
    });
  }
  return {
    slide: source.path.split(/[\\/]/).filter(Boolean).at(-1) ?? source.path,
    about: `${source.width} x ${source.height} px, ${Number(result.pixelSizeUm.toPrecision(4))} µm a pixel, ${result.tissueMm2.toPrecision(3)} mm² of tissue, ${vessels.count} vessels`,
    question: 'How far does the probe get from the vessels?',
    answer: isSignal
      ? [
          `On average the extravasated ${which} lies `,
          { strong: um(e.meanUm) },
          ` from the nearest vessel wall (${range('meanUm')}). Spread evenly over the same tissue it would lie at ${um(e.uniformMeanUm)}: the probe is ${um(e.closerUm)} nearer (${closer}). A probe that knows nothing of the vessels would come as near by chance with p ${pText(e.nearnessP)}.`,
        ]
      : e.verdict === 'not known'
        ? [{ strong: 'Not known.' }, whyNotKnown(sums, e, options.beyondUm).replaceAll(' um ', ' µm ')]
        : [
            { strong: 'No extravasation signal.' },
            hasSignal(e)
              ? `The ${which} is no nearer to the vessels than ${nothingMore(e)}: beyond ${options.beyondUm} µm from their walls it lies ${um(e.meanUm)} away on average (${range('meanUm')}; even spread ${um(e.uniformMeanUm)}). ${everywhere(analysis)}`
              : `Outside the vessels there is no more than background: ${short(e.meanSignal)} stored units (${short(e.interval.meanSignal.low)} to ${short(e.interval.meanSignal.high)}). Distances are those of noise and mean nothing; an even spread would lie at ${um(e.uniformMeanUm)}.`,
          ],
    isSignal,
    facts: hasSignal(e)
      ? [
          {
            name: 'half of the probe lies within',
            value: um(e.medianUm),
            note: `even spread ${um(e.uniformMedianUm)}`,
          },
          { name: '90% of it within', value: um(e.p90Um), note: `even spread ${um(e.uniformP90Um)}` },
          {
            name: 'half-distance of the profile',
            value: um(e.halfDistanceUm),
            note: Number.isFinite(e.halfDistanceUm) ? range('halfDistanceUm') : 'it does not fall to half',
          },
          {
            name: 'probe within 10 µm of a wall',
            value: `${fixed(100 * (result.subareas[1]?.signalShare ?? Number.NaN), 0)}%`,
            note: `of the tissue: ${fixed(100 * (result.subareas[1]?.areaShare ?? Number.NaN), 0)}%`,
          },
          {
            name: 'probe in vessels',
            value: `${fixed(100 * (result.subareas[0]?.signalShare ?? Number.NaN), 0)}%`,
            note: `of the tissue: ${fixed(100 * (result.subareas[0]?.areaShare ?? Number.NaN), 1)}%`,
          },
          {
            name: 'vessels with twice the median signal around them',
            value:
              permeability.vessels > 0
                ? `${Math.round(permeability.highShare * permeability.vessels)} of ${permeability.vessels}`
                : '–',
            note: `${fixed(100 * permeability.highSignalShare, 1)}% of the signal around vessels`,
          },
        ]
      : [],
    profile: charts.profile,
    overview: pictures.slide,
    sections,
    // Why nothing is known is the answer itself.
    warnings: result.warnings.filter(
      (line) => e.verdict !== 'not known' || line !== whyNotKnown(sums, e, options.beyondUm),
    ),
    methods: result.methods,
    madeBy: `Made by hrpn ${version}.`,
    command: shellText(commandArguments(analyzeCommand, options)),
  };
}

/** Whether each probe's background is a percentile of its own tissue. */
const hasOwnBackgrounds = ({ background, backgroundSlide }: Analysis['options']): boolean =>
  background === undefined && backgroundSlide === undefined;

/** What a probe without a verdict is not told from. */
function nothingMore({ interval, nearnessP }: AnalyzeResult['extravasation']): string {
  return interval.closerUm.low > 0
    ? `chance brings a probe that is as patchy (p ${pText(nearnessP)})`
    : 'an even spread';
}

/** What a probe that is the same at every distance may mean. */
function everywhere({ result: { extravasation: e }, options }: Analysis): string {
  const { low, high } = e.interval.meanSignal;
  const [mean, from, to] = [e.meanSignal, low, high].map((value) => Number(value.toPrecision(2)));
  const level = `It is ${mean} stored units (${from} to ${to}) above the background, near and far`;
  return options.backgroundSlide === undefined
    ? `${level}: spread evenly, or no probe. A slide without probe (--background-slide) tells which.`
    : `${level}, so it has left the vessels and spread evenly.`;
}

const distanceNames: Readonly<Record<string, string>> = {
  meanUm: 'mean',
  medianUm: 'half of the probe within',
  p90Um: '90% of the probe within',
  halfDistanceUm: 'half-distance of the profile',
};
