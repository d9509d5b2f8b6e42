// The slide without probe that `analyze` takes the background from.
import type { AnalyzeSettings } from '../contract/analyze.ts';
import { type PixelSource, storedType } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { type OpenSlideOptions, openSlide } from '../slide/open-slide.ts';
import { requirePixelSize } from '../slide/pixel-size.ts';
import { findComponents } from '../spatial/components.ts';
import { type SpaceInput, sumSpace } from '../spatial/space-sums.ts';
import { type ProbeBackground, slideBackground } from './analyze-background.ts';
import { vesselMask } from './analyze-masks.ts';
import { analysedTissue } from './analyze-tissue.ts';
import { findRoles } from './slide-layers.ts';

interface ControlSlide {
  readonly source: PixelSource;
  readonly pixelSizeUm: number;
  readonly roles: Readonly<Record<string, number>>;
}

/** The slide, and the one without probe, which was recorded alike. */
export function howToOpen({ pixelSizeUm, z, t }: AnalyzeSettings): OpenSlideOptions {
  return { pixelSizeUm, plane: { z, t } };
}

/** @param opened is given the slide, to be closed */
export async function openControl(
  path: string,
  options: AnalyzeSettings,
  opened: PixelSource[],
): Promise<ControlSlide> {
  const source = await openSlide(path, howToOpen(options));
  opened.push(source);
  const pixelSizeUm = requirePixelSize(source);
  return {
    source,
    pixelSizeUm,
    roles: findRoles(source, ['vessel', 'probe'], ['nuclei'], options.roles),
  };
}

/** Said of a slide without probe that cannot have been recorded as the slide was; undefined where it can. */
export function unlikeNote(
  slide: PixelSource,
  probe: number,
  pixelSizeUm: number,
  control: ControlSlide,
): string | undefined {
  const own = storedType(slide.channels[probe]);
  const other = storedType(control.source.channels[control.roles.probe]);
  const isAlike = own === other && Math.abs(pixelSizeUm - control.pixelSizeUm) <= 0.01 * pixelSizeUm;
  if (isAlike) return undefined;
  return `The slide without probe has ${other} pixels of ${control.pixelSizeUm} um, this one ${own} of ${pixelSizeUm} um: it does not look as if it was recorded alike, and then it is no background for this one.`;
}

/**
 * The background that a slide without probe shows at each distance from its own vessels, and in them.
 * @param warnings is given what is odd about it
 */
export async function controlOf(
  { source, pixelSizeUm, roles }: ControlSlide,
  options: AnalyzeSettings,
  grids: Pick<SpaceInput, 'blockUm' | 'cellUm' | 'aroundUm'>,
  warnings: string[],
  work: WorkOptions,
): Promise<ProbeBackground> {
  const inputs = ['vessel', 'nuclei'].flatMap((role) => (role in roles ? [roles[role]] : []));
  const { tissue, solid } = await analysedTissue(source, inputs, [], pixelSizeUm, options.tissue, {
    signal: work.signal,
  });
  const input = { source, channel: roles.vessel, pixelSizeUm, tissue };
  const { mask, warning } = await vesselMask(
    input,
    { ...options, vesselMask: undefined },
    { signal: work.signal },
  );
  if (warning !== undefined) warnings.push(`In the slide without probe, ${source.path}: ${warning}`);
  const sums = await sumSpace(
    {
      ...grids,
      probes: [{ source, channel: roles.probe }],
      ...{ tissue, solid, pixelSizeUm, vessels: mask, objects: findComponents(mask, 8) },
      // From the walls on: areas and vessels have tissue there too.
      beyondUm: 0,
    },
    { signal: work.signal },
  );
  return slideBackground(sums, options.beyondUm, source.path);
}
