/** The models that can be trained, by the name that `--model` takes. */
import { UsageError } from '../core/errors.ts';
import { hrpn } from './hrpn.ts';
import { hrpnPublished } from './hrpn-published.ts';
import type { NetworkFunction } from './network.ts';

export interface NetworkModel {
  readonly name: string;
  readonly network: NetworkFunction;
  /** Total stride: tile origins and extents are multiples of it. */
  readonly stride: number;
  /** Whether inputs and target are normalised; the published network takes raw grey levels. */
  readonly normalized: boolean;
  /** Set for a network whose result depends on the extent of the tile: it always runs on tiles of this edge. */
  readonly fixedTile?: number;
}

const models: readonly NetworkModel[] = [
  { name: 'hrpn', network: hrpn, stride: 16, normalized: true },
  { name: 'hrpn-published', network: hrpnPublished, stride: 32, normalized: false, fixedTile: 512 },
];

export const modelNames: readonly string[] = models.map(({ name }) => name);

/** @throws UsageError that lists the models there are */
export function findModel(name: string): NetworkModel {
  const found = models.find((model) => model.name === name);
  if (!found) {
    throw new UsageError(`Unknown model '${name}': --model takes one of ${modelNames.join(', ')}.`);
  }
  return found;
}
