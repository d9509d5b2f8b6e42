// Begins a slide to be written, in the format its name asks for.
import { UsageError } from '../core/errors.ts';
import { createOmeTiff } from './create-ome-tiff.ts';
import { createOmeZarr } from './create-ome-zarr.ts';
import type { SinkOptions, SlideDescription, SlideSink } from './write/slide-description.ts';

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
  if (/\.tiff?$/i.test(path)) return createOmeTiff(path, slide, options);
  if (/\.zarr$/i.test(path)) return createOmeZarr(path, slide, options);
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
