/** AveragePool over windows that do not overlap, and nearest-neighbour enlargement: adjoint up to a factor. */
import { assert } from '../../core/errors.ts';
import type { Graph, Op, Value } from '../graph.ts';
import { mul } from './mul.ts';

const averagePoolOp: Op = {
  name: 'AveragePool',
  infer: ([x], attributes) => {
    const size = (attributes.kernel_shape as number[])[0];
    const [n, c, h, w] = x.shape;
    assert(h % size === 0 && w % size === 0, `${h} x ${w} is no multiple of the pooling window ${size}`);
    return [{ shape: [n, c, h / size, w / size], dtype: 'float32' }];
  },
  gradient: (graph, node, [dy]) => {
    const size = (node.attributes.kernel_shape as number[])[0];
    return [dy && resizeNearest(graph, mul(graph, dy, graph.scalar(1 / size ** 2)), size)];
  },
};

const resizeNearestOp: Op = {
  name: 'Resize',
  infer: ([x, , scales]) => {
    const factor = (scales.constant as Float32Array)[2];
    const [n, c, h, w] = x.shape;
    return [{ shape: [n, c, h * factor, w * factor], dtype: 'float32' }];
  },
  gradient: (graph, node, [dy]) => {
    const factor = (node.inputs[2].constant as Float32Array)[2];
    return [dy && mul(graph, averagePool(graph, dy, factor), graph.scalar(factor ** 2))];
  },
};

/** Mean over windows of size x size that do not overlap; both extents must be multiples of it. */
export function averagePool(graph: Graph, x: Value, size: number): Value {
  return graph.add(averagePoolOp, [x], { kernel_shape: [size, size], strides: [size, size] });
}

/** Every pixel becomes factor x factor equal ones. */
export function resizeNearest(graph: Graph, x: Value, factor: number): Value {
  const none = graph.constant(new Float32Array(0), [0]);
  return graph.add(resizeNearestOp, [x, none, graph.constant(Float32Array.of(1, 1, factor, factor), [4])], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
}
