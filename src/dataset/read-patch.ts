// Reads one patch of a dataset: inputs and target normalised, weights from the tissue mask, turned as asked.
import type { Region } from '../core/raster.ts';
import { type Block, blockPx } from './block-cache.ts';
import type { AffineMap } from './normalisation.ts';
import type { Dataset, OpenDatasetSlide } from './open-dataset.ts';

/** Where a patch is written; each array is row-major and is overwritten whole. */
export interface PatchView {
  /** Edge in pixels. */
  readonly patch: number;
  /** [C, P, P] */
  readonly inputs: Float32Array;
  /** [P, P] */
  readonly target: Float32Array;
  /** [P, P] */
  readonly weight: Float32Array;
}

/** Linear index of patch pixel (x, y) after the turn: base + x * stepX + y * stepY. */
interface Placement {
  readonly base: number;
  readonly stepX: number;
  readonly stepY: number;
}

/**
 * Fills a patch whose upper left corner is at (x, y) of a slide; it may reach over the slide's edges, but not lie
 * wholly outside.
 * @param turn 0 to 7: bit 0 mirrors x, bit 1 mirrors y, bit 2 then exchanges the axes; 0 leaves as it is
 * @param maps of the inputs, then of the target
 * @param missing what inputs get where a pixel is not finite
 * @returns whether any pixel has weight 1
 */
export async function fillPatch(
  view: PatchView,
  dataset: Dataset,
  slideIndex: number,
  x: number,
  y: number,
  turn: number,
  maps: readonly AffineMap[],
  signal?: AbortSignal,
  missing = 0,
): Promise<boolean> {
  const slide = dataset.slides[slideIndex];
  const { patch } = view;
  const endX = Math.min(x + patch, slide.source.width);
  const endY = Math.min(y + patch, slide.source.height);
  const startX = Math.max(0, x);
  const startY = Math.max(0, y);
  const columns = { from: Math.floor(startX / blockPx), to: Math.floor((endX - 1) / blockPx) };
  const rows = { from: Math.floor(startY / blockPx), to: Math.floor((endY - 1) / blockPx) };
  const channels = [...slide.inputChannels, slide.targetChannel];
  const blocks = await dataset.cache.read(slideIndex, slide.source, channels, columns, rows, signal);

  view.inputs.fill(0);
  view.target.fill(0);
  view.weight.fill(0);
  const placement = placementOf(turn, patch);
  fillWeights(view.weight, slide, x, y, endX, endY, placement);
  blocks.forEach((block, b) => {
    const wide = columns.to - columns.from + 1;
    const left = (columns.from + (b % wide)) * blockPx;
    const top = (rows.from + Math.floor(b / wide)) * blockPx;
    const part = {
      left,
      top,
      fromX: Math.max(x, left),
      fromY: Math.max(y, top),
      endX: Math.min(endX, left + block.width),
      endY: Math.min(endY, top + block.height),
    };
    channels.forEach((_, c) => {
      const out =
        c < slide.inputChannels.length
          ? view.inputs.subarray(c * patch * patch, (c + 1) * patch * patch)
          : view.target;
      const instead = c < slide.inputChannels.length ? missing : 0;
      copyPart(out, view.weight, block, c, maps[c], instead, part, x, y, placement);
    });
  });
  return view.weight.includes(1);
}

function placementOf(turn: number, patch: number): Placement {
  const [along, across] = turn & 4 ? [patch, 1] : [1, patch];
  const mirrorX = (turn & 1) !== 0;
  const mirrorY = (turn & 2) !== 0;
  return {
    base: (mirrorX ? (patch - 1) * along : 0) + (mirrorY ? (patch - 1) * across : 0),
    stepX: mirrorX ? -along : along,
    stepY: mirrorY ? -across : across,
  };
}

/** Where in a patch that is turned a rectangle of it comes to lie, which is given as it would lie unturned. */
export function turnedRegion({ x, y, width, height }: Region, turn: number, patch: number): Region {
  const left = turn & 1 ? patch - x - width : x;
  const top = turn & 2 ? patch - y - height : y;
  return turn & 4 ? { x: top, y: left, width: height, height: width } : { x: left, y: top, width, height };
}

interface Part {
  readonly left: number;
  readonly top: number;
  readonly fromX: number;
  readonly fromY: number;
  readonly endX: number;
  readonly endY: number;
}

/** Copies the part of a block that the patch covers. A pixel that is not finite becomes `missing` and loses its weight. */
function copyPart(
  out: Float32Array,
  weight: Float32Array,
  block: Block,
  channel: number,
  map: AffineMap,
  missing: number,
  part: Part,
  x: number,
  y: number,
  { base, stepX, stepY }: Placement,
): void {
  const pixels = block.channels[channel];
  const factor = 1 / map.scale;
  const mayBeMissing = pixels instanceof Float32Array;
  for (let row = part.fromY; row < part.endY; row++) {
    let from = (row - part.top) * block.width + (part.fromX - part.left);
    let to = base + (part.fromX - x) * stepX + (row - y) * stepY;
    for (let column = part.fromX; column < part.endX; column++, from++, to += stepX) {
      const value = pixels[from];
      if (mayBeMissing && !Number.isFinite(value)) {
        weight[to] = 0;
        out[to] = missing;
      } else out[to] = (value - map.offset) * factor;
    }
  }
}

/** The mask's cell under each pixel (nearest). */
function fillWeights(
  weight: Float32Array,
  slide: OpenDatasetSlide,
  x: number,
  y: number,
  endX: number,
  endY: number,
  { base, stepX, stepY }: Placement,
): void {
  const { cellPx, cellsWide, cells } = slide.mask;
  for (let row = Math.max(0, y); row < endY; row++) {
    const cellRow = Math.floor(row / cellPx) * cellsWide;
    const start = base + (row - y) * stepY;
    for (let column = Math.max(0, x); column < endX; ) {
      const cell = Math.floor(column / cellPx);
      const end = Math.min(endX, (cell + 1) * cellPx);
      const value = cells[cellRow + cell];
      for (let to = start + (column - x) * stepX; column < end; column++, to += stepX) weight[to] = value;
    }
  }
}
