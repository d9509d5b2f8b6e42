/** This engine's side of the comparison: the same requests on stdin and replies on stdout as pytorch/server.py. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { peakResidentBytes } from '../src/core/peak-resident.ts';
import { gradients } from '../src/engine/autodiff.ts';
import { Graph, sizeOf } from '../src/engine/graph.ts';
import { createGraphSession, createModelSession } from '../src/engine/graph-session.ts';
import { encodeModel } from '../src/engine/onnx/encode.ts';
import { concat } from '../src/engine/ops/concat.ts';
import { reshape } from '../src/engine/ops/reshape.ts';
import type { Session, TensorData } from '../src/engine/session.ts';
import { layoutOf, PredictionBuilder, TrainingBuilder } from '../src/model/network.ts';
import { findModel } from '../src/model/registry.ts';
import { weightedMse } from '../src/training/losses.ts';
import { recipeOf } from '../src/training/recipes.ts';
import { buildStepGraph } from '../src/training/step-graph.ts';
import { namedTensors, vectorLength } from '../src/training/tensors.ts';
import type { Workload } from './workload.ts';

interface Runner {
  readonly session: Session;
  feeds(): Record<string, TensorData>;
}

function readFloats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

async function setUp(work: Workload): Promise<Runner> {
  const { batch, patch, roles, threads } = work;
  const model = findModel(work.network);
  const layout = layoutOf(model.network, roles, model.stride);
  const tensors = readFloats(work.tensors);
  const data = readFloats(work.data);
  const length = vectorLength(layout.parameters);
  const [parameters, statistics] = [tensors.slice(0, length), tensors.slice(length)];
  const shape = [batch, roles, patch, patch];
  const plane = [batch, 1, patch, patch];
  const take = (from: number, extent: readonly number[]): TensorData => ({
    data: data.slice(from, from + sizeOf(extent)),
    shape: extent,
  });
  const lowering = process.env.BENCH_LOWERING === 'plain' ? 'plain' : 'fast';
  const common = { threads, lowering, profilePrefix: process.env.BENCH_PROFILE } as const;
  if (work.what === 'predict') {
    const graph = new Graph();
    const builder = new PredictionBuilder(graph, namedTensors(layout, parameters, statistics));
    graph.output('probe', model.network(builder, graph.input('inputs', shape)));
    const session = await createModelSession(encodeModel(graph), common);
    return { session, feeds: () => ({ inputs: take(0, shape) }) };
  }
  const feeds = (): Record<string, TensorData> => {
    let at = sizeOf(shape) + sizeOf(plane);
    const masks = work.masks.map(([name, extent]) => {
      const mask = take(at, extent);
      at += sizeOf(extent);
      return [name, mask] as const;
    });
    const weight = { data: new Float32Array(sizeOf(plane)).fill(1), shape: plane };
    const fed = { inputs: take(0, shape), target: take(sizeOf(shape), plane), weight };
    return { ...fed, ...Object.fromEntries(masks) };
  };
  if (work.what === 'check') {
    const graph = new Graph();
    const flat = graph.input('parameters', [length]);
    const builder = new TrainingBuilder(graph, layout, flat);
    const prediction = model.network(builder, graph.input('inputs', shape));
    const loss = weightedMse(graph, prediction, graph.input('target', plane), graph.input('weight', plane));
    const found = gradients(graph, loss, builder.parameters);
    const rows = found.map((gradient) => reshape(graph, gradient!, [sizeOf(gradient!.shape)]));
    graph.output('all', concat(graph, [reshape(graph, prediction, [sizeOf(plane)]), ...rows], 0));
    const session = await createGraphSession(graph, common);
    return {
      session,
      feeds: () => ({ ...feeds(), parameters: { data: parameters.slice(), shape: [length] } }),
    };
  }
  const { optimiser } = recipeOf(work.network);
  const { clipNorm } = work;
  const step = buildStepGraph({ network: model.network, layout, optimiser, batch, roles, patch, clipNorm });
  const session = await createGraphSession(step.graph, { ...common, carry: step.carry });
  const known: Record<string, Float32Array> = { parameters, statistics, average: parameters };
  await session.setState(
    Object.fromEntries(
      Object.entries(step.stateLengths).map(([name, size]) => [
        name,
        { data: known[name] ?? new Float32Array(size), shape: [size] },
      ]),
    ),
  );
  let steps = 0;
  const scalar = (value: number): TensorData => ({ data: Float32Array.of(value), shape: [] });
  return {
    session,
    feeds: () => ({
      ...feeds(),
      learningRate: scalar(work.optimiser.lr as number),
      step: scalar(++steps),
      averageDecay: scalar(work.averageDecay),
    }),
  };
}

let runner: Runner | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const seconds: number[] = [];
  const cpuSeconds: number[] = [];
  if (request.kind === 'setup') {
    await runner?.session.close();
    runner = await setUp(request);
    // The first runs allocate.
    if (request.what !== 'check') for (let i = 0; i < 2; i++) await runner.session.run(runner.feeds());
  } else if (request.kind === 'check' || request.kind === 'predict-to') {
    const results = await runner!.session.run(runner!.feeds());
    const data = (results.all ?? results.probe).data as Float32Array;
    writeFileSync(request.path, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } else {
    for (let i = 0; i < request.count; i++) {
      const feeds = runner!.feeds();
      const cpu = process.cpuUsage();
      const begin = performance.now();
      await runner!.session.run(feeds);
      seconds.push((performance.now() - begin) / 1000);
      const { user, system } = process.cpuUsage(cpu);
      cpuSeconds.push((user + system) / 1e6);
    }
  }
  const peakBytes = peakResidentBytes();
  process.stdout.write(`${JSON.stringify({ seconds, cpuSeconds, peakBytes })}\n`);
}
await runner?.session.close();
