// What `analyze` writes: tables, outlines, figures and the report.
import { join } from 'node:path';
import type { AnalyzeResult } from '../contract/analyze.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import type { WorkOptions } from '../core/progress.ts';
import { version } from '../core/version.ts';
import { agreementFigure, profileFigure, subareaFigure } from '../report/analysis-figures.ts';
import { type AnalysisPage, analysisHtml, type PageSection, type Picture } from '../report/analysis-page.ts';
import { geojsonOf, nestOutlines, type Shape } from '../report/geojson.ts';
import { fieldQuantile, type ImageField } from '../report/image-field.ts';
import { compositePng, enlarge, mapPng } from '../report/slide-picture.ts';
import { csvOf, parquetOf, type Table } from '../report/table.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import { labelAt } from '../spatial/components.ts';
import { spotMask } from '../spatial/hot-spots.ts';
import { maskOutlines, type Outline } from '../spatial/mask-outlines.ts';
import type { Analysis } from './analysis.ts';
import { overviewOf } from './overview.ts';

/** Longest edge of pictures in the report. */
const picturePx = 1100;

/** @returns names of the files, relative to the folder, besides report.html and result.json */
export async function writeAnalysis(
  analysis: Analysis,
  folder: string,
  work: WorkOptions,
): Promise<string[]> {
  const files: string[] = [];
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
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

function tablesOf({ result, measures, vesselObjects, sums }: Analysis): Record<string, Table> {
  const profile = measures.flatMap(({ name, found }) => found.profile.map((bin) => ({ name, ...bin })));
  const areas = measures.flatMap(({ name, found }) =>
    found.subareas.map((area) => ({ probe: name, ...area })),
  );
  const um = sums.cells.edgePx * result.pixelSizeUm;
  const spots = measures.flatMap(({ name, found }) => found.spots.spots.map((spot) => ({ name, ...spot })));
  const cells = Array.from(sums.cells.pixels, (_, i) => i).filter((i) =>
    measures.some(({ found }) => Number.isFinite(found.cellMeans[i])),
  );
  const summary = summaryOf(result);
  return {
    summary: {
      probe: summary.map((row) => row.probe),
      quantity: summary.map((row) => row.quantity),
      unit: summary.map((row) => row.unit),
      value: summary.map((row) => row.value),
      interval_low: summary.map((row) => row.low),
      interval_high: summary.map((row) => row.high),
    },
    profile: {
      probe: profile.map(({ name }) => name),
      from_um: profile.map(({ fromUm }) => fromUm),
      to_um: profile.map(({ toUm }) => toUm),
      pixels: profile.map(({ pixels }) => pixels),
      tissue_share: profile.map(({ share }) => share),
      mean_above_background: profile.map(({ mean }) => mean),
      interval_low: profile.map(({ low }) => low),
      interval_high: profile.map(({ high }) => high),
    },
    subareas: {
      probe: areas.map(({ probe }) => probe),
      subarea: areas.map(({ name }) => name),
      area_um2: areas.map(({ areaUm2 }) => areaUm2),
      area_share: areas.map(({ areaShare }) => areaShare),
      mean_above_background: areas.map(({ mean }) => mean),
      signal_share: areas.map(({ signalShare }) => signalShare),
      enrichment: areas.map(({ enrichment }) => enrichment),
    },
    vessels: {
      x_um: vesselObjects.map(({ xUm }) => xUm),
      y_um: vesselObjects.map(({ yUm }) => yUm),
      area_um2: vesselObjects.map(({ areaUm2 }) => areaUm2),
      length_um: vesselObjects.map(({ lengthUm }) => lengthUm),
      width_um: vesselObjects.map(({ widthUm }) => widthUm),
      ...Object.assign(
        {},
        ...measures.map(({ name, found }) => ({
          [`${name}_inside`]: vesselObjects.map(({ label }) => found.perVessel[label].inside),
          [`${name}_within_10_um`]: vesselObjects.map(({ label }) => found.perVessel[label].near),
          [`${name}_within_50_um`]: vesselObjects.map(({ label }) => found.perVessel[label].around),
          [`${name}_penetration_um`]: vesselObjects.map(({ label }) => found.perVessel[label].penetrationUm),
        })),
      ),
    },
    spots: {
      probe: spots.map(({ name }) => name),
      kind: spots.map(({ kind }) => kind),
      x_um: spots.map(({ x }) => x * um),
      y_um: spots.map(({ y }) => y * um),
      width_um: spots.map(({ wide }) => wide * um),
      height_um: spots.map(({ high }) => high * um),
      area_um2: spots.map(({ cells: n }) => n * um * um),
      mean_above_background: spots.map(({ mean }) => mean),
      peak_score: spots.map(({ peakScore }) => peakScore),
      adjusted_p: spots.map(({ p }) => p),
    },
    cells: {
      x_um: cells.map((i) => (i % sums.cells.wide) * um),
      y_um: cells.map((i) => Math.floor(i / sums.cells.wide) * um),
      ...Object.assign(
        {},
        ...measures.map(({ name, found }) => ({
          [`${name}_above_background`]: cells.map((i) => found.cellMeans[i]),
          [`${name}_score`]: cells.map((i) => found.spots.score[i]),
          [`${name}_spot`]: cells.map((i) => found.spots.kind[i]),
        })),
      ),
    },
  };
}

interface SummaryRow {
  readonly probe: string;
  readonly quantity: string;
  readonly unit: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const units: readonly [RegExp, string][] = [
  [/Um$/, 'um'],
  [/MmPerMm2$/, 'mm/mm2'],
  [/PerMm2$/, '1/mm2'],
  [/(Share|Fraction)$/, 'share'],
  [/(Signal|Far|background)$/, 'stored units'],
];
const unitOf = (key: string): string => units.find(([pattern]) => pattern.test(key))?.[1] ?? '';

function summaryOf(result: AnalyzeResult): SummaryRow[] {
  const plain = (probe: string, values: Readonly<Record<string, unknown>>): SummaryRow[] =>
    Object.entries(values).flatMap(([quantity, value]) =>
      typeof value === 'number'
        ? [{ probe, quantity, unit: unitOf(quantity), value, low: Number.NaN, high: Number.NaN }]
        : [],
    );
  const ofProbe = (
    probe: string,
    of: Pick<AnalyzeResult, 'extravasation' | 'permeability' | 'hotSpots'>,
  ): SummaryRow[] => [
    ...plain(probe, of.extravasation).map((row) => ({ ...row, ...of.extravasation.interval[row.quantity] })),
    ...plain(probe, of.permeability),
    ...plain(probe, of.hotSpots),
  ];
  return [
    ...plain('', { tissueMm2: result.tissueMm2, pixelSizeUm: result.pixelSizeUm }),
    ...plain('', result.vessels).map((row) => ({ ...row, quantity: `vessels ${row.quantity}` })),
    ...(result.nuclei
      ? plain('', result.nuclei).map((row) => ({ ...row, quantity: `nuclei ${row.quantity}` }))
      : []),
    ...ofProbe(result.probe, result),
    ...(result.predicted ? ofProbe('predicted', result.predicted) : []),
  ];
}

function vesselShapes({ vessels, objects, vesselObjects, measures }: Analysis): Shape[] {
  const byLabel = new Map(vesselObjects.map((vessel) => [vessel.label, vessel]));
  return nestOutlines(maskOutlines(vessels.mask)).flatMap((rings) => {
    const [x, y] = rings[0][0];
    const vessel = byLabel.get(labelAt(objects, x, y));
    if (!vessel) return [];
    const measurements: Record<string, number> = {
      'Area µm^2': vessel.areaUm2,
      'Length µm': vessel.lengthUm,
      'Width µm': vessel.widthUm,
    };
    for (const { name, found } of measures) {
      measurements[`Probe ${name}: inside`] = found.perVessel[vessel.label].inside;
      measurements[`Probe ${name}: within 10 µm`] = found.perVessel[vessel.label].near;
      measurements[`Probe ${name}: penetration µm`] = found.perVessel[vessel.label].penetrationUm;
    }
    return [{ kind: 'detection' as const, className: 'Vessel', color: 0xff3b30, rings, measurements }];
  });
}

function regionShapes({ tissue, measures, sums }: Analysis): Shape[] {
  const { wide, high, edgePx } = sums.cells;
  const scaled = (outlines: readonly Outline[], factor: number): Outline[] =>
    outlines.map((outline) =>
      outline.map(([x, y]): [number, number] => [
        Math.min(tissue.width, x * factor),
        Math.min(tissue.height, y * factor),
      ]),
    );
  const shapes: Shape[] = nestOutlines(maskOutlines(tissue)).map((rings) => ({
    kind: 'annotation',
    className: 'Tissue',
    color: 0x8a94a0,
    rings,
  }));
  for (const { name, found } of measures)
    for (const [kind, sign, color] of [
      ['Hot spot', 1, 0xffb000],
      ['Cold spot', -1, 0x2f7fff],
    ] as const)
      for (const rings of nestOutlines(maskOutlines(spotMask(found.spots.kind, wide, high, sign))))
        shapes.push({
          kind: 'annotation',
          className: `${kind}, ${name}`,
          color,
          rings: scaled(rings, edgePx),
        });
  return shapes;
}

function chartsOf({
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
        meanUm: found.extravasation.meanUm,
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
            measured: first.found.cellMeans,
            predicted: second.found.cellMeans,
            ...result.agreement.cells,
            unit: 'stored units',
          })
        : '',
  };
}

async function picturesOf(analysis: Analysis, work: WorkOptions): Promise<Record<string, Picture>> {
  const { source, roles, predicted, sums, measures, result, vessels } = analysis;
  const order = ['vessel', 'nuclei', 'probe'].filter((role) => role in roles);
  const colours: Readonly<Record<string, readonly [number, number, number]>> = {
    vessel: [255, 60, 60],
    nuclei: [70, 90, 255],
    probe: [60, 235, 90],
  };
  const shown = await overviewOf(
    source,
    order.map((role) => roles[role]),
    picturePx,
    undefined,
    work.signal,
  );
  const { width, height, boxPx } = shown;
  const umPerPixel = boxPx * result.pixelSizeUm;
  const field = (data: Float32Array): ImageField => ({ data, width, height });
  const pictures: Record<string, Picture> = {
    slide: {
      title: 'The slide',
      caption: `Vessels red, nuclei blue${order.includes('probe') ? ', probe green' : ''}; each channel from its 2nd to its 99.7th percentile${boxPx > 1 ? `; one pixel of the picture is the mean of ${boxPx} x ${boxPx}` : ''}. White: walls of the vessels found.`,
      png: await compositePng(
        [
          ...order.map((role, i) => ({ field: field(shown.planes[i]), colour: colours[role] })),
          { field: field(wallsOf(vessels.mask, width, height, boxPx)), colour: [150, 150, 150] as const },
        ],
        umPerPixel,
      ),
    },
  };
  const measured = order.includes('probe') ? field(shown.planes[order.indexOf('probe')]) : undefined;
  if (predicted) {
    const { source: image, channel, interval } = predicted;
    const wanted = [channel, ...(interval ? [interval.lower, interval.upper] : [])];
    const planes = (await overviewOf(image, wanted, picturePx, undefined, work.signal)).planes;
    const own = field(planes[0]);
    const base = measured ?? own;
    const [low, high] = [fieldQuantile(base, 0.005), fieldQuantile(base, 0.995)];
    const scale = `${Number(low.toPrecision(3))} to ${Number(high.toPrecision(3))} stored units`;
    if (measured)
      pictures.measured = {
        title: 'Measured',
        caption: `Measured probe, ${scale}.`,
        png: await mapPng(measured, low, high, 'inferno', umPerPixel),
      };
    pictures.predicted = {
      title: 'Predicted',
      caption: `Predicted probe, ${scale}.`,
      png: await mapPng(own, low, high, 'inferno', umPerPixel),
    };
    if (measured) {
      const error = field(own.data.map((value, i) => value - measured.data[i]));
      const spread = fieldQuantile(field(error.data.map(Math.abs)), 0.995) || 1;
      pictures.error = {
        title: 'Error',
        caption: `Predicted less measured: blue too low, red too high, ±${Number(spread.toPrecision(3))}.`,
        png: await mapPng(error, -spread, spread, 'difference', umPerPixel),
      };
    }
    if (interval) {
      const widths = field(planes[2].map((value, i) => value - planes[1][i]));
      const most = fieldQuantile(widths, 0.995);
      pictures.interval = {
        title: 'Interval',
        caption: `Width of the ${Math.round(interval.level * 100)}% prediction interval, 0 to ${Number(most.toPrecision(3))}.`,
        png: await mapPng(widths, 0, most, 'viridis', umPerPixel),
      };
    }
  }
  const { wide, high, edgePx } = sums.cells;
  const factor = Math.max(1, Math.floor(picturePx / Math.max(wide, high)));
  for (const { name, found } of measures) {
    const grid = { data: Float32Array.from(found.cellMeans), width: wide, height: high };
    const [from, to] = [fieldQuantile(grid, 0.01), fieldQuantile(grid, 0.99)];
    pictures[`spots-${name}`] = {
      title: `Hot and cold spots, ${name}`,
      caption: `Mean of the ${name} probe above background outside vessels, cells of ${Math.round(edgePx * result.pixelSizeUm)} µm, ${Number(from.toPrecision(3))} to ${Number(to.toPrecision(3))} stored units. Framed white: hot; cyan: cold; grey: no extravascular tissue.`,
      png: await mapPng(enlarge(grid, factor), from, to, 'viridis', (edgePx * result.pixelSizeUm) / factor, {
        kind: found.spots.kind,
        factor,
      }),
    };
  }
  return pictures;
}

/** 1 where a box of pixels holds a vessel's wall, else 0. */
function wallsOf(mask: BitMask, width: number, height: number, boxPx: number): Float32Array {
  const out = new Float32Array(width * height);
  const row = new Uint8Array(mask.width);
  for (let y = 0; y < mask.height; y++) {
    mask.readRow(y, row);
    for (let x = row.indexOf(1); x >= 0; x = row.indexOf(1, x + 1))
      if ((mask.around(x, y) & 85) !== 85) out[Math.floor(y / boxPx) * width + Math.floor(x / boxPx)] = 1;
  }
  return out;
}

function pageOf(
  analysis: Analysis,
  charts: ReturnType<typeof chartsOf>,
  pictures: Record<string, Picture>,
): AnalysisPage {
  const { result, options, measures, source } = analysis;
  const { extravasation: e, vessels, permeability, hotSpots } = result;
  const percent = `${Math.round(options.level * 100)}%`;
  const um = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(1)} µm` : 'not reached');
  const range = (key: string): string => {
    const { low, high } = e.interval[key] ?? { low: Number.NaN, high: Number.NaN };
    return Number.isFinite(low + high) ? `${percent} interval ${low.toFixed(1)} to ${high.toFixed(1)}` : '';
  };
  const isSignal = e.verdict === 'extravasation';
  const which = result.probe === 'predicted' ? 'predicted probe' : 'probe';
  const fixed = (value: number, digits: number): string =>
    Number.isFinite(value) ? value.toFixed(digits) : '–';
  const sections: PageSection[] = [];
  const maps = ['measured', 'predicted', 'error', 'interval'].flatMap((name) => pictures[name] ?? []);
  if (maps.length > 0) sections.push({ title: 'Measured and predicted', pictures: maps });
  if (result.agreement) {
    const { pixels, cells, distances } = result.agreement;
    sections.push({
      title: 'Agreement of measured and predicted',
      text: `Pixel by pixel: R² ${fixed(pixels.r2, 3)}, ICC(A,1) ${fixed(pixels.icc, 3)}, bias ${fixed(pixels.bias, 2)}; outside vessels R² ${fixed(pixels.extravascularR2, 3)}, ICC ${fixed(pixels.extravascularIcc, 3)}. Over cells of ${cells.cellUm.toFixed(0)} µm: ICC(A,1) ${fixed(cells.icc, 3)}, limits of agreement ${fixed(cells.low, 2)} to ${fixed(cells.high, 2)} about a bias of ${fixed(cells.bias, 2)} (${cells.n} cells).`,
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
    },
    {
      title: 'Distances',
      table: {
        head: [
          '',
          ...measures.map(({ name }) => `${name}, µm`),
          ...measures.map(({ name }) => `${percent} interval, ${name}`),
          'even spread, µm',
        ],
        rows: (['meanUm', 'medianUm', 'p90Um', 'halfDistanceUm'] as const).map((key) => [
          distanceNames[key],
          ...measures.map(({ found }) => fixed(found.extravasation[key], 2)),
          ...measures.map(({ found }) => {
            const { low, high } = found.extravasation.interval[key];
            return Number.isFinite(low + high) ? `${low.toFixed(2)} to ${high.toFixed(2)}` : '–';
          }),
          key === 'halfDistanceUm'
            ? ''
            : fixed({ meanUm: e.uniformMeanUm, medianUm: e.uniformMedianUm, p90Um: e.uniformP90Um }[key], 2),
        ]),
      },
    },
    {
      title: 'Hot and cold spots',
      text: `${hotSpots.hot} hot and ${hotSpots.cold} cold ${hotSpots.hot + hotSpots.cold === 1 ? 'spot' : 'spots'} beyond what chance makes of this slide's own correlation (chance of any false one: ${Math.round(100 * hotSpots.level)}%).`,
      pictures: measures.map(({ name }) => pictures[`spots-${name}`]),
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
          ['share of vessels of high permeability', `${fixed(100 * permeability.highShare, 1)}%`],
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
          ` from the nearest vessel wall (${range('meanUm')}). Spread evenly over the same tissue it would lie at ${um(e.uniformMeanUm)}.`,
        ]
      : [
          { strong: 'No extravasation signal: ' },
          `outside the vessels the ${which} lies on average ${um(e.meanUm)} from the nearest wall (${range('meanUm')}), no nearer than an even spread over the same tissue (${um(e.uniformMeanUm)}).`,
        ],
    isSignal,
    facts: [
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
        name: 'vessels of high permeability',
        value: `${fixed(100 * permeability.highShare, 0)}%`,
        note: `${permeability.vessels} judged`,
      },
    ],
    profile: charts.profile,
    overview: pictures.slide,
    sections,
    warnings: result.warnings,
    methods: result.methods,
    madeBy: `Made by hrpn ${version}.`,
    command: commandOf(options),
  };
}

const distanceNames: Readonly<Record<string, string>> = {
  meanUm: 'mean',
  medianUm: 'half of the probe within',
  p90Um: '90% of the probe within',
  halfDistanceUm: 'half-distance of the profile',
};

function commandOf(options: Analysis['options']): string {
  const parts = [`hrpn analyze ${options.slide}`];
  for (const [key, value] of Object.entries(options)) {
    if (key === 'slide' || value === undefined || value === false) continue;
    const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (key === 'roles')
      for (const [role, name] of Object.entries(value)) parts.push(`--role '${role}=${name}'`);
    else parts.push(value === true ? flag : `${flag} ${value}`);
  }
  return parts.join(' ');
}
