// What a prediction is held against: the vessels of the slide, and its measured probe or the noise-free truth.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { FileAccessError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { needsResampling, resampledSource } from '../dataset/resampled-source.ts';
import { assignRoles } from '../slide/assign-roles.ts';
import { openSlide } from '../slide/open-slide.ts';
import { requirePixelSize } from '../slide/pixel-size.ts';
import type { EvaluatedPair } from './evaluate-slide.ts';
import type { EvaluateSettings } from './evaluation.ts';
import { truthFolder } from './read-ceilings.ts';
import { findVesselChannel } from './slide-layers.ts';

/** The vessel channel; says what follows where there is none. */
export function findVessels(
  source: PixelSource,
  roles: Readonly<Record<string, string>>,
  notes: string[],
): EvaluatedPair['vessel'] {
  const channel = findVesselChannel(source, roles);
  if (channel !== undefined) return { source, channel };
  notes.push(`No vessel channel is known on ${source.path}: all tissue counts as extravascular.`);
  return undefined;
}

interface Target {
  readonly source: PixelSource;
  readonly channel: number;
  /** The measured channel of the slide itself, whose sample type gives the peak. */
  readonly slideChannel: number;
}

/** What the prediction is scored against: the slide's own probe, or the noise-free truth beside a simulated slide. */
export async function openTarget(
  slide: PixelSource,
  path: string,
  options: EvaluateSettings,
  opened: PixelSource[],
  probe: number = assignRoles(
    slide,
    ['probe'],
    options.roles.probe ? { probe: options.roles.probe } : {},
  ).probe,
): Promise<Target> {
  if (options.target === 'measured') return { source: slide, channel: probe, slideChannel: probe };
  const truth = await findTruth(path);
  let source: PixelSource = await openSlide(truth);
  const [own, wanted] = [requirePixelSize(source), requirePixelSize(slide)];
  if (needsResampling(truth, own, wanted)) source = resampledSource(source, own, wanted);
  opened.push(source);
  return { source, channel: 0, slideChannel: probe };
}

/**
 * The file with the noise-free truth of a simulated slide.
 * @throws FileAccessError where there is none
 */
export async function findTruth(slidePath: string): Promise<string> {
  const truth = join(truthFolder(slidePath), 'expected.ome.tif');
  const isThere = await access(truth).then(
    () => true,
    () => false,
  );
  if (isThere) return truth;
  throw new FileAccessError(
    truth,
    `--target expected: ${slidePath} has no noise-free truth beside it (looked for ${truth}). Only slides made by \`hrpn simulate\` have one; leave out --target.`,
  );
}
