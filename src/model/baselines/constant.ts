/** `constant`: the mean of the training tissue everywhere. The floor that every model must beat. */
import type { Value } from '../../engine/graph.ts';
import { filled, type NetworkBuilder } from '../network.ts';

/** The mean itself is the offset of the target's map, so the output is a plane of zeros. */
export function constant(b: NetworkBuilder, input: Value): Value {
  return b.conv(input, 'constant', { out: 1, kernel: 1, initialize: filled(0) });
}
