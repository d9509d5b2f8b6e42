// The dataset's manifest (`dataset.json`): which windows of which slides, in which split, under which maps.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { FileAccessError, FormatError } from '../core/errors.ts';
import { splits } from './split.ts';

export const manifestVersion = 4;

const affineMap = z.strictObject({ offset: z.number(), scale: z.number().positive() });
const count = z.int().nonnegative();
const spectrum = z.array(z.number()).min(1).nullable();
const size = z.int().positive();

/** [slide index, x, y, tissue share of the patch, mean of the target over the window's tissue in stored units]. */
const windowRow = z.tuple([count, count, count, z.number().min(0).max(1), z.number()]);

const slideEntry = z.strictObject({
  name: z.string().describe('file name without folders and endings, unique in the dataset'),
  path: z.string().describe('absolute path, or the address of a remote slide'),
  relativePath: z.string().optional().describe('path from the dataset folder; tried before `path`'),
  fingerprint: z.string(),
  width: size.describe("pixels at the dataset's pixel size"),
  height: size,
  pixelSizeUm: z
    .number()
    .positive()
    .describe("the slide's own; resampled where it differs from the dataset's"),
  givenPixelSizeUm: z.number().positive().optional().describe('where the user stated it'),
  plane: z
    .strictObject({ z: count.optional(), t: count.optional() })
    .optional()
    .describe('of a stack, where the user stated it'),
  channels: z.record(z.string(), z.string()).describe('role to channel name, the target among them'),
  group: z.string(),
  split: z.enum(splits),
  maps: z
    .record(z.string(), affineMap)
    .describe('input role to the map in use; `sharedMaps` where they are shared'),
  looks: z
    .record(z.string(), z.strictObject({ median: z.number(), sharpness: z.number().nullable() }))
    .optional()
    .describe('input role to what can be compared with other slides (`InputLook`); without it nothing is'),
  spectra: z
    .record(z.string(), spectrum)
    .optional()
    .describe(
      'input role to how its power falls (`FocusSpectrum`), null where not known; none for fields of one slide',
    ),
  mask: z.strictObject({ file: z.string(), cellPx: size, cellsWide: size, cellsHigh: size }),
  tissueAreaMm2: z.number().nonnegative(),
});

const manifestSchema = z.strictObject({
  format: z.literal('hrpn dataset'),
  version: z.literal(manifestVersion),
  createdBy: z.string(),
  inputRoles: z.array(z.string()).min(1),
  targetRole: z.string(),
  pixelSizeUm: z.number().positive(),
  patch: size,
  minTissue: z.number().min(0).max(1),
  overlap: z.number().min(0).lt(1),
  splitBy: z.enum(['animal', 'slide', 'field']),
  seed: z.number(),
  sharedMaps: z
    .record(z.string(), affineMap)
    .nullable()
    .describe(
      'for fields of one slide: input role to the one map of all of them, fitted on the training fields together; null where each slide has its own',
    ),
  reaches: z
    .record(z.string(), z.number().positive())
    .describe('input role to the multiple of a typical stain that becomes 1 (`stainReach`)'),
  spectra: z
    .record(z.string(), spectrum)
    .describe(
      "input role to the mean of the training slides' spectra, to whose focus every slide is brought; null where one is not known; empty for fields of one slide",
    ),
  targetMap: affineMap.describe('mean and standard deviation over the tissue of the training slides'),
  slides: z.array(slideEntry).min(1),
  windows: z.strictObject({
    train: z.array(windowRow),
    validation: z.array(windowRow),
    calibration: z.array(windowRow),
    test: z.array(windowRow),
  }),
  excluded: z.array(z.strictObject({ slide: z.string(), reason: z.string() })),
});

export type DatasetManifest = z.infer<typeof manifestSchema>;
export type DatasetSlide = z.infer<typeof slideEntry>;
export type WindowRow = z.infer<typeof windowRow>;

/** The manifest's file in a dataset folder. */
function manifestPath(folder: string): string {
  return join(folder, 'dataset.json');
}

/** Writes the manifest atomically; one window a line. */
export async function writeManifest(folder: string, manifest: DatasetManifest): Promise<void> {
  const { windows, ...head } = manifest;
  const rows = splits.map((split) => {
    const lines = windows[split].map((row) => `      ${JSON.stringify(row)}`);
    return `    "${split}": [${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n    `}]`;
  });
  const text = JSON.stringify(head, null, 2).replace(/\n}$/, '');
  await writeFileAtomic(manifestPath(folder), `${text},\n  "windows": {\n${rows.join(',\n')}\n  }\n}\n`);
}

/**
 * Reads and checks a manifest.
 * @throws FileAccessError when the folder holds none, FormatError when it is damaged or of another version
 */
export async function readManifest(folder: string): Promise<DatasetManifest> {
  const path = manifestPath(folder);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new FileAccessError(
      folder,
      `${folder} is not a dataset: expected the file ${path}, which cannot be read. ` +
        'Make a dataset with `hrpn prepare SLIDES... --out DATASET`.',
      { cause },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(path, 'is not valid JSON. Run `hrpn prepare` again.', { cause });
  }
  const version = (json as { version?: unknown } | null)?.version;
  if (version !== manifestVersion) {
    throw new FormatError(
      path,
      `expected dataset version ${manifestVersion}, found ${JSON.stringify(version)}. Run \`hrpn prepare\` again.`,
    );
  }
  const result = manifestSchema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new FormatError(
      path,
      `'${issue.path.join('.')}' is wrong (${issue.message}). Run \`hrpn prepare\` again.`,
    );
  }
  checkReferences(path, result.data);
  return result.data;
}

/** What the schema cannot say: windows point at slides of their own split, every slide has all roles. */
function checkReferences(path: string, manifest: DatasetManifest): void {
  for (const split of splits) {
    for (const [slide, x, y] of manifest.windows[split]) {
      const entry = manifest.slides[slide];
      if (entry === undefined || entry.split !== split || x >= entry.width || y >= entry.height) {
        throw new FormatError(
          path,
          `window ${slide},${x},${y} of '${split}' lies in no slide of it. Run \`hrpn prepare\` again.`,
        );
      }
    }
  }
  for (const slide of manifest.slides) {
    const unshared = Object.entries(manifest.sharedMaps ?? {}).find(
      ([role, map]) => slide.maps[role]?.offset !== map.offset || slide.maps[role].scale !== map.scale,
    );
    if (unshared !== undefined) {
      throw new FormatError(
        path,
        `the map of '${unshared[0]}' of slide '${slide.name}' is not the shared one. Run \`hrpn prepare\` again.`,
      );
    }
    const missing = [...manifest.inputRoles, manifest.targetRole].find(
      (role) => slide.channels[role] === undefined || (role !== manifest.targetRole && !slide.maps[role]),
    );
    if (missing !== undefined) {
      throw new FormatError(
        path,
        `slide '${slide.name}' lacks the role '${missing}'. Run \`hrpn prepare\` again.`,
      );
    }
  }
}
