/** Error of a model on the validation patches of a dataset. */
import { throwIfCancelled } from '../core/errors.ts';
import type { AffineMap } from '../dataset/normalisation.ts';
import type { PatchStream } from '../dataset/patch-stream.ts';
import type { Session } from '../engine/session.ts';

export interface ValidationResult {
  /** Mean squared error over tissue pixels in squared units of the target channel. */
  readonly mse: number;
  /** 1 - SSE/SST over the same pixels; 0 where the measured probe does not vary. */
  readonly r2: number;
}

/**
 * @param session of the model file, whose inputs are fed already normalised
 * @param stream of the validation patches, each tissue pixel weighted once
 * @param targetMap of the stream's targets
 */
export async function validate(
  session: Session,
  stream: PatchStream,
  targetMap: AffineMap,
  signal?: AbortSignal,
): Promise<ValidationResult> {
  const { offset, scale } = targetMap;
  let count = 0;
  let sum = 0;
  let squares = 0;
  let errors = 0;
  let next = stream.load(0, signal);
  // Where training was cancelled before, that is said first.
  next.catch(() => {});
  for (let step = 0; step < stream.stepsPerEpoch; step++) {
    throwIfCancelled(signal, 'training');
    const { inputs, target, weight, shape } = await next;
    const running = session.run({
      pixels: { data: inputs, shape: [shape.batch, shape.inputs, shape.height, shape.width] },
      offset: { data: new Float32Array(shape.inputs), shape: [shape.inputs] },
      scale: { data: new Float32Array(shape.inputs).fill(1), shape: [shape.inputs] },
    });
    if (step + 1 < stream.stepsPerEpoch) {
      next = stream.load(step + 1, signal);
      // Its failure is told by the await above, one turn later.
      next.catch(() => {});
    }
    const predicted = (await running).probe.data as Float32Array;
    for (let i = 0; i < target.length; i++) {
      if (weight[i] === 0) continue;
      const measured = target[i] * scale + offset;
      count++;
      sum += measured;
      squares += measured * measured;
      errors += (predicted[i] - measured) ** 2;
    }
  }
  return resultOf({ count, sum, squares, errors });
}

/** @param sums over pixels: of the measured values, their squares, and the squared errors */
export function resultOf(sums: {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
  readonly errors: number;
}): ValidationResult {
  const { count, sum, squares, errors } = sums;
  const spread = squares - (sum * sum) / count;
  // Of a probe that is the same everywhere nothing can be explained.
  return { mse: errors / count, r2: spread > 1e-12 * squares ? 1 - errors / spread : 0 };
}
