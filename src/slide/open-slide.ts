// Opens a slide, whatever its format.
import { extname } from 'node:path';
import { FileAccessError, FormatError, throwIfCancelled } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { BlockedSource } from './blocked-source.ts';
import { kindOfPath } from './file-bytes.ts';
import { openFolder } from './open-folder.ts';
import { openPicture } from './open-picture.ts';
import type { OpenSlideOptions } from './source-options.ts';
import { openTiff } from './tiff/open-tiff.ts';
import { openZarr } from './zarr/open-zarr.ts';
import { FolderStore, HttpStore } from './zarr/store.ts';

/** Formats of slide scanners that are not read; Bio-Formats' converters read them all. */
const foreign: Readonly<Record<string, string>> = {
  '.czi': 'Zeiss CZI',
  '.ndpi': 'Hamamatsu NDPI',
  '.ndpis': 'Hamamatsu NDPIS',
  '.vsi': 'Olympus VSI',
  '.ets': 'Olympus ETS',
  '.lif': 'Leica LIF',
  '.lof': 'Leica LOF',
  '.scn': 'Leica SCN',
  '.nd2': 'Nikon ND2',
  '.mrxs': '3DHISTECH MIRAX',
  '.oib': 'Olympus OIB',
  '.oif': 'Olympus OIF',
  '.oir': 'Olympus OIR',
  '.ims': 'Imaris',
  '.zvi': 'Zeiss ZVI',
  '.lsm': 'Zeiss LSM',
  '.dcm': 'DICOM',
  '.bif': 'Ventana BIF',
  '.isyntax': 'Philips iSyntax',
};

/**
 * Opens a file, an OME-Zarr (folder or web address), or a folder with one file a channel.
 * @throws FileAccessError for what is absent or may not be read; FormatError for what is damaged or not a slide;
 * DataError for a stack without a chosen plane and for pixels that are not square; UsageError for a plane that is not
 * there; CancelledError
 */
export async function openSlide(path: string, options: OpenSlideOptions = {}): Promise<PixelSource> {
  throwIfCancelled(options.signal, 'opening the slide');
  if (/^https?:\/\//i.test(path)) return openAddress(path, options);
  const kind = await kindOfPath(path);
  if (kind === 'other') throw new FileAccessError(path, `${path} is neither a file nor a folder.`);
  if (kind === 'file') return openFile(path, options);
  const zarr = await openZarr(new FolderStore(path), options);
  return zarr === undefined
    ? openFolder(path, options, openFile)
    : new BlockedSource(zarr, options.cacheBytes);
}

async function openAddress(address: string, options: OpenSlideOptions): Promise<PixelSource> {
  const zarr = await openZarr(new HttpStore(address), options);
  if (zarr !== undefined) return new BlockedSource(zarr, options.cacheBytes);
  throw new FormatError(
    address,
    'no OME-Zarr is at this address, and other formats are read from local files only. Check the address, or download the file.',
  );
}

async function openFile(path: string, options: OpenSlideOptions): Promise<PixelSource> {
  const kind = foreign[extname(path).toLowerCase()];
  if (kind !== undefined) {
    throw new FormatError(
      path,
      `${kind} files are not read. Convert it with the free tools of Bio-Formats: ` +
        'bioformats2raw IN OUT.zarr, and if a single file is wanted, raw2ometiff OUT.zarr OUT.ome.tif',
    );
  }
  const image = (await openTiff(path, options)) ?? (await openPicture(path, options));
  if (image !== undefined) return new BlockedSource(image, options.cacheBytes);
  throw new FormatError(
    path,
    'not an image that is read: expected OME-TIFF, TIFF, OME-Zarr, PNG or JPEG, or a folder with one file a channel. ' +
      'Other formats are converted by bioformats2raw IN OUT.zarr and raw2ometiff OUT.zarr OUT.ome.tif',
  );
}

export type { OpenSlideOptions } from './source-options.ts';
