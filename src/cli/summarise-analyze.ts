// What people read at the end of an analysis; programs read --json.
import type { AnalyzeResult } from '../contract/analyze.ts';
import { percentText } from '../core/units.ts';
import { hasSignal } from '../experiment/analyze-measures.ts';

export function summariseAnalyze(result: AnalyzeResult): string {
  const { extravasation: e, vessels, hotSpots, agreement } = result;
  const um = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(1)} um` : 'not reached');
  const known = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : 'not known');
  const calibrated = result.probe === 'predicted' ? result.calibrated?.intervals.meanUm : undefined;
  const { low, high } = calibrated ?? e.interval.meanUm;
  const interval = Number.isFinite(low + high)
    ? ` (${calibrated ? `${percentText(result.calibrated!.level)} interval for the measured on this slide ` : ''}${low.toFixed(1)} to ${high.toFixed(1)})`
    : '';
  // Of a prediction with intervals for the measured, those are what counts.
  const closer = calibrated
    ? ''
    : `: it is ${um(e.closerUm)} nearer (${percentText(1 - hotSpots.level)} interval ${e.interval.closerUm.low.toFixed(1)} to ${e.interval.closerUm.high.toFixed(1)})`;
  const probe = result.probe === 'predicted' ? 'predicted probe' : 'probe';
  return [
    ...(e.verdict === 'not known'
      ? [`Not known where the ${probe} lies outside the vessels; the warnings below say why.`]
      : [
          e.verdict === 'extravasation'
            ? `Outside the vessels the ${probe} lies ${um(e.meanUm)}${interval} from the nearest wall on average; an even spread would lie at ${um(e.uniformMeanUm)}${closer}.`
            : `No extravasation signal: ${hasSignal(e) ? `the ${probe} lies ${um(e.meanUm)}${interval} from the nearest wall` : 'there is no more than background'}, an even spread ${hasSignal(e) ? '' : 'would lie '}at ${um(e.uniformMeanUm)}.`,
          ...(hasSignal(e)
            ? [
                `Half of it lies within ${um(e.medianUm)}, 90% within ${um(e.p90Um)}; half-distance of the profile ${um(e.halfDistanceUm)}.`,
              ]
            : []),
        ]),
    `${vessels.count} ${vessels.count === 1 ? 'vessel' : 'vessels'}, ${Number.isFinite(vessels.densityPerMm2) ? vessels.densityPerMm2.toFixed(0) : 'no number'} a mm2 of tissue (${result.tissueMm2.toPrecision(3)} mm2)${Number.isFinite(vessels.meanWidthUm) ? `, ${vessels.meanWidthUm.toFixed(1)} um wide` : ''}.`,
    Number.isNaN(hotSpots.hot)
      ? 'Hot and cold spots are not known.'
      : `${hotSpots.hot} hot and ${hotSpots.cold} cold spots.`,
    ...(agreement
      ? [
          `Measured and predicted: ICC(A,1) ${known(agreement.pixels.icc)} by pixel, ${known(agreement.cells.icc)} by cells of ${agreement.cells.cellUm.toFixed(0)} um.`,
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
