// The methods paragraph of `analyze`, with every parameter.
import type { AnalyzeResult, AnalyzeSettings } from '../contract/analyze.ts';
import { percentText } from '../core/units.ts';
import type { FoundMask } from './analyze-masks.ts';
import { type ProbeMeasures, resamplesFor } from './analyze-measures.ts';

/** A chance as people write it; below a thousandth only that. */
export const pText = (p: number): string =>
  Number.isNaN(p) ? 'not known' : p < 0.001 ? '< 0.001' : `= ${Number(p.toPrecision(2))}`;

export function methodsOf(
  options: AnalyzeSettings,
  vessels: FoundMask,
  nuclei: FoundMask | undefined,
  { extravasation, hotSpots }: ProbeMeasures,
  blockUm: number,
  calibrated: AnalyzeResult['calibrated'],
): string {
  const percent = percentText(options.level);
  return [
    `Vessels: ${vessels.method}.`,
    nuclei ? `Nuclei: ${nuclei.method}.` : 'Nuclei: none (no nuclear stain).',
    options.tissue === 'all'
      ? 'Tissue: every pixel.'
      : 'Tissue: found against glass on all input channels as for training; measures are over tissue only, profile, distances and spots over that of it which is not beside glass (by cells of about 8 um).',
    'Distances are exact Euclidean distances (Meijster et al. 2000) to the nearest vessel wall, which lies half a pixel nearer than the nearest vessel pixel.',
    `Extravascular is tissue more than ${options.beyondUm} um from a wall. Background: ${extravasation.backgroundBasis} (${Number(extravasation.background.toPrecision(5))}); it is subtracted without clipping at zero.`,
    "Extravasation distances are those of the probe above background in extravascular tissue; the even-spread values are the same of the tissue itself. Tissue for which a vessel beyond the slide's border could be nearer is replaced by tissue at the same distance farther inside (Chiu and Stoyan 1998).",
    'The half-distance is where the mean profile has fallen to half of its value in the first 2 um of extravascular tissue.',
    `Intervals are ${percent} percentile intervals of a spatial block bootstrap (squares of ${Math.round(blockUm)} um, ${resamplesFor(options.level)} resamples), background included, widened about the value by what neighbouring squares have in common (Conley 1999) and as Student's t is for so many squares: what another piece of this tissue would give, not another animal. "No extravasation signal" is said where that interval does not exclude an even spread, or where a probe that knows nothing of the vessels would come as near by chance in more than ${percentText(hotSpots.level / 2)} of cases (p ${pText(extravasation.nearnessP)}): t-test of the correlation with the distance to the vessels over cells of ${hotSpots.cellUm} um, its degrees of freedom from the probe's own variogram (Dutilleul 1993), one-sided.`,
    ...(calibrated
      ? [
          `Intervals for the measured on this slide are ${percent} split conformal ones (Vovk et al. 2005) around what the prediction shows: the errors of the same measure on the calibration slides of the model (${[...new Set(Object.values(calibrated.intervals).map(({ slides }) => slides))].join(' or ')}), one an animal, so they are for slides of the same kind.`,
        ]
      : []),
    `Hot and cold spots: Gi* (Getis and Ord 1992) on extravascular means over cells of ${hotSpots.cellUm} um within ${hotSpots.radiusUm} um, against ${hotSpots.draws} stationary fields (Gaussian on a shifted logarithm) with the slide's own skewness and variogram (Matheron's estimate, the stable model fitted with Cressie's weights); single-step maxT (Westfall and Young 1993), so the chance of any false spot on the slide is ${percentText(hotSpots.level)}.`,
    'Per vessel, in the manner of nano-ISML (single-vessel measures on whole sections): vessels are connected profiles; signal is the mean above background within 10 um of the wall in tissue nearer to that vessel than to any other; vessels of high permeability have at least twice the median signal; penetration is the mean distance of the signal within 50 um.',
    'Vessel graph: thinning of Guo and Hall (1989), spurs shorter than 1.5 radii left out.',
  ].join(' ');
}
