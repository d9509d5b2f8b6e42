// Begins a slide to be written, in the format its name asks for.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { partialPath } from '../core/atomic-file.ts';
import { UsageError } from '../core/errors.ts';
import { createOmeTiff } from './create-ome-tiff.ts';
import { createOmeZarr, identityFile } from './create-ome-zarr.ts';
import type { SinkOptions, SlideDescription, SlideSink } from './write/slide-description.ts';
import { journalFile } from './write/tile-store.ts';

/**
 * An OME-TIFF for names that end in .tif or .tiff, an OME-Zarr 0.5 for .zarr.
 * @throws UsageError for any other name; else as `createOmeTiff` and `createOmeZarr`
 */
export async function createSlide(
  path: string,
  slide: SlideDescription,
  options: SinkOptions = {},
): Promise<SlideSink> {
  if (slide.valueScale !== undefined && slide.sampleType === 'float32') {
    throw new UsageError('a value scale is for integer samples; float32 holds the values themselves.');
  }
  return formatOf(path) === 'tiff'
    ? createOmeTiff(path, slide, options)
    : createOmeZarr(path, slide, options);
}

/** Whether an interrupted run has left the beginnings of a slide of this name, which `resume` would go on with. */
export function isBegun(path: string): Promise<boolean> {
  const file = formatOf(path) === 'tiff' ? journalFile : identityFile;
  return access(join(partialPath(path), file)).then(
    () => true,
    () => false,
  );
}

/** What a slide of this name is written as. @throws UsageError */
export function formatOf(path: string): 'tiff' | 'zarr' {
  if (/\.tiff?$/i.test(path)) return 'tiff';
  if (/\.zarr$/i.test(path)) return 'zarr';
  throw new UsageError(`${path}: expected a name that ends in .ome.tif (OME-TIFF) or .ome.zarr (OME-Zarr).`);
}

export { countClipped, type ValueScale, valueScaleFor } from './value-scale.ts';
export type {
  SinkOptions,
  SlideDescription,
  SlideSink,
  WrittenChannel,
  WrittenType,
} from './write/slide-description.ts';
