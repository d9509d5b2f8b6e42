/** The models that can be trained, by the name that `--model` takes. */
import { UsageError } from '../core/errors.ts';
import { constant } from './baselines/constant.ts';
import { distance } from './baselines/distance.ts';
import { bankStride } from './baselines/gaussian-bank.ts';
import { linear } from './baselines/linear.ts';
import { transport } from './baselines/transport.ts';
import type { DerivedInput } from './derived-input.ts';
import { gandaDiscriminator, gandaGenerator } from './ganda.ts';
import { hrpn } from './hrpn.ts';
import { hrpnPublished } from './hrpn-published.ts';
import type { NetworkFunction } from './network.ts';
import { unet } from './unet.ts';

export interface NetworkModel {
  readonly name: string;
  readonly network: NetworkFunction;
  /** Total stride: tile origins and extents are multiples of it. */
  readonly stride: number;
  /** Whether inputs and target are normalised; the published network takes raw grey levels. */
  readonly normalized: boolean;
  /** Set for a network whose result depends on the extent of the tile: it always runs on tiles of this edge. */
  readonly fixedTile?: number;
  /** Set for a network with a bounded output: its target is divided by its range instead of standardised. */
  readonly bounded?: true;
  /** Set for a network that is trained against another one. */
  readonly adversary?: {
    /** [N, 1, P, P] -> [N, 1]. */
    readonly discriminator: NetworkFunction;
    /** Weight of the pixel error beside the adversarial loss. */
    readonly pixelWeight: number;
    /** Training patches are multiples of it. */
    readonly patchMultiple: number;
  };
}

const models: readonly NetworkModel[] = [
  { name: 'hrpn', network: hrpn, stride: 16, normalized: true },
  { name: 'hrpn-published', network: hrpnPublished, stride: 32, normalized: false, fixedTile: 512 },
  {
    name: 'ganda',
    network: gandaGenerator,
    stride: 16,
    normalized: true,
    bounded: true,
    adversary: { discriminator: gandaDiscriminator, pixelWeight: 10, patchMultiple: 64 },
  },
  { name: 'unet', network: unet, stride: 16, normalized: true },
];

/** A model that is fitted in closed form instead of trained. */
export interface BaselineModel {
  readonly name: string;
  readonly stride: number;
  /** Set where it reads an image computed from the vessels instead of the stains. */
  readonly derived?: DerivedInput;
  readonly network: (pixelSizeUm: number) => NetworkFunction;
}

const baselines: readonly BaselineModel[] = [
  { name: 'constant', stride: 1, network: () => constant },
  { name: 'distance', stride: 1, derived: 'vessel distance', network: () => distance },
  { name: 'linear', stride: bankStride, network: linear },
  { name: 'transport', stride: bankStride, derived: 'vessel mask', network: transport },
];

/** Those that are trained. */
export const networkNames: readonly string[] = models.map(({ name }) => name);
export const modelNames: readonly string[] = [...models, ...baselines].map(({ name }) => name);

/** @throws UsageError that lists the models there are */
export function findModel(name: string): NetworkModel {
  const found = models.find((model) => model.name === name);
  if (!found) {
    throw new UsageError(`Unknown model '${name}': --model takes one of ${modelNames.join(', ')}.`);
  }
  return found;
}

/** undefined for a name that is no baseline's. */
export function findBaseline(name: string): BaselineModel | undefined {
  return baselines.find((baseline) => baseline.name === name);
}
