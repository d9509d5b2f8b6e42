// What the session is fed for one step: the batch, whole or part by part, with rates and dropout masks.
import { Rng } from '../core/rng.ts';
import type { Batch } from '../dataset/patch-stream.ts';
import { sizeOf } from '../engine/graph.ts';
import type { TensorData } from '../engine/session.ts';
import type { RunSettings } from './run-folder.ts';
import type { StepGraph } from './step-graph.ts';

/** One run of the step graph. */
export interface StepFeeds {
  readonly feeds: Readonly<Record<string, TensorData>>;
  /** Of the batch's loss that is this run's; 1 where there is one. */
  readonly share: number;
}

const scalar = (value: number): TensorData => ({ data: Float32Array.of(value), shape: [] });

/**
 * The runs that make a step, in order: one, or as many as the batch has micro-batches. Dropout masks are a function of
 * seed and step.
 * @param step from 0
 */
export function* stepFeeds(
  whole: Batch,
  masks: StepGraph['dropoutMasks'],
  settings: RunSettings,
  step: number,
  learningRate: number,
): Generator<StepFeeds> {
  const parts = partsOf(whole, settings.microBatch ?? whole.shape.batch);
  const total = Math.max(1, weightOf(whole));
  // A young average forgets faster, so that it is not the first weights.
  const decay = Math.min(settings.averageDecay, (1 + step) / (10 + step));
  for (const [i, part] of parts.entries()) {
    const share = parts.length > 1 ? weightOf(part) / total : 1;
    yield {
      share,
      feeds: {
        ...batchFeeds(part),
        ...maskFeeds(masks, settings.seed, step, i),
        learningRate: scalar(learningRate),
        step: scalar(step + 1),
        averageDecay: scalar(decay),
        ...(parts.length > 1 && { share: scalar(share), isLast: scalar(i === parts.length - 1 ? 1 : 0) }),
      },
    };
  }
}

/** Pixels that count. */
const weightOf = ({ weight }: Batch): number => weight.reduce((sum, value) => sum + value, 0);

/** A batch in parts of `size` patches with buffers of their own; itself where it is one part. */
function partsOf(whole: Batch, size: number): Batch[] {
  const { shape, count } = whole;
  if (size === shape.batch) return [whole];
  return Array.from({ length: shape.batch / size }, (_, i) => {
    const part = (data: Float32Array): Float32Array => {
      const length = (data.length / shape.batch) * size;
      return data.slice(i * length, (i + 1) * length);
    };
    return {
      inputs: part(whole.inputs),
      target: part(whole.target),
      weight: part(whole.weight),
      shape: { ...shape, batch: size },
      count: Math.min(size, Math.max(0, count - i * size)),
    };
  });
}

function batchFeeds({ inputs, target, weight, shape }: Batch): Record<string, TensorData> {
  const { batch, height, width } = shape;
  return {
    inputs: { data: inputs, shape: [batch, shape.inputs, height, width] },
    target: { data: target, shape: [batch, 1, height, width] },
    weight: { data: weight, shape: [batch, 1, height, width] },
  };
}

/** Drawn for the whole batch, so that its patches drop the same channels in whatever parts they come. */
function maskFeeds(
  masks: StepGraph['dropoutMasks'],
  seed: number,
  step: number,
  part: number,
): Record<string, TensorData> {
  return Object.fromEntries(
    masks.map(({ name, shape, rate }) => {
      const rng = new Rng(seed).fork('dropout', name, step);
      const size = sizeOf(shape);
      const drawn = Float32Array.from({ length: (part + 1) * size }, () =>
        rng.uniform() < rate ? 0 : 1 / (1 - rate),
      );
      return [name, { data: drawn.slice(part * size), shape }];
    }),
  );
}
