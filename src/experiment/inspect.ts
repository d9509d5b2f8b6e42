// Use case `inspect`: what a slide file holds, before anything is done with it.
import { parseOptions } from '../contract/command.ts';
import { type InspectOptions, type InspectResult, inspectCommand } from '../contract/inspect.ts';
import type { WorkOptions } from '../core/progress.ts';
import { rolesOf } from '../slide/assign-roles.ts';
import { openSlide } from '../slide/open-slide.ts';
import { absolutePath } from './slide-list.ts';

/**
 * Opens a slide and says what is in it. No pixel is read.
 * @throws FileAccessError, FormatError; DataError for a stack without a chosen plane; UsageError for a channel or a
 * plane that is not there
 */
export async function inspect(
  given: Partial<InspectOptions>,
  work: WorkOptions = {},
): Promise<InspectResult> {
  const options = parseOptions(inspectCommand, given);
  const source = await openSlide(absolutePath(options.slide), {
    pixelSizeUm: options.pixelSizeUm,
    plane: { z: options.z, t: options.t },
    signal: work.signal,
  });
  try {
    const roles = rolesOf(source, options.roles);
    return {
      path: source.path,
      format: source.format,
      width: source.width,
      height: source.height,
      pixelSizeUm: source.pixelSizeUm ?? null,
      channels: source.channels.map(({ name, sampleType }, i) => ({
        name,
        ...(roles[i] === undefined ? {} : { role: roles[i] }),
        dtype: sampleType,
      })),
      levels: source.levels.map(({ width, height }) => ({ width, height })),
    };
  } finally {
    await source.close();
  }
}
