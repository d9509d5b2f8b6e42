/** Truncation to integers and table look-up. Neither has a gradient: they are for models that are fitted, not trained. */
import type { Graph, Op, Value } from '../graph.ts';

const castOp: Op = {
  name: 'Cast',
  infer: ([x]) => [{ shape: x.shape, dtype: 'int64' }],
};

const gatherOp: Op = {
  name: 'Gather',
  infer: ([, indices]) => [{ shape: indices.shape, dtype: 'float32' }],
};

/** ONNX's number of the element type int64. */
const int64 = 7;

/** table [n] at the whole part of every element of x, which lies from 0 to below n. */
export function lookUp(graph: Graph, table: Value, x: Value): Value {
  return graph.add(gatherOp, [table, graph.add(castOp, [x], { to: int64 })], { axis: 0 });
}
