// What people read at the end of an analysis; programs read --json.
import type { AnalyzeResult } from '../contract/analyze.ts';

export function summariseAnalyze(result: AnalyzeResult): string {
  const { extravasation: e, vessels, hotSpots, agreement } = result;
  const um = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(1)} um` : 'not reached');
  const { low, high } = e.interval.meanUm;
  const interval = Number.isFinite(low + high) ? ` (${low.toFixed(1)} to ${high.toFixed(1)})` : '';
  const probe = result.probe === 'predicted' ? 'predicted probe' : 'probe';
  return [
    ...(e.verdict === 'not known'
      ? ['Where the probe lies outside the vessels is not known.']
      : [
          e.verdict === 'extravasation'
            ? `Outside the vessels the ${probe} lies ${um(e.meanUm)}${interval} from the nearest wall on average; an even spread would lie at ${um(e.uniformMeanUm)}.`
            : `No extravasation signal: the ${probe} lies ${um(e.meanUm)}${interval} from the nearest wall, an even spread at ${um(e.uniformMeanUm)}.`,
          `Half of it lies within ${um(e.medianUm)}, 90% within ${um(e.p90Um)}; half-distance of the profile ${um(e.halfDistanceUm)}.`,
        ]),
    `${vessels.count} vessels, ${vessels.densityPerMm2.toFixed(0)} a mm2 of tissue (${result.tissueMm2.toPrecision(3)} mm2)${vessels.count > 0 ? `, ${vessels.meanWidthUm.toFixed(1)} um wide` : ''}.`,
    `${hotSpots.hot} hot and ${hotSpots.cold} cold spots.`,
    ...(agreement
      ? [
          `Measured and predicted: ICC(A,1) ${Number(agreement.pixels.icc).toFixed(3)} by pixel, ${agreement.cells.icc.toFixed(3)} by cells of ${agreement.cells.cellUm.toFixed(0)} um.`,
        ]
      : []),
    ...Object.entries(result.fixedAreas ?? {}).map(
      ([name, { pixels, areaUm2 }]) =>
        `At fixed thresholds, ${name}: ${pixels} px, ${areaUm2.toFixed(1)} um2.`,
    ),
    ...result.warnings.map((line) => `Warning: ${line}`),
    'Written:',
    ...result.files.map((file) => `  ${file}`),
  ].join('\n');
}
