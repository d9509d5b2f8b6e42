// Opens a dataset folder and the slides behind it.
import { stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { DataError, FileAccessError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';
import { openSlide } from '../slide/open-slide.ts';
import { BlockCache } from './block-cache.ts';
import { fingerprintSlide, isUrl } from './fingerprint.ts';
import { focusChange } from './focus.ts';
import { type DatasetManifest, type DatasetSlide, readManifest } from './manifest.ts';
import { readMask } from './mask-file.ts';
import type { AffineMap } from './normalisation.ts';
import { needsResampling, resampledSource } from './resampled-source.ts';
import type { TissueMask } from './tissue-mask.ts';

/** A slide of a dataset, open for reading at the dataset's pixel size. */
export interface OpenDatasetSlide {
  readonly entry: DatasetSlide;
  readonly source: PixelSource;
  readonly mask: TissueMask;
  /** Channel indices into the source. */
  readonly inputChannels: readonly number[];
  readonly targetChannel: number;
  /**
   * One map an input role, in the order of the manifest's `inputRoles`: the slide's own, or for fields of one slide
   * those that all of them share.
   */
  readonly inputMaps: readonly AffineMap[];
  /** One an input role: the variance by which its point spread is changed when it is read as an input, squared pixels. */
  readonly focus: readonly number[];
}

/** A dataset, open for reading. */
export interface Dataset {
  readonly folder: string;
  readonly manifest: DatasetManifest;
  /** In the order of the manifest; windows name them by index. */
  readonly slides: readonly OpenDatasetSlide[];
  /** Decoded pixels, shared by all patch streams of this dataset. */
  readonly cache: BlockCache;
  close(): Promise<void>;
}

/** What the readers of all slides may keep together below the dataset's own cache. */
const sourceCacheBytes = 64 * 2 ** 20;

export interface OpenDatasetOptions {
  /** Budget for decoded pixels; an eighth of the machine's memory, from 512 MiB to 4 GiB, unless given. */
  readonly cacheBytes?: number;
}

/**
 * Opens every slide of the dataset and checks that it is the one that was prepared.
 * @throws FileAccessError for a missing dataset, mask or slide; FormatError for a damaged manifest; DataError for a
 * slide that was changed since `prepare`
 */
export async function openDataset(folder: string, options: OpenDatasetOptions = {}): Promise<Dataset> {
  const manifest = await readManifest(folder);
  const slides: OpenDatasetSlide[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(slides.map(({ source }) => source.close()));
  };
  try {
    for (const entry of manifest.slides) slides.push(await openEntry(folder, manifest, entry));
  } catch (error) {
    await close();
    throw error;
  }
  return { folder, manifest, slides, cache: new BlockCache(options.cacheBytes ?? usualCacheBytes()), close };
}

/** Patches come from all slides in turn: where these do not fit, most have to be decoded anew for every patch. */
function usualCacheBytes(): number {
  return Math.min(4 * 2 ** 30, Math.max(512 * 2 ** 20, totalmem() / 8));
}

async function openEntry(
  folder: string,
  manifest: DatasetManifest,
  entry: DatasetSlide,
): Promise<OpenDatasetSlide> {
  const path = await locateSlide(folder, entry);
  if ((await fingerprintSlide(path)) !== entry.fingerprint) {
    throw new DataError(
      `${path} is not the slide that the dataset ${folder} was prepared from: its content has changed. ` +
        'Put the original back, or run `hrpn prepare` again.',
    );
  }
  const mask = await readMask(join(folder, entry.mask.file), entry.mask);
  const stored = await openSlide(path, {
    pixelSizeUm: entry.givenPixelSizeUm,
    plane: entry.plane,
    cacheBytes: sourceCacheBytes / manifest.slides.length,
  });
  try {
    const source = needsResampling(path, entry.pixelSizeUm, manifest.pixelSizeUm)
      ? resampledSource(stored, entry.pixelSizeUm, manifest.pixelSizeUm)
      : stored;
    if (source.width !== entry.width || source.height !== entry.height) {
      throw new DataError(
        `${path}: expected ${entry.width} x ${entry.height} px as prepared, found ${source.width} x ${source.height}. ` +
          'Run `hrpn prepare` again.',
      );
    }
    const indexOf = (role: string): number => {
      const name = entry.channels[role];
      const index = source.channels.findIndex((channel) => channel.name === name);
      if (index >= 0) return index;
      const found = source.channels.map((channel) => `'${channel.name}'`).join(', ');
      throw new DataError(
        `${path}: expected the channel '${name}' (${role}) as prepared, found ${found}. Run \`hrpn prepare\` again.`,
      );
    };
    return {
      entry,
      source,
      mask,
      inputChannels: manifest.inputRoles.map(indexOf),
      targetChannel: indexOf(manifest.targetRole),
      inputMaps: manifest.inputRoles.map((role) => (manifest.sharedMaps ?? entry.maps)[role]),
      focus: focusOf(manifest, entry),
    };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** What brings a slide to the focus of the training slides, one an input role. */
export function focusOf(
  { inputRoles, spectra }: Pick<DatasetManifest, 'inputRoles' | 'spectra'>,
  entry: Pick<DatasetSlide, 'spectra'>,
): number[] {
  return inputRoles.map((role) => focusChange(entry.spectra?.[role] ?? null, spectra[role] ?? null));
}

/**
 * Where the slide is: beside the dataset as it was when prepared, else under its absolute path.
 * @throws FileAccessError when it is in neither place
 */
export async function locateSlide(folder: string, entry: DatasetSlide): Promise<string> {
  if (isUrl(entry.path)) return entry.path;
  const candidates = [
    ...(entry.relativePath === undefined ? [] : [resolve(folder, entry.relativePath)]),
    entry.path,
  ];
  for (const candidate of candidates) {
    if (await stat(candidate).catch(() => undefined)) return candidate;
  }
  throw new FileAccessError(
    entry.path,
    `the slide '${entry.name}' of the dataset ${folder} is missing: looked for ${candidates.join(' and ')}. ` +
      'Put it back, or run `hrpn prepare` again.',
  );
}
