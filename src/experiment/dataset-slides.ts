// Where the slides of a dataset are.
import { readManifest } from '../dataset/manifest.ts';
import { locateSlide } from '../dataset/open-dataset.ts';

/**
 * Absolute paths or addresses, as they would be opened.
 * @throws FileAccessError for a missing dataset or slide; FormatError for a damaged manifest
 */
export async function datasetSlides(folder: string): Promise<string[]> {
  const { slides } = await readManifest(folder);
  return Promise.all(slides.map((slide) => locateSlide(folder, slide)));
}
