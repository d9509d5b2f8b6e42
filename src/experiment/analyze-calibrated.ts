// Where the measured probe's values would lie on a slide of which only the prediction is known, or beside which it is shown:
// the intervals that the model was calibrated with, around what the prediction gives.
import type { AnalyzeResult, AnalyzeSettings } from '../contract/analyze.ts';
import { flagOf } from '../contract/command.ts';
import { percentText } from '../core/units.ts';
import type { ProbeMeasures } from './analyze-measures.ts';
import { derivedValues, endsOf, ofLevel, unlikeCalibration } from './derived-intervals.ts';
import type { PredictionRecord } from './prediction-record.ts';

type Calibrated = NonNullable<AnalyzeResult['calibrated']>;

/** Calibration measures slides as `analyze` does with these settings; another definition would have other errors. */
const calibratedWith: readonly (readonly [keyof AnalyzeSettings, unknown])[] = [
  ['vesselMask', undefined],
  ['vesselThreshold', undefined],
  ['tissue', 'auto'],
  ['background', undefined],
  ['backgroundSlide', undefined],
  ['backgroundPercentile', 1],
  ['beyondUm', 3],
];

/**
 * @param isAlone the prediction is in the place of the measured probe, so that nothing else tells its error
 * @param warnings is told what a person must know who reads the intervals, or why there are none
 */
export function calibratedOf(
  record: PredictionRecord,
  { extravasation, subareas }: ProbeMeasures,
  settings: AnalyzeSettings,
  tissueMm2: number,
  isAlone: boolean,
  warnings: string[],
): Calibrated | null {
  const { level } = settings;
  const { derivedIntervals } = record;
  const none = (why: string): null => {
    if (isAlone) {
      warnings.push(
        `The intervals are those of another piece of this predicted image; how far it may be from what would be measured is not in them${why}`,
      );
    }
    return null;
  };
  if (derivedIntervals === undefined) {
    return none(
      ', for the prediction carries no calibrated intervals: its model knew no calibration slides (hrpn prepare --calibration).',
    );
  }
  const changed = calibratedWith.flatMap(([key, value]) =>
    (settings[key] ?? value) === value ? [] : [flagOf(key)],
  );
  if (changed.length > 0) {
    return none(
      `: the model's calibration measures without ${changed.join(', ')}. Leave ${changed.length > 1 ? 'them' : 'it'} out for calibrated intervals.`,
    );
  }
  const unlike = unlikeCalibration(record, tissueMm2);
  if (unlike !== undefined) return none(`: ${unlike}`);
  const intervals: Calibrated['intervals'] = {};
  let isLevelKnown = false;
  for (const [key, value] of Object.entries(derivedValues(extravasation, subareas))) {
    const found = ofLevel(derivedIntervals[key], level);
    if (found === undefined) continue;
    isLevelKnown = true;
    const { slides, basis } = found;
    if (Number.isFinite(value)) intervals[key] = { ...endsOf(key, value, found), slides, basis };
  }
  if (!isLevelKnown) {
    const levels = new Set(Object.values(derivedIntervals).flatMap((of) => of.map((own) => own.level)));
    return none(
      `: the model is calibrated for the levels ${[...levels].join(', ')}, not for --level ${level}.`,
    );
  }
  // Without a value there is nothing to be around, and a warning has said why.
  if (Object.keys(intervals).length === 0) return null;
  const percent = percentText(level);
  if (isAlone) {
    const slides = Math.max(...Object.values(intervals).map((own) => own.slides));
    warnings.push(
      `Where the measured probe would lie is told for slides like the ${slides} that the model was calibrated on: of that tissue, probe, stain and microscope. For others it may be far off.`,
    );
  }
  const within = Object.entries(intervals).filter(([, { basis }]) => basis === 'within-cohort');
  if (within.length > 0) {
    const all = within.length === Object.keys(intervals).length;
    const fewest = Math.min(...within.map(([, { slides }]) => slides));
    warnings.push(
      `The calibrated ${percent} intervals${all ? '' : ` of ${within.map(([key]) => key).join(', ')}`} are within-cohort: they rest on ${fewest} ${fewest === 1 ? 'slide' : 'slides'}, too few, or all of one slide, to promise ${percent} on a further one.`,
    );
  }
  const { meanUm, meanSignal } = intervals;
  if (extravasation.verdict === 'extravasation') {
    const { uniformMeanUm } = extravasation;
    if (meanUm && meanUm.high >= uniformMeanUm) {
      warnings.push(
        `Of the predicted image the probe is nearer to the vessels than an even spread (${uniformMeanUm.toFixed(1)} um), but what would be measured may not be: its mean distance lies between ${meanUm.low.toFixed(1)} and ${meanUm.high.toFixed(1)} um.`,
      );
    }
    if (meanSignal && meanSignal.low <= 0) {
      warnings.push(
        'The predicted image shows probe outside the vessels, but what would be measured may be no more than background.',
      );
    }
  }
  return { level, intervals };
}
