/** Resize by bilinear interpolation, whose gradient is two products with the transposed interpolation matrices. */
import type { Graph, Op, Value } from '../graph.ts';
import { matMul } from './mat-mul.ts';

/** Where the corners of the two grids lie: pixel areas agree ('half_pixel') or corner centres ('align_corners'). */
export type CornerConvention = 'half_pixel' | 'align_corners';

const resizeBilinearOp: Op = {
  name: 'Resize',
  infer: ([x, , scales]) => {
    const [n, c, h, w] = x.shape;
    const [, , fh, fw] = scales.constant as Float32Array;
    return [{ shape: [n, c, h * fh, w * fw], dtype: 'float32' }];
  },
  // Bilinear resizing is A x B^T with fixed matrices of two entries a row, so its adjoint is A^T dy B.
  gradient: (graph, node, [dy]) => {
    if (!dy) return [];
    const x = node.inputs[0];
    const corners = node.attributes.coordinate_transformation_mode as CornerConvention;
    const across = interpolationMatrix(x.shape[3], dy.shape[3], corners);
    const down = interpolationMatrix(x.shape[2], dy.shape[2], corners);
    const narrowed = matMul(graph, dy, graph.constant(across, [dy.shape[3], x.shape[3]]));
    const downTurned = transposed(down, dy.shape[2], x.shape[2]);
    return [matMul(graph, graph.constant(downTurned, [1, 1, x.shape[2], dy.shape[2]]), narrowed)];
  },
};

/** Enlarges both spatial axes by an integer factor with bilinear interpolation; borders repeat. */
export function resizeBilinear(graph: Graph, x: Value, factor: number, corners: CornerConvention): Value {
  const none = graph.constant(new Float32Array(0), [0]);
  return graph.add(resizeBilinearOp, [x, none, graph.constant(Float32Array.of(1, 1, factor, factor), [4])], {
    mode: 'linear',
    coordinate_transformation_mode: corners,
  });
}

/** Row-major [to, from]: row o holds the weights with which output sample o draws on the input samples. */
function interpolationMatrix(from: number, to: number, corners: CornerConvention): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let o = 0; o < to; o++) {
    const position =
      corners === 'align_corners'
        ? to === 1
          ? 0
          : (o * (from - 1)) / (to - 1)
        : Math.min(Math.max(((o + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.min(Math.floor(position), from - 1);
    const high = Math.min(low + 1, from - 1);
    matrix[o * from + low] += 1 - (position - low);
    matrix[o * from + high] += position - low;
  }
  return matrix;
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c];
  }
  return out;
}
