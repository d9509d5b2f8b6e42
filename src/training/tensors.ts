/** Between a network's named tensors and the flat vectors that training works on. */
import { ModelError } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';
import { sizeOf } from '../engine/graph.ts';
import type { NetworkLayout, TensorSpec } from '../model/network.ts';

/** First values of all tensors, one after the other; each is drawn from its own stream, named after it. */
export function initialVector(specs: readonly TensorSpec[], seed: number): Float32Array {
  const flat = new Float32Array(vectorLength(specs));
  let at = 0;
  for (const { name, shape, initialize } of specs) {
    flat.set(initialize(new Rng(seed).fork('parameter', name), shape), at);
    at += sizeOf(shape);
  }
  return flat;
}

/** Numbers that tensors of these shapes hold together, end to end. */
export function vectorLength(specs: readonly TensorSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Views into the flat vectors by tensor name. */
export function namedTensors(
  layout: NetworkLayout,
  parameters: Float32Array,
  statistics: Float32Array,
): Map<string, Float32Array> {
  return new Map([
    ...namedViews(layout.parameters, parameters),
    ...namedViews(layout.statistics, statistics),
  ]);
}

function namedViews(specs: readonly TensorSpec[], flat: Float32Array): [string, Float32Array][] {
  let at = 0;
  return specs.map(({ name, shape }) => {
    const from = at;
    at += sizeOf(shape);
    return [name, flat.subarray(from, at)];
  });
}

/**
 * A flat vector filled from a trained model's tensors.
 * @throws ModelError when one is missing or of another size
 */
export function vectorFrom(
  specs: readonly TensorSpec[],
  tensors: ReadonlyMap<string, Float32Array>,
  path: string,
): Float32Array {
  const flat = new Float32Array(vectorLength(specs));
  for (const [name, view] of namedViews(specs, flat)) {
    const values = tensors.get(name);
    if (values?.length !== view.length) {
      throw new ModelError(
        `${path} does not fit the network to be trained: expected ${view.length} values of '${name}', found ${values?.length ?? 'none'}. ` +
          'A model can be trained further with the same --model and the same number of input roles only.',
      );
    }
    view.set(values);
  }
  return flat;
}
