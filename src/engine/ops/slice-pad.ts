/** Slice and Pad: each is the other's gradient. */
import { assert } from '../../core/errors.ts';
import type { Graph, Op, Value } from '../graph.ts';

const numbers = (value: Value): number[] => Array.from(value.constant as BigInt64Array, Number);

const sliceOp: Op = {
  name: 'Slice',
  infer: ([x, starts, ends, axes, steps]) => {
    const shape = [...x.shape];
    const [s, e, by] = [numbers(starts), numbers(ends), numbers(steps)];
    numbers(axes).forEach((axis, i) => {
      // A negative step runs from the last index, whatever it is, down to 0: `ends` is then far below every index.
      assert(
        by[i] > 0 ? s[i] >= 0 && e[i] <= x.shape[axis] : s[i] === -1,
        `slice ${s[i]}:${e[i]}:${by[i]} of extent ${x.shape[axis]}`,
      );
      shape[axis] = Math.ceil(by[i] > 0 ? (e[i] - s[i]) / by[i] : x.shape[axis] / -by[i]);
    });
    return [{ shape, dtype: x.dtype }];
  },
  gradient: (graph, node, [dy]) => {
    const [x, starts, , axes, steps] = node.inputs;
    if (!dy) return [];
    assert(
      numbers(steps).every((step) => step === 1),
      'only slices of step 1 have a gradient',
    );
    const before = x.shape.map(() => 0);
    const after = x.shape.map(() => 0);
    numbers(axes).forEach((axis, i) => {
      before[axis] = numbers(starts)[i];
      after[axis] = x.shape[axis] - before[axis] - dy.shape[axis];
    });
    return [pad(graph, dy, before, after)];
  },
};

/** x[start:end:step] along each of the given axes; 0 <= start, end <= extent. Gradients for step 1 only. */
export function slice(
  graph: Graph,
  x: Value,
  axes: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[] = axes.map(() => 1),
): Value {
  const whole = axes.every((axis, i) => starts[i] === 0 && ends[i] === x.shape[axis] && steps[i] === 1);
  if (whole) return x;
  return graph.add(sliceOp, [x, graph.ints(starts), graph.ints(ends), graph.ints(axes), graph.ints(steps)]);
}

/** x in reverse order along the given axes. */
export function flip(graph: Graph, x: Value, axes: readonly number[]): Value {
  const over = axes.filter((axis) => x.shape[axis] > 1);
  if (over.length === 0) return x;
  return slice(
    graph,
    x,
    over,
    over.map(() => -1),
    over.map(() => -1_000_000_000),
    over.map(() => -1),
  );
}

const padOp: Op = {
  name: 'Pad',
  infer: ([x, pads]) => {
    const p = numbers(pads);
    const rank = x.shape.length;
    return [{ shape: x.shape.map((extent, i) => extent + p[i] + p[i + rank]), dtype: x.dtype }];
  },
  gradient: (graph, node, [dy]) => {
    const [x, pads] = node.inputs;
    if (!dy) return [];
    const before = numbers(pads).slice(0, x.shape.length);
    return [
      slice(
        graph,
        dy,
        x.shape.map((_, i) => i),
        before,
        before.map((b, i) => b + x.shape[i]),
      ),
    ];
  },
};

/** x with zeros added before and after along every axis. */
export function pad(graph: Graph, x: Value, before: readonly number[], after: readonly number[]): Value {
  if ([...before, ...after].every((extent) => extent === 0)) return x;
  return graph.add(padOp, [x, graph.ints([...before, ...after])]);
}
