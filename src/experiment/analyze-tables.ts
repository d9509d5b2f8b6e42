// The tables of `analyze`, with units in their headings.
import type { AnalyzeResult } from '../contract/analyze.ts';
import type { Table } from '../report/table.ts';
import type { Analysis } from './analysis.ts';
import { shareKey } from './derived-intervals.ts';

export function tablesOf({ result, measures, vesselObjects, sums }: Analysis): Record<string, Table> {
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
      measured_low: summary.map((row) => calibratedFor(result, row.probe, row.quantity).low),
      measured_high: summary.map((row) => calibratedFor(result, row.probe, row.quantity).high),
    },
    profile: {
      probe: profile.map(({ name }) => name),
      from_um: profile.map(({ fromUm }) => fromUm),
      to_um: profile.map(({ toUm }) => toUm),
      pixels: profile.map(({ pixels }) => pixels),
      tissue_share: profile.map(({ share }) => share),
      mean_above_background_stored_units: profile.map(({ mean }) => mean),
      interval_low_stored_units: profile.map(({ low }) => low),
      interval_high_stored_units: profile.map(({ high }) => high),
    },
    subareas: {
      probe: areas.map(({ probe }) => probe),
      subarea: areas.map(({ name }) => name),
      area_um2: areas.map(({ areaUm2 }) => areaUm2),
      area_share: areas.map(({ areaShare }) => areaShare),
      mean_above_background_stored_units: areas.map(({ mean }) => mean),
      signal_share: areas.map(({ signalShare }) => signalShare),
      enrichment_ratio: areas.map(({ enrichment }) => enrichment),
      measured_share_low: areas.map(({ probe, name }) => calibratedFor(result, probe, shareKey(name)).low),
      measured_share_high: areas.map(({ probe, name }) => calibratedFor(result, probe, shareKey(name)).high),
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
          [`${name}_inside_stored_units`]: vesselObjects.map(({ label }) => found.perVessel[label].inside),
          [`${name}_within_10_um_stored_units`]: vesselObjects.map(
            ({ label }) => found.perVessel[label].near,
          ),
          [`${name}_within_50_um_stored_units`]: vesselObjects.map(
            ({ label }) => found.perVessel[label].around,
          ),
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
      mean_above_background_stored_units: spots.map(({ mean }) => mean),
      peak_score_sd: spots.map(({ peakScore }) => peakScore),
      adjusted_p: spots.map(({ p }) => p),
    },
    cells: {
      x_um: cells.map((i) => (i % sums.cells.wide) * um),
      y_um: cells.map((i) => Math.floor(i / sums.cells.wide) * um),
      ...Object.assign(
        {},
        ...measures.map(({ name, found }) => ({
          [`${name}_above_background_stored_units`]: cells.map((i) => found.cellMeans[i]),
          [`${name}_score_sd`]: cells.map((i) => found.spots.score[i]),
          [`${name}_spot`]: cells.map((i) => found.spots.kind[i]),
        })),
      ),
    },
  };
}

/** Where the measured value would lie, by the prediction; NaN where that is not known. */
function calibratedFor({ calibrated }: AnalyzeResult, probe: string, quantity: string) {
  const unknown = { low: Number.NaN, high: Number.NaN };
  return probe === 'predicted' ? (calibrated?.intervals[quantity] ?? unknown) : unknown;
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
  [/tissueMm2$/, 'mm2'],
  [/MmPerMm2$/, 'mm/mm2'],
  [/PerMm2$/, '1/mm2'],
  [/(Share|Fraction|level)$/, 'share'],
  [/tortuosity$/, 'ratio'],
  [/P$/, 'probability'],
  [/(Signal|Far|background)$/, 'stored units'],
];
const unitOf = (key: string): string => units.find(([pattern]) => pattern.test(key))?.[1] ?? 'count';

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
