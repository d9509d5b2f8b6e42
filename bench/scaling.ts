/**
 * How a training step grows with patch, batch and depth, and where its time goes:
 *   node bench/scaling.ts [--network hrpn] [--steps N] [--threads N] [--lowering fast|plain] [--device cpu|webgpu] [--quick]
 *     [--memory]
 * With --memory, instead, what computing activations again and micro-batches save, in megabytes and processor time.
 * Every point runs in a process of its own (this file again, with --point), so that peak memory is its own.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { peakResidentBytes } from '../src/core/peak-resident.ts';
import { Rng } from '../src/core/rng.ts';
import { sizeOf } from '../src/engine/graph.ts';
import { createGraphSession, fitToMemory, type TrainingSessionOptions } from '../src/engine/graph-session.ts';
import { add } from '../src/engine/ops/add.ts';
import { relu } from '../src/engine/ops/relu.ts';
import { peakActivationBytes } from '../src/engine/peak-memory.ts';
import type { Device } from '../src/engine/session.ts';
import { layoutOf, type NetworkFunction } from '../src/model/network.ts';
import { findModel } from '../src/model/registry.ts';
import { recipeOf } from '../src/training/recipes.ts';
import { buildStepGraph } from '../src/training/step-graph.ts';
import { initialVector } from '../src/training/tensors.ts';

const { values } = parseArgs({
  options: {
    network: { type: 'string', default: 'hrpn' },
    steps: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    lowering: { type: 'string', default: 'fast' },
    device: { type: 'string', default: 'cpu' },
    quick: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    point: { type: 'string' },
  },
});

interface Point {
  readonly batch: number;
  readonly patch: number;
  /** Residual blocks of 32 channels; the named network unless given. */
  readonly depth?: number;
  readonly profile?: boolean;
  /** Activations are computed again until they take this share of what they take when all are kept. */
  readonly memoryShare?: number;
  /** Runs of the graph that make up a step, which is measured whole. */
  readonly parts?: number;
}

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** Of activations alone. */
  readonly estimatedBytes: number;
  /** Milliseconds a step by operator. */
  readonly operators: readonly (readonly [string, number, number])[];
}

function stack(depth: number): NetworkFunction {
  return (b, input) => {
    const layer = (x: typeof input, name: string) => b.convNorm(x, name, `${name}.norm`, { out: 32 });
    let x = relu(b.graph, layer(input, 'stem'));
    for (let i = 0; i < depth; i++) {
      const y = layer(relu(b.graph, layer(x, `block${i}.first`)), `block${i}.second`);
      x = relu(b.graph, add(b.graph, x, y));
    }
    return b.conv(x, 'head', { out: 1, kernel: 1 });
  };
}

async function measure({ batch, patch, depth, profile, memoryShare, parts = 1 }: Point): Promise<Measured> {
  const model = findModel(values.network);
  const network = depth === undefined ? model.network : stack(depth);
  const layout = layoutOf(network, 2, model.stride);
  const { optimiser, clipNorm } = recipeOf(values.network);
  const runs = { batch: batch / parts, parts };
  const step = buildStepGraph({ network, layout, optimiser, ...runs, roles: 2, patch, clipNorm });
  const lowering = values.lowering as 'fast' | 'plain';
  const device = values.device as Device;
  const estimate = async (memory?: TrainingSessionOptions['memory']): Promise<number> =>
    peakActivationBytes((await fitToMemory(step.graph, { device, lowering, memory })).graph);
  const kept = await estimate();
  const memory = memoryShare === undefined ? undefined : { bytes: memoryShare * kept, losses: step.losses };
  const estimatedBytes = memory ? await estimate(memory) : kept;
  const folder = mkdtempSync(join(tmpdir(), 'hrpn-scaling-'));
  const session = await createGraphSession(step.graph, {
    device,
    threads: Number(values.threads),
    lowering,
    carry: step.carry,
    memory,
    profilePrefix: profile ? join(folder, 'profile') : undefined,
  });
  const state = Object.entries(step.stateLengths).map(([name, length]) => {
    const data = name === 'parameters' ? initialVector(layout.parameters, 1) : new Float32Array(length);
    return [name, { data, shape: [length] }] as const;
  });
  await session.setState(Object.fromEntries(state));
  // What making the graph left behind is not the step's.
  globalThis.gc?.();
  const rng = new Rng(1);
  const times: number[] = [];
  const cpuTimes: number[] = [];
  for (let i = 0; i <= Number(values.steps); i++) {
    const fed = [...step.graph.inputs].filter(([name]) => !(name in step.stateLengths));
    const feedsOf = (part: number) => {
      const scalars: Record<string, number> = { learningRate: 1e-4, step: i + 1, averageDecay: 0.9 };
      Object.assign(scalars, { share: 1 / parts, isLast: part === parts - 1 ? 1 : 0 });
      const feeds = fed.map(([name, { shape }]) => {
        const draw =
          name === 'inputs' || name === 'target' ? () => rng.normal(0, 1) : () => scalars[name] ?? 1;
        return [name, { data: Float32Array.from({ length: sizeOf(shape) }, draw), shape }] as const;
      });
      return Object.fromEntries(feeds);
    };
    const feeds = Array.from({ length: parts }, (_, part) => feedsOf(part));
    const cpu = process.cpuUsage();
    const begin = performance.now();
    for (const part of feeds) await session.run(part);
    const { user, system } = process.cpuUsage(cpu);
    times.push((performance.now() - begin) / 1000);
    cpuTimes.push((user + system) / 1e6);
  }
  const peakBytes = peakResidentBytes();
  await session.close();
  const operators = profile ? readProfile(folder, Number(values.steps) + 1) : [];
  rmSync(folder, { recursive: true });
  // The first run allocates.
  const least = (list: number[]): number => Math.min(...list.slice(1));
  return { seconds: least(times), cpuSeconds: least(cpuTimes), peakBytes, estimatedBytes, operators };
}

/** The least time of every node over the runs, summed by operator: [operator, ms, nodes]. */
function readProfile(folder: string, runs: number): [string, number, number][] {
  const [file] = readdirSync(folder);
  const events = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const nodes = new Map<string, { op: string; least: number }>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    // The blocked convolution does several jobs; its weight's shape tells them apart.
    const shapes = (args.input_type_shape ?? []).map((type: object) => Object.values(type)[0] as number[]);
    const op = args.op_name === 'Conv' ? `Conv: ${jobOf(shapes[0], shapes[1])}` : args.op_name;
    const known = nodes.get(name);
    nodes.set(name, { op, least: Math.min(dur, known?.least ?? Number.POSITIVE_INFINITY) });
  }
  const sums = new Map<string, [number, number]>();
  for (const { op, least } of nodes.values()) {
    const [ms, count] = sums.get(op) ?? [0, 0];
    sums.set(op, [ms + least / 1000, count + 1]);
  }
  if (runs < 2) throw new Error('a profile needs two steps or more');
  return [...sums]
    .map(([op, [ms, count]]): [string, number, number] => [op, ms, count])
    .sort((a, b) => b[1] - a[1]);
}

function jobOf(x: readonly number[], w: readonly number[]): string {
  const [kernel, isDepthwise] = [w[2] * w[3], w[1] === 1 && w[0] === x[1]];
  if (isDepthwise) return kernel === 1 ? 'scale, shift, add, ReLU' : 'dot products of channels';
  return kernel > 49 ? 'weight gradients' : 'layers and input gradients';
}

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

function runApart(point: Point): Measured {
  const self = fileURLToPath(import.meta.url);
  const options = ['network', 'steps', 'threads', 'lowering', 'device'] as const;
  const args = [...options.flatMap((name) => [`--${name}`, values[name]]), '--point', JSON.stringify(point)];
  return JSON.parse(execFileSync(process.execPath, ['--expose-gc', self, ...args], { encoding: 'utf8' }));
}

if (values.point) {
  process.stdout.write(JSON.stringify(await measure(JSON.parse(values.point))));
} else if (values.memory) {
  const patch = values.quick ? 256 : 512;
  line(`| ${values.network}, 4 patches of ${patch} px | activations, estimated | process, peak | CPU time |`);
  line('|---|---|---|---|');
  const points: [string, Omit<Point, 'batch' | 'patch'>][] = [
    ['all kept', {}],
    ['at most three quarters', { memoryShare: 0.75 }],
    ['micro-batches of 2', { parts: 2 }],
    ['micro-batches of 1', { parts: 4 }],
    ['micro-batches of 1, at most three quarters', { parts: 4, memoryShare: 0.75 }],
  ];
  for (const [name, point] of points) {
    const { estimatedBytes, peakBytes, cpuSeconds } = runApart({ batch: 4, patch, ...point });
    const mb = [estimatedBytes, peakBytes].map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`);
    line(`| ${name} | ${mb.join(' | ')} | ${(cpuSeconds * 1000).toFixed(0)} ms |`);
  }
} else {
  const points: [string, Point][] = [
    ...(values.quick ? [128, 256] : [128, 256, 512, 1024]).map((patch): [string, Point] => [
      `patch ${patch}`,
      { batch: 1, patch },
    ]),
    ...(values.quick ? [2] : [2, 4]).map((batch): [string, Point] => [
      `batch ${batch}`,
      { batch, patch: 256 },
    ]),
    ...(values.quick ? [2, 4] : [2, 4, 8]).map((depth): [string, Point] => [
      `${depth} blocks`,
      { batch: 1, patch: 128, depth },
    ]),
  ];
  line('| point | step | CPU time | peak memory |\n|---|---|---|---|');
  for (const [name, point] of points) {
    const { seconds, cpuSeconds, peakBytes } = runApart(point);
    const ms = [seconds, cpuSeconds].map((s) => `${(s * 1000).toFixed(0)} ms`);
    line(`| ${name} | ${ms.join(' | ')} | ${(peakBytes / 1e6).toFixed(0)} MB |`);
  }
  const patch = values.quick ? 256 : 512;
  const { operators } = runApart({ batch: 1, patch, profile: true });
  const total = operators.reduce((sum, [, ms]) => sum + ms, 0);
  line(`\n| operator (${values.network}, patch ${patch}) | ms | share | nodes |\n|---|---|---|---|`);
  for (const [op, ms, count] of operators.filter(([, ms]) => ms > 0.005 * total)) {
    line(`| ${op} | ${ms.toFixed(1)} | ${((100 * ms) / total).toFixed(0)}% | ${count} |`);
  }
}
