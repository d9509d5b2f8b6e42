// One pass over a slide that gathers, per block of tissue and distance to the nearest vessel, all that the spatial
// measures are made from.
import type { PixelSource } from '../core/pixel-source.ts';
import type { WorkOptions } from '../core/progress.ts';
import { channelOf } from '../core/raster.ts';
import { bandsOf, rowsPerBand } from './bands.ts';
import type { BitMask } from './bit-mask.ts';
import { type Components, labelAt } from './components.ts';
import { DistanceMap, wallDistanceUm } from './distance-map.ts';

/** A channel that holds the probe, measured or predicted; all of one size. */
export interface ProbeImage {
  readonly source: PixelSource;
  readonly channel: number;
  /** Taken from areas, vessels and cells pixel by pixel; blocks hold the image as it is, for backgrounds found anew. */
  readonly background?: PixelBackground;
}

/** Stored units. */
export interface PixelBackground {
  readonly inVessel: number;
  /** By bin of distance to the nearest wall. */
  readonly at: (bin: number) => number;
}

export interface SpaceInput {
  readonly probes: readonly ProbeImage[];
  readonly tissue: BitMask;
  /** Tissue away from glass, where profile and cells are measured: the rim of a tissue mask is dark and far from vessels. */
  readonly solid: BitMask;
  readonly vessels: BitMask;
  readonly nuclei?: BitMask;
  /** The vessels one by one, for what lies around each. */
  readonly objects: Components;
  readonly pixelSizeUm: number;
  /** Edge of the squares that the bootstrap draws. */
  readonly blockUm: number;
  /** Edge of the cells that hot spots are looked for on. */
  readonly cellUm: number;
  /** Tissue nearer than this to a wall is neither vessel nor extravascular: the vessel's own light is blurred into it. */
  readonly beyondUm: number;
  /** How far around a vessel its own surroundings reach. */
  readonly aroundUm: number;
  /** Rows a band; for tests, the result does not depend on it. */
  readonly bandRows?: number;
}

/** Width of a bin of distance, um; the last one takes all that is farther. */
export const binUm = 1;
export const distanceBins = 250;

/** Sums of one block of tissue. Arrays hold one entry a bin of distance to the nearest wall; bin 0 begins at it. */
export interface BlockSums {
  /** Solid extravascular pixels whose nearest vessel is nearer than the slide's border: their distance is certain. */
  readonly pixels: Float64Array;
  /** Of those, the sum of distances to the wall, um. */
  readonly distance: Float64Array;
  /** Of those, the sum of each probe. */
  readonly probe: readonly Float64Array[];
  /** Solid pixels by their distance to the slide's border, for the correction of what it hides. */
  readonly border: Float64Array;
}

/** Sums over one kind of tissue, the probe above background. */
export interface AreaSums {
  pixels: number;
  readonly probe: number[];
}

/** Parts of the tissue; the first five fill it, the last two cut across the extravascular ones. */
export const areaNames = [
  'vessel',
  '0-10 um',
  '10-25 um',
  '25-50 um',
  'rest',
  'nuclear',
  'extranuclear',
] as const;
export type AreaName = (typeof areaNames)[number];

/** Sums around each vessel object, up to `aroundUm` from its wall, the probe above background. */
export interface VesselSums {
  readonly inside: Float64Array;
  readonly insidePixels: Float64Array;
  /** Within 10 um of the wall (beyond `beyondUm`). */
  readonly near: Float64Array;
  readonly nearPixels: Float64Array;
  readonly around: Float64Array;
  readonly aroundPixels: Float64Array;
  /** Sum of probe times distance over the same. */
  readonly aroundMoment: Float64Array;
}

export interface SpaceSums {
  readonly blocks: readonly BlockSums[];
  readonly blocksWide: number;
  /** Edge of a block, um. */
  readonly blockUm: number;
  readonly areas: Readonly<Record<AreaName, AreaSums>>;
  /** One set a probe. */
  readonly vessels: readonly VesselSums[];
  /** Solid extravascular tissue on cells, row-major: pixels, their distances to the nearest wall (um) and each probe above background, summed. */
  readonly cells: {
    readonly wide: number;
    readonly high: number;
    readonly edgePx: number;
    readonly pixels: Float64Array;
    readonly distance: Float64Array;
    readonly probe: readonly Float64Array[];
  };
  readonly tissuePixels: number;
  /** Whether it was known what is nuclear. */
  readonly hasNuclei: boolean;
  /** Distance of all tissue outside vessels to the nearest wall, um. */
  readonly meanDistanceUm: number;
}

/** Outer ends of the perivascular parts, um. */
const bandEnds = [10, 25, 50] as const;

/**
 * Reads every probe once. Pixels that are not finite in any probe count nowhere. Sums are in the order of pixels,
 * so the result is the same to the last bit whatever the size of bands.
 */
export async function sumSpace(input: SpaceInput, work: WorkOptions = {}): Promise<SpaceSums> {
  const { probes, tissue, solid, vessels, nuclei, objects, pixelSizeUm } = input;
  const { width, height } = tissue;
  const kinds = probes.length;
  const blockPx = Math.max(1, Math.round(input.blockUm / pixelSizeUm));
  const cellPx = Math.max(1, Math.round(input.cellUm / pixelSizeUm));
  const blocksWide = Math.ceil(width / blockPx);
  const blocks = Array.from({ length: blocksWide * Math.ceil(height / blockPx) }, () => emptyBlock(kinds));
  const areas = Object.fromEntries(
    areaNames.map((name) => [name, { pixels: 0, probe: new Array<number>(kinds).fill(0) }]),
  ) as Record<AreaName, AreaSums>;
  const perVessel = probes.map(() => emptyVessels(objects.count));
  const wide = Math.ceil(width / cellPx);
  const high = Math.ceil(height / cellPx);
  const cells = {
    wide,
    high,
    edgePx: cellPx,
    pixels: new Float64Array(wide * high),
    distance: new Float64Array(wide * high),
    probe: probes.map(() => new Float64Array(wide * high)),
  };
  let tissuePixels = 0;
  let [distanceSum, distanceCount] = [0, 0];

  const rows = input.bandRows ?? Math.min(256, rowsPerBand(width, 2 * kinds + 6));
  const distances = new DistanceMap(vessels);
  const squared = new Float64Array(rows * width);
  const nearest = new Float64Array(rows * width);
  const inTissue = new Uint8Array(width);
  const inSolid = new Uint8Array(width);
  const inVessel = new Uint8Array(width);
  const inNucleus = new Uint8Array(width);
  const values = new Array<number>(kinds).fill(0);
  const above = new Array<number>(kinds).fill(0);
  const others = probes
    .slice(1)
    .map(({ source, channel }) => bandsOf(source, [channel], { rows, signal: work.signal }));
  for await (const band of bandsOf(probes[0].source, [probes[0].channel], { rows, signal: work.signal })) {
    const planes = [channelOf(band.raster, 0)];
    for (const each of others) planes.push(channelOf((await each.next()).value.raster, 0));
    distances.squared(band.y, band.height, squared, nearest);
    for (let r = 0; r < band.height; r++) {
      const y = band.y + r;
      tissue.readRow(y, inTissue);
      solid.readRow(y, inSolid);
      vessels.readRow(y, inVessel);
      nuclei?.readRow(y, inNucleus);
      const blockRow = Math.floor(y / blockPx) * blocksWide;
      const cellRow = Math.floor(y / cellPx) * wide;
      const edgeY = Math.min(y, height - 1 - y) + 0.5;
      let [heldIndex, heldLabel] = [-1, -1];
      for (let x = 0; x < width; x++) {
        if (inTissue[x] === 0) continue;
        const at = r * width + x;
        let finite = true;
        for (let p = 0; p < kinds; p++) {
          values[p] = planes[p][at];
          if (!(Math.abs(values[p]) < Infinity)) finite = false;
        }
        if (!finite) continue;
        tissuePixels++;
        const block = blocks[blockRow + Math.floor(x / blockPx)];
        const borderUm = Math.min(edgeY, x + 0.5, width - 0.5 - x) * pixelSizeUm;
        if (inSolid[x] === 1) block.border[Math.min(distanceBins - 1, Math.floor(borderUm / binUm))]++;
        if (nearest[at] !== heldIndex) {
          heldIndex = nearest[at];
          heldLabel = heldIndex < 0 ? -1 : labelAt(objects, heldIndex % width, Math.floor(heldIndex / width));
        }
        if (inVessel[x] === 1) {
          for (let p = 0; p < kinds; p++) above[p] = values[p] - (probes[p].background?.inVessel ?? 0);
          addArea(areas.vessel, above);
          for (let p = 0; p < kinds; p++) {
            perVessel[p].inside[heldLabel] += above[p];
            perVessel[p].insidePixels[heldLabel]++;
          }
          continue;
        }
        const um = wallDistanceUm(squared[at], pixelSizeUm);
        const part = um <= bandEnds[0] ? 1 : um <= bandEnds[1] ? 2 : um <= bandEnds[2] ? 3 : 4;
        const bin = Math.min(distanceBins - 1, Math.floor(um / binUm));
        for (let p = 0; p < kinds; p++) above[p] = values[p] - (probes[p].background?.at(bin) ?? 0);
        addArea(areas[areaNames[part]], above);
        addArea(inNucleus[x] === 1 ? areas.nuclear : areas.extranuclear, above);
        if (um < Infinity) {
          distanceSum += um;
          distanceCount++;
        }
        if (um <= input.beyondUm || inSolid[x] === 0) continue;
        const cell = cellRow + Math.floor(x / cellPx);
        cells.pixels[cell]++;
        cells.distance[cell] += um;
        for (let p = 0; p < kinds; p++) cells.probe[p][cell] += above[p];
        if (um <= input.aroundUm) {
          for (let p = 0; p < kinds; p++) {
            const own = perVessel[p];
            own.around[heldLabel] += above[p];
            own.aroundPixels[heldLabel]++;
            own.aroundMoment[heldLabel] += um * above[p];
            if (um > bandEnds[0]) continue;
            own.near[heldLabel] += above[p];
            own.nearPixels[heldLabel]++;
          }
        }
        if (um > borderUm) continue;
        block.pixels[bin]++;
        block.distance[bin] += um;
        for (let p = 0; p < kinds; p++) block.probe[p][bin] += values[p];
      }
    }
    work.onProgress?.({ stage: 'measuring', done: band.y + band.height, total: height });
  }
  return {
    blocks,
    blocksWide,
    blockUm: input.blockUm,
    areas,
    vessels: perVessel,
    cells,
    tissuePixels,
    hasNuclei: nuclei !== undefined,
    meanDistanceUm: distanceSum / distanceCount,
  };
}

function addArea(area: AreaSums, values: readonly number[]): void {
  area.pixels++;
  for (let p = 0; p < values.length; p++) area.probe[p] += values[p];
}

export function emptyBlock(kinds: number): BlockSums {
  const bins = (): Float64Array => new Float64Array(distanceBins);
  return { pixels: bins(), distance: bins(), probe: Array.from({ length: kinds }, bins), border: bins() };
}

function emptyVessels(count: number): VesselSums {
  const each = (): Float64Array => new Float64Array(count);
  return {
    inside: each(),
    insidePixels: each(),
    near: each(),
    nearPixels: each(),
    around: each(),
    aroundPixels: each(),
    aroundMoment: each(),
  };
}
