/** MaxPool, whose gradient is MaxUnpool: every dy where its maximum was found. */
import { assert } from '../../core/errors.ts';
import type { Graph, Op, Value } from '../graph.ts';

const maxPoolOp: Op = {
  name: 'MaxPool',
  infer: ([x], attributes) => {
    const shape = pooledShape(x, (attributes.kernel_shape as number[])[0]);
    return [
      { shape, dtype: 'float32' },
      { shape, dtype: 'int64' },
    ];
  },
  gradient: (graph, node, [dy]) => {
    if (!dy) return [undefined];
    const attributes = { kernel_shape: node.attributes.kernel_shape, strides: node.attributes.strides };
    const shape = graph.ints(node.inputs[0].shape);
    return [graph.add(maxUnpoolOp, [dy, node.outputs[1], shape], attributes)];
  },
};

/** Puts every value back where its maximum was found, zeros elsewhere. */
const maxUnpoolOp: Op = {
  name: 'MaxUnpool',
  infer: (inputs) => [{ shape: Array.from(inputs[2].constant as BigInt64Array, Number), dtype: 'float32' }],
};

/** Maximum over windows of size x size that do not overlap; both extents must be multiples of it. */
export function maxPool(graph: Graph, x: Value, size: number): Value {
  return graph.add(maxPoolOp, [x], { kernel_shape: [size, size], strides: [size, size] });
}

function pooledShape(x: Value, size: number): readonly number[] {
  const [n, c, h, w] = x.shape;
  assert(h % size === 0 && w % size === 0, `${h} x ${w} is no multiple of the pooling window ${size}`);
  return [n, c, h / size, w / size];
}
