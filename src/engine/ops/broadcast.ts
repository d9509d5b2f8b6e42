/** Shape rules shared by the element-wise operators. */
import { assert } from '../../core/errors.ts';
import type { Shape, TensorType, Value } from '../graph.ts';

/** NumPy's rule: shapes align at the right, extents are equal or 1. */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    assert(x === y || x === 1 || y === 1, `shapes [${a}] and [${b}] do not broadcast`);
    return Math.max(x, y);
  });
}

export function inferBroadcast(inputs: readonly Value[]): readonly TensorType[] {
  return [{ shape: broadcastShape(inputs[0].shape, inputs[1].shape), dtype: 'float32' }];
}

/** Types of an element-wise operator with one input. */
export function inferSame(inputs: readonly Value[]): readonly TensorType[] {
  return [{ shape: inputs[0].shape, dtype: inputs[0].dtype }];
}
