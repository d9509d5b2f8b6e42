// What may be changed about a training patch. Everything is drawn from the patch's own stream of random numbers.
import { UsageError } from '../core/errors.ts';
import type { Rng } from '../core/rng.ts';
import type { PatchView } from './read-patch.ts';
import { refocus } from './refocus.ts';

/**
 * Inputs and target always turn together; intensities and sharpness change in the inputs only, one draw a channel.
 * What is left out is off.
 */
export interface Augmentation {
  /** Flips and turns by right angles, each of the eight equally often. No value changes. */
  readonly flips: boolean;
  /**
   * Turns by any angle besides, around the patch's centre, bilinear. Smooths inputs and target a little, as a
   * prediction never sees.
   */
  readonly rotate?: boolean;
  /** Standard deviation of the logarithm of a gain on the normalised values; 0 for none. */
  readonly gain: number;
  /** Standard deviation of an offset, in the units that the network sees; 0 for none. */
  readonly offset: number;
  /**
   * Change of focus: the variance of the point spread becomes greater or smaller by up to this squared (in pixels), drawn
   * evenly. Slides of another day are as often sharper as softer.
   */
  readonly focusPx?: number;
}

/**
 * Reads what `--augment` takes: `none`, or some of `flips`, `rotate`, `gain=SD`, `offset=SD`, `focus=PX` with commas
 * between them.
 * @throws UsageError for anything else
 */
export function parseAugmentation(text: string): Augmentation {
  const found = { flips: false, rotate: false, gain: 0, offset: 0, focusPx: 0 };
  if (text.trim() === 'none') return found;
  for (const part of text.split(',').map((item) => item.trim())) {
    const [name, value, ...more] = part.split('=');
    const amount = Number(value);
    const isAmount = value?.trim() !== '' && amount > 0 && Number.isFinite(amount) && more.length === 0;
    if (name === 'flips' && value === undefined) found.flips = true;
    else if (name === 'rotate' && value === undefined) found.rotate = true;
    else if (name === 'gain' && isAmount) found.gain = amount;
    else if (name === 'offset' && isAmount) found.offset = amount;
    else if (name === 'focus' && isAmount) found.focusPx = amount;
    else {
      throw new UsageError(
        `--augment: expected 'none' or some of flips, rotate, gain=SD, offset=SD, focus=PX with commas between them and amounts above 0, found '${part}'.`,
      );
    }
  }
  return found;
}

/** The one way to write an augmentation that `parseAugmentation` reads. */
export function augmentationText({ flips, rotate, gain, offset, focusPx = 0 }: Augmentation): string {
  const parts = [
    flips ? 'flips' : '',
    rotate ? 'rotate' : '',
    gain > 0 ? `gain=${gain}` : '',
    offset > 0 ? `offset=${offset}` : '',
    focusPx > 0 ? `focus=${focusPx}` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'none' : parts.join(',');
}

/** Edge of the square to be read so that a patch turned by any angle lies inside it; even as the patch is. */
export function rotationSquare(patch: number): number {
  return 2 * Math.ceil(patch * Math.SQRT1_2 + 1);
}

/**
 * Fills a patch with the middle of a larger square, turned by an angle (in radians, clockwise on the screen).
 * A pixel keeps its weight only if all it is interpolated from counts.
 */
export function rotatePatch(from: PatchView, to: PatchView, angle: number): void {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const { patch } = to;
  const edge = from.patch;
  const plane = patch * patch;
  const channels = to.inputs.length / plane;
  const planes = Array.from({ length: channels }, (_, c) => ({
    source: from.inputs.subarray(c * edge * edge, (c + 1) * edge * edge),
    target: to.inputs.subarray(c * plane, (c + 1) * plane),
  }));
  planes.push({ source: from.target, target: to.target });
  for (let y = 0, at = 0; y < patch; y++) {
    const dy = y - (patch - 1) / 2;
    for (let x = 0; x < patch; x++, at++) {
      const dx = x - (patch - 1) / 2;
      const fromX = (edge - 1) / 2 + dx * cos + dy * sin;
      const fromY = (edge - 1) / 2 - dx * sin + dy * cos;
      const left = Math.floor(fromX);
      const top = Math.floor(fromY);
      const right = fromX - left;
      const below = fromY - top;
      const i = top * edge + left;
      const [a, b, c, d] = [
        (1 - right) * (1 - below),
        right * (1 - below),
        (1 - right) * below,
        right * below,
      ];
      for (const { source, target } of planes) {
        target[at] = a * source[i] + b * source[i + 1] + c * source[i + edge] + d * source[i + edge + 1];
      }
      const { weight } = from;
      to.weight[at] = Math.min(weight[i], weight[i + 1], weight[i + edge], weight[i + edge + 1]);
    }
  }
}

/** Gain, offset and focus of the inputs [C, P, P], in place. */
export function changeIntensities(
  { inputs, patch }: PatchView,
  { gain, offset, focusPx = 0 }: Augmentation,
  rng: Rng,
): void {
  const plane = patch * patch;
  for (let start = 0; start < inputs.length; start += plane) {
    const channel = inputs.subarray(start, start + plane);
    if (gain > 0 || offset > 0) {
      const factor = Math.exp(rng.normal(0, gain));
      const shift = rng.normal(0, offset);
      for (let i = 0; i < plane; i++) channel[i] = channel[i] * factor + shift;
    }
    if (focusPx > 0) refocus(channel, patch, patch, rng.uniform(-(focusPx ** 2), focusPx ** 2));
  }
}
