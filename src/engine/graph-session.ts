/** From a graph, or a prediction model, to a session: fits the graph to the device first. */
import { EngineError } from '../core/errors.ts';
import type { Graph } from './graph.ts';
import { foldNormalization } from './lowering/fold-normalization.ts';
import { lowerToBlocked } from './lowering/lower-to-blocked.ts';
import { lowerToWebGpu } from './lowering/lower-to-webgpu.ts';
import { probeBlock } from './lowering/probe-block.ts';
import { expandOperators } from './lowering/rewrite.ts';
import { decodeGraph } from './onnx/decode-graph.ts';
import { encodeModel } from './onnx/encode.ts';
import { peakActivationBytes } from './peak-memory.ts';
import { recompute } from './recompute.ts';
import { createSession, type Session, type SessionOptions } from './session.ts';

export interface GraphSessionOptions extends Omit<SessionOptions, 'optimization'> {
  /** 'plain' keeps the graph as it is, the reference that every fast path is tested against; 'fast' unless given. */
  readonly lowering?: 'fast' | 'plain';
  /** Outputs of a prediction model that are wanted, all unless given; what only others need is not computed. */
  readonly outputs?: readonly string[];
}

export interface TrainingSessionOptions extends Omit<GraphSessionOptions, 'outputs'> {
  /** Without limit unless given. */
  readonly memory?: {
    /** That all values of a run may take at once, as estimated. */
    readonly bytes: number;
    /** Outputs that end the forward pass. */
    readonly losses: readonly string[];
  };
}

/** What a graph becomes on a device. */
interface FittedGraph {
  readonly graph: Graph;
  /** How far the runtime may rewrite it. */
  readonly optimization: SessionOptions['optimization'];
  /** Channels to a block of memory; undefined where the graph stays plain. */
  readonly block?: number;
}

/**
 * On the CPU the blocked layout where it has kernels for it, otherwise the graph as it is; on WebGPU the same graph
 * in operators that run there.
 */
async function fitGraph(
  graph: Graph,
  { device = 'cpu', lowering = 'fast' }: Pick<GraphSessionOptions, 'device' | 'lowering'> = {},
): Promise<FittedGraph> {
  if (device === 'webgpu') return { graph: lowerToWebGpu(graph), optimization: 'all' };
  const block = lowering === 'fast' ? await probeBlock() : undefined;
  if (block === undefined) return { graph, optimization: 'all' };
  // One level below 'all': there the runtime would choose layouts of its own beside ours.
  return { graph: lowerToBlocked(graph, block), optimization: 'extended', block };
}

/** More segments than these never needed less memory in any network tried. */
const segmentsTried = [2, 3, 4, 6, 8, 12];

/**
 * Keeps all activations where they fit, else computes the least again with which they do.
 * @throws EngineError when they never do
 */
export async function fitToMemory(
  graph: Graph,
  { memory, ...device }: Omit<TrainingSessionOptions, 'threads'>,
): Promise<FittedGraph> {
  const whole = await fitGraph(graph, device);
  if (!memory) return whole;
  const peakOf = (fitted: FittedGraph): number => peakActivationBytes(expandOperators(fitted.graph));
  let least = peakOf(whole);
  if (least <= memory.bytes) return whole;
  for (const segments of segmentsTried) {
    const fitted = await fitGraph(recompute(graph, memory.losses, segments), device);
    const peak = peakOf(fitted);
    if (peak <= memory.bytes) return fitted;
    least = Math.min(least, peak);
  }
  const [needed, given] = [Math.ceil(least / 1e6), Math.floor(memory.bytes / 1e6)];
  throw new EngineError(
    `a training step needs at least ${needed} MB for its activations, but ${given} MB were given. Give more, or take smaller micro-batches or patches.`,
  );
}

/**
 * For training graphs, whose weights are inputs.
 * @throws EngineError when the runtime refuses the model, or its activations do not fit the memory
 */
export async function createGraphSession(graph: Graph, options: TrainingSessionOptions): Promise<Session> {
  const { lowering, memory, ...rest } = options;
  const fitted = await fitToMemory(graph, { device: options.device, lowering, memory });
  return createSession(encodeModel(fitted.graph), { ...rest, optimization: fitted.optimization });
}

/**
 * For prediction models. The runtime lays out convolutions with constant weights by itself, but only those whose
 * channels suit it; here all are, and the result is the same to float rounding. A model with operators that the
 * engine does not write, or a device without blocked kernels, runs as it is.
 * @throws EngineError when the runtime refuses the model
 */
export async function createModelSession(model: Uint8Array, options: GraphSessionOptions): Promise<Session> {
  const { lowering, outputs, ...rest } = options;
  const decoded = decodeGraph(model);
  if (!decoded) return createSession(model, rest);
  const unwanted = [...decoded.graph.outputs.keys()].filter((name) => outputs && !outputs.includes(name));
  for (const name of unwanted) decoded.graph.outputs.delete(name);
  const folded = foldNormalization(decoded.graph);
  const fitted = await fitGraph(folded, { device: options.device, lowering });
  const isPlain = fitted.graph === folded;
  if (isPlain && unwanted.length === 0) return createSession(model, rest);
  // Without blocked kernels the runtime folds by itself.
  const bytes = encodeModel(isPlain ? decoded.graph : fitted.graph, decoded.interface);
  return createSession(bytes, { ...rest, optimization: fitted.optimization });
}
