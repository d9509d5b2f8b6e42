// Batches of patches for training and validation, each a pure function of the seed and the step.
import { DataError } from '../core/errors.ts';
import { cropRaster } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { type Augmentation, changeIntensities, rotatePatch, rotationSquare } from './augment.ts';
import type { WindowRow } from './manifest.ts';
import { identityMap } from './normalisation.ts';
import type { Dataset } from './open-dataset.ts';
import { createWindowSampler, jitterPosition } from './patch-sampling.ts';
import { fillPatch, type PatchView, turnedRegion } from './read-patch.ts';
import { refocus, refocusReach } from './refocus.ts';
import type { Split } from './split.ts';
import { gridWindows } from './windows.ts';

export type { Augmentation } from './augment.ts';

export interface PatchStreamOptions {
  readonly split: Split;
  /** Patches a batch. */
  readonly batch: number;
  /** Edge in pixels; the dataset's unless given. */
  readonly patch?: number;
  /** 0 unless given. */
  readonly seed?: number;
  /** true: flips and turns only. Off unless given. */
  readonly augment?: boolean | Augmentation;
  /** Moves each window by up to half a patch along both axes. Off unless given. */
  readonly jitter?: boolean;
  /** false: inputs and target in stored units, for a network that is defined on raw intensities. */
  readonly normalized?: boolean;
  /** Draws half of the patches evenly over the range of mean target intensity. Off unless given. */
  readonly balance?: boolean;
}

/** One batch, N = batch size, C = input roles, P = patch edge. */
export interface Batch {
  /** [N, C, P, P], normalised by each slide's maps and brought to one focus (unless `normalized: false`); 0 outside the slide and where a pixel is not finite. */
  readonly inputs: Float32Array;
  /** [N, 1, P, P], normalised by the target's map (likewise); 0 outside the slide and where a pixel is not finite. */
  readonly target: Float32Array;
  /** [N, 1, P, P], 1 where the pixel counts (tissue, inside the slide, finite), else 0. */
  readonly weight: Float32Array;
  readonly shape: {
    readonly batch: number;
    readonly inputs: number;
    readonly height: number;
    readonly width: number;
  };
  /** How many of the N patches are real; the rest of a last, short batch is all zeros with weight 0. */
  readonly count: number;
}

export interface PatchStream {
  readonly stepsPerEpoch: number;
  /** How many windows there are. */
  readonly windows: number;
  /**
   * The batch of a step, counted from 0 over all epochs. The same seed and step give the same batch whatever was
   * loaded before.
   */
  load(step: number, signal?: AbortSignal): Promise<Batch>;
}

/**
 * Training: call with `augment` or `jitter` (or `balance`); every window comes once in each run of as many patches
 * as there are windows, in an order drawn anew each time. Evaluation: none of them; windows come in their order, the last batch is
 * filled up with empty patches, and a pixel covered by several windows has weight 1 in the first one only, so that
 * sums over an epoch count every tissue pixel once.
 * @throws DataError when the split has no window
 */
export function createPatchStream(dataset: Dataset, options: PatchStreamOptions): PatchStream {
  const { split, batch, seed = 0, jitter = false, balance = false } = options;
  const patch = options.patch ?? dataset.manifest.patch;
  const augmentation = augmentationOf(options.augment);
  const windows = windowsOf(dataset, split, patch);
  if (windows.length === 0) {
    const remedy =
      patch !== dataset.manifest.patch && dataset.manifest.windows[split].length > 0
        ? `With --patch ${patch} none holds enough tissue; take a smaller one (the dataset's own is ${dataset.manifest.patch}).`
        : split === 'train'
          ? 'Run `hrpn prepare` with slides that hold more tissue.'
          : `Run \`hrpn prepare\` with --${split} SLIDE.`;
    throw new DataError(`the dataset ${dataset.folder} has no patches for ${split}. ${remedy}`);
  }
  const sampler =
    jitter || balance || augmentation !== undefined ? createWindowSampler(windows, seed, balance) : undefined;
  const earlier = sampler === undefined ? overlappingEarlier(windows, patch) : [];
  const stepsPerEpoch = Math.ceil(windows.length / batch);
  const inputs = dataset.manifest.inputRoles.length;
  const plane = patch * patch;
  const mapsOf = dataset.slides.map(({ inputMaps }) => {
    const maps = [...inputMaps, dataset.manifest.targetMap];
    return options.normalized === false ? maps.map(() => identityMap) : maps;
  });
  const focusOf = dataset.slides.map(({ focus }) =>
    options.normalized === false ? focus.map(() => 0) : focus,
  );

  /** @returns whether any pixel of the patch has weight 1 */
  const fill = async (
    view: PatchView,
    { slide, x, y, turn = 0, angle = 0 }: Place,
    signal: AbortSignal | undefined,
  ): Promise<boolean> => {
    const reach = refocusReach(focusOf[slide]);
    if (angle === 0 && reach === 0) {
      return fillPatch(view, dataset, slide, x, y, turn, mapsOf[slide], signal);
    }
    const square = emptyView((angle === 0 ? patch : rotationSquare(patch)) + 2 * reach, inputs);
    const margin = (square.patch - patch) / 2;
    const [left, top] = [x - margin, y - margin];
    await fillPatch(square, dataset, slide, left, top, turn, mapsOf[slide], signal, Number.NaN);
    refocusInside(square, focusOf[slide], dataset.slides[slide].source, left, top, turn);
    if (angle === 0) cropPatch(square, view);
    else rotatePatch(square, view, angle);
    return view.weight.includes(1);
  };

  return {
    stepsPerEpoch,
    windows: windows.length,
    async load(step, signal) {
      const first = sampler === undefined ? (step % stepsPerEpoch) * batch : step * batch;
      const out: Batch = {
        inputs: new Float32Array(batch * inputs * plane),
        target: new Float32Array(batch * plane),
        weight: new Float32Array(batch * plane),
        shape: { batch, inputs, height: patch, width: patch },
        count: sampler === undefined ? Math.min(batch, windows.length - first) : batch,
      };
      for (let i = 0; i < out.count; i++) {
        const view: PatchView = {
          patch,
          inputs: out.inputs.subarray(i * inputs * plane, (i + 1) * inputs * plane),
          target: out.target.subarray(i * plane, (i + 1) * plane),
          weight: out.weight.subarray(i * plane, (i + 1) * plane),
        };
        if (sampler === undefined) {
          const [slide, x, y] = windows[first + i];
          await fill(view, { slide, x, y }, signal);
          for (const other of earlier[first + i]) clearOverlap(view.weight, patch, other.x - x, other.y - y);
          continue;
        }
        const rng = new Rng(seed).fork('patch', first + i);
        const [slide, x, y] = windows[sampler.windowOf(first + i, rng)];
        const { width, height } = dataset.slides[slide].source;
        const turn = augmentation?.flips ? rng.integer(8) : 0;
        const atX = jitter ? jitterPosition(x, width, patch, rng) : x;
        const atY = jitter ? jitterPosition(y, height, patch, rng) : y;
        // Right-angle turns, where they are drawn, do the rest of the circle.
        const most = augmentation?.flips ? Math.PI / 2 : 2 * Math.PI;
        const angle = augmentation?.rotate ? rng.uniform(0, most) : 0;
        // A window moved off the tissue teaches nothing; the grid's own always holds some.
        const moved = await fill(view, { slide, x: atX, y: atY, turn, angle }, signal);
        if (!moved) await fill(view, { slide, x, y, turn, angle }, signal);
        if (augmentation !== undefined) changeIntensities(view, augmentation, rng);
      }
      return out;
    },
  };
}

interface Place {
  readonly slide: number;
  readonly x: number;
  readonly y: number;
  readonly turn?: number;
  /** Radians. */
  readonly angle?: number;
}

/**
 * Brings the inputs of a patch to another focus: of what lies inside the slide, so that its edges are mirrored as in a prediction.
 * Pixels that are NaN become 0.
 */
function refocusInside(
  view: PatchView,
  focus: readonly number[],
  slide: { readonly width: number; readonly height: number },
  left: number,
  top: number,
  turn: number,
): void {
  const { patch, inputs } = view;
  const [x, y] = [Math.max(0, -left), Math.max(0, -top)];
  const region = turnedRegion(
    {
      ...{ x, y },
      width: Math.min(patch, slide.width - left) - x,
      height: Math.min(patch, slide.height - top) - y,
    },
    turn,
    patch,
  );
  focus.forEach((variance, c) => {
    const plane = inputs.subarray(c * patch ** 2, (c + 1) * patch ** 2);
    if (variance !== 0) {
      const inside = cropRaster({ channels: 1, width: patch, height: patch, data: plane }, region);
      refocus(inside.data, region.width, region.height, variance);
      for (let row = 0; row < region.height; row++) {
        const line = inside.data.subarray(row * region.width, (row + 1) * region.width);
        plane.set(line, (region.y + row) * patch + region.x);
      }
    }
    for (let i = 0; i < plane.length; i++) if (Number.isNaN(plane[i])) plane[i] = 0;
  });
}

/** Copies the middle of a larger square. */
function cropPatch(from: PatchView, to: PatchView): void {
  const margin = (from.patch - to.patch) / 2;
  const copy = (source: Float32Array, target: Float32Array): void => {
    for (let row = 0; row < target.length / to.patch; row++) {
      const channel = Math.floor(row / to.patch);
      const start = (channel * from.patch + (row % to.patch) + margin) * from.patch + margin;
      target.set(source.subarray(start, start + to.patch), row * to.patch);
    }
  };
  copy(from.inputs, to.inputs);
  copy(from.target, to.target);
  copy(from.weight, to.weight);
}

function emptyView(patch: number, inputs: number): PatchView {
  const plane = patch * patch;
  return {
    patch,
    inputs: new Float32Array(inputs * plane),
    target: new Float32Array(plane),
    weight: new Float32Array(plane),
  };
}

function augmentationOf(augment: boolean | Augmentation | undefined): Augmentation | undefined {
  if (typeof augment === 'object') return augment;
  return augment ? { flips: true, gain: 0, offset: 0 } : undefined;
}

/** Windows of a split at a patch size. */
export function countWindows(dataset: Dataset, split: Split, patch: number): number {
  return windowsOf(dataset, split, patch).length;
}

/** The manifest's windows, or for another patch size a new grid over the same slides. */
function windowsOf({ manifest, slides }: Dataset, split: Split, patch: number): readonly WindowRow[] {
  const prepared = manifest.windows[split];
  if (patch === manifest.patch) return prepared;
  return slides.flatMap(({ entry, mask }, index) => {
    if (entry.split !== split) return [];
    const near = prepared.filter((row) => row[0] === index);
    const { windows } = gridWindows(entry.width, entry.height, patch, mask, manifest);
    return windows.map(({ x, y, tissue }): WindowRow => {
      const shift = (patch - manifest.patch) / 2;
      const distance = (row: WindowRow): number => Math.hypot(row[1] - x - shift, row[2] - y - shift);
      const nearest = near.reduce<WindowRow | undefined>(
        (best, row) => (best === undefined || distance(row) < distance(best) ? row : best),
        undefined,
      );
      return [index, x, y, tissue, nearest?.[4] ?? manifest.targetMap.offset];
    });
  });
}

/** For each window, the windows before it in the same slide that overlap it. */
function overlappingEarlier(windows: readonly WindowRow[], patch: number): { x: number; y: number }[][] {
  // Windows come row by row, so the search ends at the first row too far up.
  return windows.map(([slide, x, y], i) => {
    const found: { x: number; y: number }[] = [];
    for (let j = i - 1; j >= 0 && windows[j][0] === slide && windows[j][2] > y - patch; j--) {
      const [, otherX, otherY] = windows[j];
      if (Math.abs(otherX - x) < patch) found.push({ x: otherX, y: otherY });
    }
    return found;
  });
}

/** Sets weights to 0 where a patch displaced by (dx, dy) covers this one. */
function clearOverlap(weight: Float32Array, patch: number, dx: number, dy: number): void {
  const fromX = Math.max(0, dx);
  const endX = Math.min(patch, patch + dx);
  for (let y = Math.max(0, dy); y < Math.min(patch, patch + dy); y++) {
    weight.fill(0, y * patch + fromX, y * patch + endX);
  }
}
