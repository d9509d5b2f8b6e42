/** What is measured: a network with its parameters and a batch of data, as files that both sides read. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../src/core/rng.ts';
import { sizeOf } from '../src/engine/graph.ts';
import { layoutOf, type NetworkLayout } from '../src/model/network.ts';
import { findModel } from '../src/model/registry.ts';
import { initialVector } from '../src/training/tensors.ts';

export type What = 'train' | 'predict';

export interface Workload {
  readonly network: string;
  readonly what: What | 'check';
  readonly batch: number;
  readonly patch: number;
  readonly threads: number;
  readonly roles: number;
  /** [name, shape, kind] in the order of the tensors file. */
  readonly layout: readonly (readonly [string, readonly number[], 'parameter' | 'statistic'])[];
  /** Dropout masks in the order in which they follow the images in the data file. */
  readonly masks: readonly (readonly [string, readonly number[]])[];
  /** float32, one after the other. */
  readonly tensors: string;
  /** float32: inputs [N, roles, P, P], target [N, 1, P, P], masks. */
  readonly data: string;
  readonly optimiser: Readonly<Record<string, unknown>>;
  readonly clipNorm?: number;
  readonly averageDecay: number;
}

const roles = 2;
/** PyTorch's names for what src/training/recipes.ts says. */
const optimisers: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  hrpn: { kind: 'muon', lr: 1e-3, weight_decay: 0.01, momentum: 0.95 },
  'hrpn-published': { kind: 'rmsprop', lr: 1e-5, momentum: 0.9, weight_decay: 1e-8 },
  // The generator alone, without its discriminator: a U-Net trained on the pixel error.
  ganda: { kind: 'adamw', lr: 2e-4, weight_decay: 0, betas: [0.5, 0.999] },
};
export const networks = Object.keys(optimisers);

export function makeWorkload(
  folder: string,
  given: Pick<Workload, 'network' | 'what' | 'batch' | 'patch' | 'threads'>,
): Workload {
  const { network, batch, patch } = given;
  const model = findModel(network);
  const layout = layoutOf(model.network, roles, model.stride);
  // Some of the networks begin with scales of zero, which would leave half of the gradients zero: moved a little.
  const rng = new Rng(1);
  const parameters = initialVector(layout.parameters, 1).map((v) => v + rng.normal(0, 0.02));
  if (given.what === 'check') shiftNorms(layout, parameters);
  const statistics = initialVector(layout.statistics, 1);
  const masks: [string, number[]][] =
    network === 'hrpn-published' ? [['head.dropout', [batch, 270, 1, 1]]] : [];
  const images = Float32Array.from({ length: batch * (roles + 1) * patch ** 2 }, () => rng.normal(0, 1));
  const maskValues = masks.flatMap(([, shape]) =>
    Array.from({ length: sizeOf(shape) }, () => (rng.uniform() < 0.1 ? 0 : 1 / 0.9)),
  );
  const write = (name: string, parts: readonly ArrayLike<number>[]): string => {
    const path = join(folder, `${network}-${given.what}-${name}.bin`);
    writeFileSync(path, new Uint8Array(Float32Array.from(parts.flatMap((part) => Array.from(part))).buffer));
    return path;
  };
  return {
    ...given,
    roles,
    layout: [
      ...layout.parameters.map(({ name, shape }) => [name, shape, 'parameter'] as const),
      ...layout.statistics.map(({ name, shape }) => [name, shape, 'statistic'] as const),
    ],
    masks,
    tensors: write('tensors', [parameters, statistics]),
    data: write('data', [images, maskValues]),
    optimiser: optimisers[network],
    ...(network === 'hrpn' ? { clipNorm: 1 } : {}),
    averageDecay: network === 'hrpn' ? 0.99 : 0,
  };
}

/**
 * Moves what batch normalisations give well above zero. Around zero, where most of it lies otherwise, some of a million
 * ReLUs always are within rounding of their kink and switch: PyTorch's own single precision is then up to 1% off.
 */
function shiftNorms({ parameters, statistics }: NetworkLayout, vector: Float32Array): void {
  const norms = new Set(statistics.map(({ name }) => name.replace(/\.(mean|variance)$/, '.bias')));
  let at = 0;
  for (const { name, shape } of parameters) {
    const size = sizeOf(shape);
    if (norms.has(name)) for (let i = 0; i < size; i++) vector[at + i] += 3;
    at += size;
  }
}
