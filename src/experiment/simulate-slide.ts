// One simulated slide and its truth, written tile by tile.
import { appendFile, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SimulateCeilings } from '../contract/simulate.ts';
import { writeFailure, writeFileAtomic } from '../core/atomic-file.ts';
import { FileAccessError, throwIfCancelled } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { createRaster, type Region } from '../core/raster.ts';
import { version } from '../core/version.ts';
import { createOmeTiff, type SlideDescription, type SlideSink } from '../slide/create-ome-tiff.ts';
import { openSlide } from '../slide/open-slide.ts';
import { BitMask } from '../spatial/bit-mask.ts';
import { DistanceMap } from '../spatial/distance-map.ts';
import { addSums, ceilingOf, emptySums, type TileSums } from '../tissue/ceilings.ts';
import type { SlideModel } from '../tissue/slide-model.ts';
import { type Tile, tilesOf, type VesselTruth } from '../tissue/tile.ts';
import type { TilePlace, TilePool } from '../tissue/tile-pool.ts';

/** Where one slide and its truth go. */
export interface SlidePlace {
  readonly name: string;
  readonly path: string;
  readonly truthPath: string;
}

export interface SimulateSlideOptions {
  readonly place: SlidePlace;
  readonly model: SlideModel;
  /** For truth.json. */
  readonly about: Readonly<Record<string, unknown>>;
  readonly pool: TilePool;
  /** Whether vessels, nuclei and distances are written too. */
  readonly isFull: boolean;
  /** Whether to go on with an interrupted run of the same model; without one, all that is there is replaced. */
  readonly resume: boolean;
  readonly label: string;
}

/** What is remembered of a finished tile beside its pixels, for truth.json. */
interface TileRecord {
  readonly tileX: number;
  readonly tileY: number;
  readonly sums: TileSums;
  readonly vessels: readonly VesselTruth[];
}

const channels = [
  { name: 'CD31 (vessel)', role: 'vessel', color: 0xff0000 },
  { name: 'DAPI (nuclei)', role: 'nuclei', color: 0x4060ff },
  { name: 'QD (probe)', role: 'probe', color: 0x00ff00 },
] as const;

/** The model and the finished tiles of a slide that is being made; a finished slide has none. */
export function journalOf({ truthPath }: SlidePlace): string {
  return join(truthPath, 'tiles.jsonl');
}

/** The images that a slide's truth consists of. */
export function truthImagesOf({ truthPath }: SlidePlace, isFull: boolean): string[] {
  const names = isFull ? ['expected', 'vessels', 'nuclei', 'distance'] : ['expected'];
  return names.map((name) => join(truthPath, `${name}.ome.tif`));
}

/** @throws WriteError, FileAccessError, CancelledError (what is written stays for `resume`) */
export async function simulateSlide(
  options: SimulateSlideOptions,
  work: WorkOptions,
): Promise<SimulateCeilings> {
  const { place, model, isFull, resume } = options;
  const journal = journalOf(place);
  const known = resume ? await readJournal(journal, model) : new Map<string, TileRecord>();
  // Else files of another slide would pass for those that the interrupted run had completed.
  if (known.size === 0) await clear(place);
  // Written anew: a record behind a torn line would be lost with it.
  await writeFileAtomic(
    journal,
    [model, ...known.values()].map((line) => `${JSON.stringify(line)}\n`).join(''),
  );

  const sinks = await openSinks(options, known.size > 0);
  try {
    const all = tilesOf(model);
    const missing = all.filter(({ tileX, tileY }) => {
      const region = regionOf(model, tileX, tileY);
      return !known.has(`${tileX},${tileY}`) || !Object.values(sinks).every((sink) => sink.isWritten(region));
    });
    let done = all.length - missing.length;
    const report = (): void =>
      work.onProgress?.({ stage: `simulating ${options.label}`, done, total: all.length });
    report();
    const use = async (tile: Tile, { tileX, tileY }: TilePlace): Promise<void> => {
      await writeTile(sinks, tile);
      const record: TileRecord = { tileX, tileY, sums: tile.sums, vessels: tile.vesselsSeen };
      if (!known.has(`${tileX},${tileY}`)) {
        await appendFile(journal, `${JSON.stringify(record)}\n`).catch((cause) => {
          throw writeFailure(journal, cause);
        });
      }
      known.set(`${tileX},${tileY}`, record);
      done++;
      report();
    };
    await options.pool.make(model, missing, use, () => work.signal?.aborted ?? false);
    throwIfCancelled(work.signal, 'the simulation');
    for (const sink of Object.values(sinks)) await sink.finish();
    if (isFull) await writeDistance(options, work);
    const ceilings = await writeTruth(options, all, known);
    await rm(journal, { force: true });
    return ceilings;
  } catch (error) {
    for (const sink of Object.values(sinks)) await sink.suspend().catch(() => {});
    throw error;
  }
}

/** Sinks of the images that are written tile by tile. */
async function openSinks(
  options: SimulateSlideOptions,
  isContinued: boolean,
): Promise<Record<string, SlideSink>> {
  const { place, model, isFull } = options;
  const describe = (
    names: SlideDescription['channels'],
    sampleType: SlideDescription['sampleType'],
    description: string,
  ): SlideDescription => ({
    width: model.widthPx,
    height: model.heightPx,
    channels: names,
    sampleType,
    pixelSizeUm: model.pixelSizeUm,
    description,
    annotations: { simulatedBy: `hrpn ${version}`, ...asText(options.about) },
  });
  const files: [string, string, SlideDescription][] = [
    ['image', place.path, describe(channels, model.sampleType, 'simulated tumour section')],
    [
      'expected',
      join(place.truthPath, 'expected.ome.tif'),
      describe([channels[2]], 'float32', 'probe without noise, in the grey levels of the slide'),
    ],
  ];
  if (isFull) {
    files.push(
      [
        'vessels',
        join(place.truthPath, 'vessels.ome.tif'),
        describe([{ name: 'vessel id' }], 'float32', 'id of the vessel in truth.json, 0 outside vessels'),
      ],
      [
        'nuclei',
        join(place.truthPath, 'nuclei.ome.tif'),
        describe([{ name: 'nucleus id' }], 'float32', 'a number for each nucleus, 0 outside nuclei'),
      ],
    );
  }
  const sinks: Record<string, SlideSink> = {};
  for (const [name, path, slide] of files) {
    const isComplete = isContinued && (await stat(path).catch(() => undefined)) !== undefined;
    sinks[name] = isComplete ? completeSink : await createOmeTiff(path, slide, { resume: isContinued });
  }
  return sinks;
}

/** Stands for a file that an interrupted run had completed. */
const completeSink: SlideSink = {
  write: async () => {},
  finish: async () => {},
  abort: async () => {},
  suspend: async () => {},
  isWritten: () => true,
};

function asText(about: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(about).map(([key, value]) => [key, String(value)]));
}

async function writeTile(sinks: Record<string, SlideSink>, tile: Tile): Promise<void> {
  const { x, y, width, height } = tile;
  const planes: Record<string, Float32Array> = {
    image: tile.image,
    expected: tile.expected,
    vessels: tile.vessels,
    nuclei: tile.nuclei,
  };
  await Promise.all(
    Object.entries(sinks).map(([name, sink]) => {
      const data = planes[name];
      return sink.write(x, y, createRaster(data.length / (width * height), height, width, data));
    }),
  );
}

/** Distance to the nearest pixel of any vessel, um, from the written vessels: exact over the whole slide. */
async function writeDistance({ place, model }: SimulateSlideOptions, work: WorkOptions): Promise<void> {
  const path = join(place.truthPath, 'distance.ome.tif');
  const { widthPx: width, heightPx: height, pixelSizeUm } = model;
  const mask = new BitMask(width, height);
  const rows = 512;
  const source = await openSlide(join(place.truthPath, 'vessels.ome.tif'));
  try {
    for (let y = 0; y < height; y += rows) {
      const part = { x: 0, y, width, height: Math.min(rows, height - y) };
      const { data } = await source.read(part, [0], { signal: work.signal });
      for (let j = 0; j < part.height; j++) mask.writeRow(y + j, data, j * width);
    }
  } finally {
    await source.close();
  }
  const distances = new DistanceMap(mask);
  const sink = await createOmeTiff(path, {
    width,
    height,
    channels: [{ name: 'distance to vessel (um)' }],
    sampleType: 'float32',
    pixelSizeUm,
    description: 'distance to the nearest vessel pixel, um; 0 on vessels',
  });
  try {
    for (let y = 0; y < height; y += rows) {
      throwIfCancelled(work.signal, 'the simulation');
      const high = Math.min(rows, height - y);
      await sink.write(0, y, createRaster(1, high, width, distances.um(y, high, pixelSizeUm)));
    }
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** truth.json, last: a slide that has it is complete. */
async function writeTruth(
  { place, model, about }: SimulateSlideOptions,
  order: readonly TilePlace[],
  known: ReadonlyMap<string, TileRecord>,
): Promise<SimulateCeilings> {
  // In the order of the tiles, whichever thread was first: sums of floats depend on it.
  const records = order.map(({ tileX, tileY }) => known.get(`${tileX},${tileY}`)!);
  const sums = emptySums();
  const vessels = new Map<number, VesselTruth>();
  for (const record of records) {
    addSums(sums, record.sums);
    for (const vessel of record.vessels) vessels.set(vessel.id, vessel);
  }
  const tissue = ceilingOf(sums.tissue);
  const extravascular = ceilingOf(sums.extravascular);
  const ceilings: SimulateCeilings = {
    noise: tissue.noise.r2,
    visible: tissue.visible.r2,
    noiseExtravascular: extravascular.noise.r2,
    visibleExtravascular: extravascular.visible.r2,
    noiseMse: tissue.noise.mse,
    visibleMse: tissue.visible.mse,
    noiseExtravascularMse: extravascular.noise.mse,
    visibleExtravascularMse: extravascular.visible.mse,
  };
  const truth = {
    simulatedBy: `hrpn ${version}`,
    ...about,
    ceilings,
    probeSd: { tissue: tissue.sd, extravascular: extravascular.sd },
    pixels: { tissue: tissue.pixels, extravascular: extravascular.pixels },
    model,
    vessels: [...vessels.values()].sort((a, b) => a.id - b.id),
  };
  await writeFileAtomic(
    join(place.truthPath, 'truth.json'),
    `${JSON.stringify(truth, null, 1)}
`,
  );
  return ceilings;
}

function regionOf({ tilePx, widthPx, heightPx }: SlideModel, tileX: number, tileY: number): Region {
  const x = tileX * tilePx;
  const y = tileY * tilePx;
  return { x, y, width: Math.min(tilePx, widthPx - x), height: Math.min(tilePx, heightPx - y) };
}

/** '' where there is none. @throws FileAccessError */
async function journalText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw new FileAccessError(path, `${path} cannot be read (${cause.code}). Check its permissions.`, {
      cause,
    });
  });
}

/** Whether an interrupted run left tiles of a slide of other options. @throws FileAccessError */
export async function isOfAnother(place: SlidePlace, model: SlideModel): Promise<boolean> {
  const [head] = (await journalText(journalOf(place))).split('\n');
  return head !== '' && head !== JSON.stringify(model);
}

/** Finished tiles of an interrupted run; none where it was of another model. Torn lines are left out. */
async function readJournal(path: string, model: SlideModel): Promise<Map<string, TileRecord>> {
  const records = new Map<string, TileRecord>();
  const [head, ...lines] = (await journalText(path)).split('\n');
  if (head !== JSON.stringify(model)) return records;
  for (const line of lines) {
    try {
      const record: TileRecord = JSON.parse(line);
      records.set(`${record.tileX},${record.tileY}`, record);
    } catch {
      // With several threads others may have written behind a line that a full disk tore.
    }
  }
  return records;
}

/** Removes a slide and its truth. */
async function clear(place: SlidePlace): Promise<void> {
  // The journal first: images that are left when this is interrupted must not pass for the work of its run.
  for (const path of [journalOf(place), place.path, place.truthPath]) {
    await rm(path, { recursive: path !== place.path, force: true }).catch((cause) => {
      throw writeFailure(path, cause);
    });
  }
}
