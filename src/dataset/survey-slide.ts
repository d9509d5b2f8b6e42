// All that `prepare` finds out about one slide: tissue, input intensities, target moments, patch windows.
import { DataError } from '../core/errors.ts';
import { percentText } from '../core/units.ts';
import type { WindowRow } from './manifest.ts';
import { type Moments, type StainSamples, tissueMoments, tissueSamples } from './normalisation.ts';
import { type ChannelQuality, measureQuality } from './quality.ts';
import type { SlideScan } from './scan-slide.ts';
import { findTissue, type TissueMask, tissueAreaMm2 } from './tissue-mask.ts';
import { gridWindows, type Window } from './windows.ts';

export interface SurveySettings {
  readonly patch: number;
  readonly minTissue: number;
  readonly overlap: number;
}

export interface SlideSurvey {
  readonly tissue: TissueMask;
  readonly tissueAreaMm2: number;
  /** One a role: the inputs, then the target. */
  readonly quality: readonly ChannelQuality[];
  /** Averages of each input over the tissue, for its map. */
  readonly inputSamples: readonly StainSamples[];
  /** Of the target over the tissue. */
  readonly moments: Moments;
  /** Windows with the mean of the target over their tissue, in stored units. */
  readonly windows: (Window & { targetMean: number })[];
  readonly dropped: number;
}

/**
 * @param scan of the inputs and then the target; @param slide its path, for messages
 * @throws DataError when it has no tissue, no finite target, or no window with enough tissue
 */
export function surveySlide(scan: SlideScan, settings: SurveySettings, slide: string): SlideSurvey {
  const { patch } = settings;
  const inputs = scan.channels.length - 1;
  const tissue = findTissue(scan, inputs, slide);
  const moments = tissueMoments(scan, tissue, inputs);
  if (moments.count === 0) {
    const { name } = scan.channels[inputs];
    throw new DataError(`${slide}: the target channel '${name}' has no finite pixel inside the tissue.`);
  }
  const { windows, dropped } = gridWindows(scan.widthPx, scan.heightPx, patch, tissue, settings);
  if (windows.length === 0) {
    throw new DataError(
      `${slide}: none of its ${dropped} patches of ${patch} px is at least ${percentText(settings.minTissue)} ` +
        'tissue. Choose a smaller --patch or --min-tissue.',
    );
  }
  const samples = tissueSamples(scan, tissue);
  return {
    tissue,
    tissueAreaMm2: tissueAreaMm2(tissue, scan),
    quality: measureQuality(scan, tissue, samples),
    inputSamples: samples.slice(0, inputs),
    moments,
    windows: windows.map((window) => ({
      ...window,
      targetMean: meanIn(scan, tissue, inputs, window, patch) ?? moments.mean,
    })),
    dropped,
  };
}

/** The windows as the manifest holds them. */
export function windowRows(slide: number, windows: SlideSurvey['windows']): WindowRow[] {
  return windows.map(({ x, y, tissue, targetMean }) => [
    slide,
    x,
    y,
    Number(tissue.toFixed(4)),
    Number(targetMean.toPrecision(6)),
  ]);
}

/** Mean of a scanned channel over the tissue cells that the window touches; undefined where there is none. */
function meanIn(
  scan: SlideScan,
  tissue: TissueMask,
  channel: number,
  { x, y }: Window,
  patch: number,
): number | undefined {
  const { cellMean, cellCount } = scan.channels[channel];
  const { cellPx, cellsWide, cellsHigh } = scan;
  let sum = 0;
  let count = 0;
  const endRow = Math.min(cellsHigh, Math.ceil((y + patch) / cellPx));
  const endColumn = Math.min(cellsWide, Math.ceil((x + patch) / cellPx));
  for (let row = Math.floor(y / cellPx); row < endRow; row++) {
    for (let column = Math.floor(x / cellPx); column < endColumn; column++) {
      const cell = row * cellsWide + column;
      if (tissue.cells[cell] === 0) continue;
      if (cellCount[cell] === 0) continue;
      sum += cellCount[cell] * cellMean[cell];
      count += cellCount[cell];
    }
  }
  return count > 0 ? sum / count : undefined;
}
